"""Commands of the privacy side of the records: erasing, holds, what left the house, corrections, the consent ledger.

Part of `kiosk.core.commands`, which names them all. People by number only; words are notes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePersons:
    """Nothing of them is kept from here on, at any gate. why: left (their time is over), asked (by the family), office.

    by: 0 where the retention of the settings says so.
    """

    persons: tuple[int, ...]
    why: str
    by: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureDone:
    """What one computer erased of these persons. left: where something of a name may be left, for somebody to look at."""

    persons: tuple[int, ...]
    notes: int = 0
    pictures: int = 0
    photos: int = 0
    templates: int = 0
    copies: int = 0
    directory: int = 0  # number of the list that no longer has them; 0 = another computer's work
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionErased:
    """Data of one category that were past their time are gone: how many, and of up to which day. No names."""

    category: str
    count: int
    through: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHold:
    """Nothing of this child, or of the facts of this case, is erased while it stands. reason: in words, always."""

    by: int
    reason: str
    child: int = 0
    case: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftHold:
    by: int
    reason: str
    child: int = 0
    case: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportChild:
    """A family asked what there is of its child. by: who approved it; guardian: who asked, 0 where nobody of the list did."""

    child: int
    by: int
    guardian: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCorrection:
    """A guardian wants something put right. what: which field; old, new: in words, both go to the erasable notes."""

    child: int
    what: str
    old: str
    new: str
    by: int
    guardian: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCorrection:
    """Done, or refused; a refusal has its written reason (未成年人网络保护条例 34)."""

    request: str
    granted: bool
    by: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsentRow:
    """One line of the consent ledger. how: paper, signed_online, spoken; paper: its reference; dates ISO, "" = open."""

    child: int
    purpose: str
    by: int
    guardian: int = 0
    how: str = "paper"
    paper: str = ""
    text_version: str = ""
    basis: str = "consent"
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNotice:
    """A text about processing was printed or given out. what: notice, signs, assessment, audit; digest: of its words."""

    what: str
    digest: str
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportIncident:
    """Personal data may have got into the wrong hands. children: whose; told: step of the time line; words are a note."""

    step: str
    words: str
    by: int
    incident: str = ""  # entry of its first step; "" = this is the first
    children: int = 0


PrivacyCommand = (
    ErasePersons
    | ErasureDone
    | RetentionErased
    | SetHold
    | LiftHold
    | ExportChild
    | AskCorrection
    | DecideCorrection
    | RecordConsentRow
    | IssueNotice
    | ReportIncident
)
