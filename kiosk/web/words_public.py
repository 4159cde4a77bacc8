"""Words that anybody may read: the public screen, signing in, trouble.

Bystanders read the first part. It never blames and never says why a pickup is refused.
"""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
PUBLIC: Final[dict[str, tuple[str, str]]] = {
    # --- the public display ----------------------------------------------------------------------
    "public.granted": ("请通行", "Please pass"),
    "public.look": ("请稍候", "One moment"),
    "public.gatehouse": ("请到门卫室", "Please go to the gatehouse"),
    "public.recorded": ("已记录", "Already recorded"),
    "public.unknown_credential": ("卡号未登记，请到门卫室", "Card not registered: gatehouse, please"),
    "public.not_yet_dismissed": ("未到放学时间，请等候老师", "Not yet: please wait for your teacher"),
    "public.needs_adult": ("请在候接区等候家长", "Please wait in the pick-up area"),
    "public.in_session": ("课后服务未结束", "Your session is not over"),
    "public.wrong_room": ("请到 {room} 签到", "Please go to {room}"),
    "public.elsewhere": ("请走另一个校门", "Please use the other gate"),
    "public.paper": ("请到门卫室登记", "Please register at the gatehouse"),
    "public.no_card": ("请稍候 门卫确认", "One moment: the guard confirms"),
    "public.note_elsewhere": ("或请找门卫", "Or ask the guard"),
    "public.note_gatehouse": ("请到门卫室", "To the gatehouse, please"),
    "public.note_guard": ("门卫正在核对", "The guard is checking"),
    "public.note_room": ("请到 {room}", "Please go to {room}"),
    "public.note_late": ("请到班级报到", "Please report to your class"),
    "public.note_teacher": ("请找老师安排位置", "Your teacher finds you a place"),
    "public.note_places": ("请找老师安排位置（{taken}/{capacity}）", "Your teacher finds you a place ({taken}/{capacity})"),
    "display.title": ("通道屏", "Gate display"),
    "display.tap": ("请刷卡", "Tap your card"),
    "display.in": ("进校", "Entrance"),
    "display.out": ("离校", "Exit"),
    "display.room": ("签到", "Check in"),
    "display.room_exit": ("签离", "Check out"),
    "display.desk": ("核对", "Desk"),
    "display.arrival": ("上学", "Arrival"),
    "display.lessons": ("上课中", "Lessons"),
    "display.session": ("课后服务", "After-school service"),
    "display.dismissal": ("放学", "Dismissal"),
    "display.closed": ("校门已关，请到门卫室", "Closed: please go to the gatehouse"),
    "display.no_card": ("没带卡", "No card?"),
    "display.no_card_class": ("请选班级", "Choose your class"),
    "display.no_card_seat": ("请按座号", "Press your seat number"),
    "display.no_card_grade": ("{n} 年级", "Grade {n}"),
    "display.no_card_ok": ("好了", "OK"),
    "display.no_card_look": ("请看屏幕上方的镜头", "Please look at the camera"),
    "display.erase": ("删除", "Erase"),
    "display.out_of_order": ("本通道暂停使用", "This lane is out of order"),
    "display.out_of_order_go": ("请到门卫室，老师在那里等你", "Please go to the gatehouse: somebody is there"),
    "display.emergency": ("紧急疏散", "Evacuate now"),
    "display.drill": ("疏散演练", "Evacuation drill"),
    "display.emergency_go": ("请从最近的出口离开，到集合点", "Leave by the nearest exit, go to the assembly point"),
    "display.health_link": ("控制器", "Controller"),
    "display.health_reader": ("读卡器", "Reader"),
    "display.lost": ("正在重新连接，请到门卫室", "Reconnecting: please go to the gatehouse"),
    # --- signing in, trouble ----------------------------------------------------------------------
    "sign_in.title": ("登录", "Sign in"),
    "sign_in.lead": ("刷工作卡，或输入工号和 PIN", "Tap your staff card, or type staff number and PIN"),
    "sign_in.number": ("工号", "Staff number"),
    "sign_in.pin": ("PIN", "PIN"),
    "sign_in.go": ("登录", "Sign in"),
    "sign_in.wrong": ("工号或 PIN 不对", "Staff number or PIN is wrong"),
    "sign_in.locked": (
        "错误次数太多，请 {n} 分钟后再试，或找值班领导",
        "Too many tries: wait {n} min or ask the duty leader",
    ),
    "sign_in.expired": ("已自动退出，请重新登录", "You were signed out, please sign in again"),
    "sign_in.card_read": ("已读到工作卡，请输入 PIN", "Card read: now the PIN"),
    "error.404": ("没有这个页面", "There is no such page"),
    "error.403": ("您没有打开这个页面的权限", "You may not open this page"),
    "error.500": ("页面暂时打不开", "This page cannot be opened now"),
    "error.503": ("控制器正在启动", "The controller is starting"),
    "error.404_do": ("请回到首页，从那里进入。", "Go back to the start and enter from there."),
    "error.403_do": ("请换有权限的人登录，或联系值班领导。", "Sign in as somebody who may, or ask the duty leader."),
    "error.500_do": (
        "刷卡和记录不受影响。请稍后重试；如果一直这样，请联系管理员。",
        "Taps are still recorded. Try again; if it stays, call the administrator.",
    ),
    "error.503_do": ("请等十秒钟再试。", "Wait ten seconds and try again."),
    "error.home": ("回到首页", "To the start"),
}
