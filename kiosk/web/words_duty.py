"""Words of the duty leader's page, beside those that `words_staff` and `words_custody` have for all of them."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
DUTY: Final[dict[str, tuple[str, str]]] = {
    "duty.group_search": ("正在寻找", "Being looked for"),
    "duty.group_alarm": ("报警", "Alarms"),
    "duty.group_uncollected": ("未接离校", "Not yet collected"),
    "duty.group_lists": ("名单对不上", "Lists that disagree"),
    "duty.group_machines": ("校门电脑", "Gate computers"),
    "duty.group_conflict": ("记录冲突", "Conflicts in the record"),
    "duty.owner": ("{name} 负责", "{name} sees to it"),
    # --- a child that was released twice ----------------------------------------------------------
    "duty.sides": ("每次放行", "Each release"),
    "duty.side_home": ("本班校门", "The class's own gate"),
    "duty.side_doubted": ("时钟未校准", "Clock not set"),
    "duty.side_to": ("交给", "To"),
    "duty.side_by": ("放行人", "Let go by"),
    "duty.side_alone": ("自行离校", "Left alone"),
    "duty.side_reader": ("读卡器", "the reader"),
    "duty.side_id": ("证件后四位 {last4}", "document ends in {last4}"),
    # --- a search -------------------------------------------------------------------------------
    "duty.last_place": ("最后在", "Last in"),
    "duty.last_adult": ("由", "with"),
    "duty.incident_in": ("转为走失还有", "lost in"),
    "duty.incident_since": ("{time} 转为走失", "lost since {time}"),
    "duty.gates_hold": ("各校门逐人核对，直到找到", "All gates check everybody until the child is found"),
    "duty.found": ("找到了", "Found"),
    "duty.found_where": ("在哪里找到", "Found where"),
    "duty.found_place": ("地点", "Place"),
    "duty.place_classroom": ("教室", "Classroom"),
    "duty.place_toilet": ("洗手间", "Toilet"),
    "duty.place_sick_room": ("医务室", "Sick room"),
    "duty.place_playground": ("操场", "Playground"),
    "duty.place_gatehouse": ("门卫室", "Gatehouse"),
    "duty.escalate": ("升级为走失", "Declare the child lost"),
    # --- the ladder -------------------------------------------------------------------------------
    "duty.two_needed": (
        "这一步要两位老师陪着孩子。第二位输入工号和 PIN。",
        "Two adults stay with the child. The second types number and PIN.",
    ),
    "duty.ack_two": ("我们两人来处理", "We two take this"),
    "duty.two_stay": ("{one} 和 {two} 陪着孩子", "{one} and {two} stay with the child"),
    "duty.channel": ("联系方式", "Channel"),
    "duty.channel_phone": ("电话", "Phone"),
    "duty.channel_wechat": ("微信", "WeChat"),
    "duty.channel_sms": ("短信", "SMS"),
    "duty.sound_on": ("提示音开", "Sound on"),
    "duty.sound_off": ("提示音关", "Sound off"),
    "duty.print": ("打印待办", "Print open cases"),
    # --- who is on the way, who has the watch -------------------------------------------------------
    "duty.moving": ("在途", "On the way"),
    "duty.escort": ("{teacher} 护送 {n} 人 → {gate}", "{teacher} escorts {n} → {gate}"),
    "duty.outing": ("{teacher} 带 {n} 人在 {venue}", "{teacher} with {n} at {venue}"),
    "duty.out_since": ("{time} 出校", "out since {time}"),
    "duty.watch": ("各门值守", "The watch at each gate"),
    "duty.waiting_list": ("待接名单", "Waiting list"),
    # --- the close of the day -------------------------------------------------------------------------
    "duty.block_passages": ("已放行，尚未通过闸机", "Let out and not through the turnstile yet"),
    "duty.block_offers": ("未接收的交接", "Handovers not accepted"),
    "duty.block_escorts": ("在途护送", "Escorts on their way"),
    "duty.block_groups": ("外出未归的队伍", "Groups outside"),
    "duty.block_shifts": ("未完成的交接班", "Shift handovers open"),
    "duty.block_visitors": ("未离校访客", "Visitors inside"),
    "duty.block_alarms": ("未处理的报警", "Alarms not closed"),
    "duty.boarders": (
        "住校生 {n} 人在宿舍，由生活老师负责，不计入",
        "{n} boarders in the dormitory, in named custody: not counted",
    ),
    "duty.statement": ("静校证明", "Signed statement"),
}
