"""Views as an inspector sees them: staff, counts and times in full, children and families masked (domain F6).

Decides nothing about who is an inspector; `kiosk.core.masking` says how a name is masked.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from kiosk.core.masking import mask_name, mask_phone
from kiosk.core.roster import CallLine, ChildLine, CollectorLine, GuardianLine, PassAtGate, QueueItem, SearchHit, SideLine
from kiosk.core.roster_changes import ComingChange

# Which fields of which values identify a child or a member of a family. All else passes.
_NAMES: dict[type, tuple[str, ...]] = {
    ChildLine: ("name",),
    QueueItem: ("name", "pass_name"),
    CollectorLine: ("name",),
    GuardianLine: ("name",),
    CallLine: ("guardian_name",),
    SearchHit: ("name",),
    PassAtGate: ("name",),
    SideLine: ("to_name",),
}
_PHONES: dict[type, tuple[str, ...]] = {CollectorLine: ("phone",), GuardianLine: ("phone",), PassAtGate: ("phone",)}
_LISTED: dict[type, tuple[str, ...]] = {ComingChange: ("joins", "leaves")}
_EMPTIED: dict[type, tuple[str, ...]] = {
    ChildLine: ("school_number",), SideLine: ("id_last4",), QueueItem: ("phone_tail", "snapshot"),
}  # fmt: skip


def masked(view: Any) -> Any:
    """The same view with every child's and relative's identity masked. Values come back unchanged where nothing is."""
    if isinstance(view, tuple):
        return tuple(masked(item) for item in view)
    if not is_dataclass(view) or isinstance(view, type):
        return view
    kind = type(view)
    changes: dict[str, Any] = {}
    for field in fields(view):
        value = getattr(view, field.name)
        if isinstance(value, tuple) or is_dataclass(value):
            changes[field.name] = masked(value)
    changes.update({name: mask_name(getattr(view, name)) for name in _NAMES.get(kind, ())})
    changes.update({name: mask_phone(getattr(view, name)) for name in _PHONES.get(kind, ())})
    changes.update({name: tuple(map(mask_name, getattr(view, name))) for name in _LISTED.get(kind, ())})
    changes.update(dict.fromkeys(_EMPTIED.get(kind, ()), ""))
    return replace(view, **changes) if changes else view
