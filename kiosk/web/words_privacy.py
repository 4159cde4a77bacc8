"""Words of the privacy side: facts, the office's privacy pages, what was erased and what is held."""

from __future__ import annotations

from typing import Final

_KINDS: Final[dict[str, tuple[str, str]]] = {
    "person_erased": ("决定删除个人信息", "Erasing decided"),
    "erasure_done": ("已删除（本机回执）", "Erased (receipt of one computer)"),
    "erased_by_retention": ("到期自动删除", "Erased by retention"),
    "hold_set": ("设置保全", "Hold set"),
    "hold_lifted": ("解除保全", "Hold lifted"),
    "child_exported": ("个人信息导出给家长", "Data given to the family"),
    "correction_asked": ("家长请求更正", "Correction asked for"),
    "correction_decided": ("更正请求已处理", "Correction decided"),
    "consent_recorded": ("同意登记", "Consent recorded"),
    "notice_issued": ("告知书/评估生成", "Notice or assessment made"),
    "privacy_incident": ("个人信息安全事件", "Data incident"),
}

PRIVACY: Final[dict[str, tuple[str, str]]] = {
    **{f"record.kind_{name}": pair for name, pair in _KINDS.items()},
    "reason.on_hold": ("正在保全，不得删除", "Under a hold: not erased"),
    "reason.still_here": ("学生还在校内，不能删除", "Still on campus: not erased"),
}
