"""Words of the pages about delegates: registering one, and the pass itself."""

from __future__ import annotations

from typing import Final

# key -> (Chinese, English)
DELEGATES: Final[dict[str, tuple[str, str]]] = {
    "delegate.title": ("代接登记", "Somebody else collects"),
    "delegate.lead": (
        "监护人委托别人来接：先打电话给监护人本人核实，再登记。凭证只用一次，只在那一天、那个门、接这一名学生。",
        "A guardian sends somebody else: call the guardian back first. A pass works once, on its day, at its gate.",
    ),
    "delegate.open": ("代接登记", "Register a delegate"),
    "delegate.today": ("今天登记的代接人", "Delegates registered for today"),
    "delegate.no_code": (
        "二维码读不出来时从这里放行：先给监护人打电话，再请一位同事输入工号和 PIN。",
        "Where the code cannot be read: call the guardian, then a colleague types an own staff number and PIN.",
    ),
    "delegate.step_call": ("一、已打电话核实的监护人", "1. The guardian whom you called back"),
    "delegate.called": (
        "我按名单上的号码打了电话，监护人本人确认了下面的信息",
        "I called the number on file; the guardian in person confirmed what is below",
    ),
    "delegate.no_guardian": ("名单上没有可以委托的监护人", "There is no guardian on the list who can send somebody"),
    "delegate.no_guardian_more": ("请找办公室核对监护人名单。", "Ask the office to check the list of guardians."),
    "delegate.no_phone": ("没有电话", "no telephone"),
    "delegate.step_who": ("二、来接的人", "2. Who comes"),
    "delegate.name": ("姓名", "Name"),
    "delegate.relation": ("与学生的关系", "Relation to the child"),
    "delegate.relation_aunt": ("亲戚", "relative"),
    "delegate.relation_neighbour": ("邻居", "neighbour"),
    "delegate.relation_friend": ("同学家长", "a classmate's parent"),
    "delegate.id_last4": ("证件号后四位", "Last four of the document"),
    "delegate.phone": ("手机号", "Telephone"),
    "delegate.features": ("特征（监护人描述）", "What the person looks like, as the guardian says"),
    "delegate.adult": ("监护人确认此人年满 18 周岁", "The guardian says that this person is 18 or older"),
    "delegate.step_when": ("三、哪天、哪个门", "3. When and where"),
    "delegate.day": ("日期", "Day"),
    "delegate.gate": ("校门", "Gate"),
    "delegate.send": ("登记并生成凭证", "Register and make the pass"),
    "delegate.passes": ("今天和以后的凭证", "Passes for today and later"),
    "delegate.none": ("还没有凭证", "No passes yet"),
    "delegate.show": ("打开凭证", "Show the pass"),
    "delegate.revoke": ("撤销", "Revoke"),
    "delegate.state_open": ("未使用", "not used yet"),
    "delegate.state_used": ("已使用", "used"),
    "delegate.state_revoked": ("已撤销", "revoked"),
    "delegate.state_over": ("已过期", "over"),
    "delegate.unknown_name": ("姓名在另一个门登记", "the name is kept at another gate"),
    "delegate.by": ("{by} 登记，{guardian} 确认", "registered by {by}, confirmed by {guardian}"),
    "delegate.tail": ("证件后四位 {tail}", "document ends in {tail}"),
    # --- the pass --------------------------------------------------------------------------------
    "pass.title": ("代接凭证", "Pickup pass"),
    "pass.for": ("接 {name}", "collects {name}"),
    "pass.delegate": ("代接人", "Delegate"),
    "pass.day": ("日期", "Day"),
    "pass.gate": ("校门", "Gate"),
    "pass.document": ("证件后四位", "Document ends in"),
    "pass.rule_1": ("到门卫室出示二维码，并出示证件原件。", "Show this code and your document at the gatehouse."),
    "pass.rule_2": ("只用一次；只在这一天、这个门有效。", "Works once, on this day and at this gate only."),
    "pass.rule_3": ("学生要认得您。不能来时，请告诉监护人。", "The child must know you. Tell the guardian if you cannot come."),
    "pass.print": ("打印", "Print"),
    "pass.save_png": ("存为图片", "Save as a picture"),
    "pass.save_svg": ("存为 SVG", "Save as SVG"),
    "pass.send_more": (
        "存为图片后，由班主任发给监护人，再由监护人转给代接人。不要发到群里。",
        "Save it, send it to the guardian, who passes it on. Never post it in a group chat.",
    ),
    "pass.back": ("返回代接登记", "Back to registering"),
    "pass.why_used": ("这张凭证已经用过，不能再打开。", "This pass has been used and is not shown again."),
    "pass.why_revoked": ("这张凭证已撤销，不能再打开。", "This pass was revoked and is not shown again."),
    "pass.why_over": ("这张凭证的日期已过。", "The day of this pass is over."),
    "pass.why_elsewhere": (
        "代接人的姓名只保存在登记的那个门，请到那里打开。",
        "The delegate's name is kept at the gate where it was registered: open it there.",
    ),
    "pass.why_no_key": (
        "本机的签名密钥不能用，请联系管理员；可在另一个门登记。",
        "This gate's key cannot be used: call the administrator, or register at another gate.",
    ),
}
