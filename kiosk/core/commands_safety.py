"""Commands of an emergency's muster and of the gate register.

Part of `kiosk.core.commands`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Muster:
    """People are in front of `by` at a muster point (集合清点). `present` False takes back a check-off made by mistake.

    others: "staff:<number>" and "visit:<visit>", for adults of the frozen list.
    """

    point: str
    by: int
    children: tuple[int, ...] = ()
    others: tuple[str, ...] = ()
    present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorIn:
    """门卫登记. purpose and id_type are words of `kiosk.core.register`; id_last4: the last four characters, never more.

    Name, organisation and plate go into the erasable note.
    """

    gate: str
    name: str
    purpose: str
    by: int
    id_type: str
    id_last4: str
    host: int = 0  # staff number of the person visited, 0 for nobody in particular
    organisation: str = ""
    plate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorOut:
    visit: str
    by: int
