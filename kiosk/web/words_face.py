"""Words about faces: what the guard reads beside two photos, and consent at the office. No word blames a child."""

from __future__ import annotations

from typing import Final

FACES: Final[dict[str, tuple[str, str]]] = {
    "face.clear_match": ("照片相符", "The photo fits"),
    "face.unclear": ("看不准，请核对", "Not sure: please look"),
    "face.mismatch": ("请核对是否本人", "Please look: is it this child?"),
    "face.candidates": ("可能是以下学生，请核对", "Perhaps one of these: please look"),
    "face.no_face": ("没有拍到人脸", "No face in the picture"),
    "face.several_faces": ("画面中不止一人", "More than one person in the picture"),
    "face.too_small": ("离镜头太远", "Too far from the camera"),
    "face.turned_away": ("没有面向镜头", "Not facing the camera"),
    "face.blurred": ("画面模糊", "The picture is blurred"),
    "face.too_dark": ("光线太暗", "Too dark"),
    "face.too_bright": ("光线太亮", "Too bright"),
    "face.no_picture": ("没有拍到照片", "No picture was taken"),
    "face.help_only": ("仅供参考，由您决定。", "Only a hint. You decide."),
    "face.ask": ("刷的是 {name} 的卡。现场的是本人吗？", "It was {name}'s card. Is this the child?"),
    "face.ask_more": (
        "刷卡记录不变。是本人，点“已看过”；不是，请按学校规定处理并告诉值班领导。",
        "The tap stands. If it is the child, press “Seen”. If not, follow the school's rules and tell the duty leader.",
    ),
    "face.seen": ("已看过", "Seen"),
    "guard.face": ("请核对", "Look"),
    "consent.face_match": ("人脸比对", "comparing faces"),
    "consent.snapshot": ("抓拍照片", "pictures with a tap"),
    "consent.title": ("家长同意", "Consent of the family"),
    "consent.withdraw": ("撤回同意：{what}", "Withdraw: {what}"),
    "consent.renew": ("恢复同意：{what}", "Agreed again: {what}"),
    "consent.withdrawn": ("已撤回：{what}", "Withdrawn: {what}"),
    "consent.none": ("未同意抓拍和人脸比对", "No consent to pictures or comparing"),
    "reason.face_differs": ("请核对是否本人", "Please look: is it this child?"),
    "record.why_withdrawn": ("家长撤回同意", "the family withdrew its consent"),
    "record.why_no_consent": ("名单中已无同意", "no consent on the list any more"),
    "record.why_switched_off": ("人脸比对已关闭", "comparing faces was switched off"),
}
