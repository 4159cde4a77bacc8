"""Commands about delegates and threats: a pass for one day, its revocation, a PIN that asks for help.

Part of `kiosk.core.commands`, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDelegate:
    """代接登记: a guardian, called back by whoever presses, named an adult who comes for one child on one day at one gate.

    pass_id: 16 hex digits, drawn at the edge. for_day: YYYY-MM-DD. id_last4: of the document that the delegate will show.
    name, phone and features are kept in an erasable note only. features: what the person looks like, as the guardian says.
    """

    pass_id: str
    child: int
    for_day: str
    gate: str
    guardian: int
    relation: str
    name: str
    id_last4: str
    by: int
    phone: str = ""
    features: str = ""
    called_back: bool = False  # the guardian was called at the number on file and confirmed it
    adult: bool = False  # the guardian says that the delegate is 18 or older


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDelegate:
    """The pass opens nothing any more, from this moment, wherever this fact is known."""

    pass_id: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForHelp:
    """A member of staff typed the duress PIN (胁迫密码). Nothing on that screen may differ; the duty leader is alarmed."""

    staff: int
    where: str  # the screen, or the access point of the release that it was typed for
    access_point: str = ""
