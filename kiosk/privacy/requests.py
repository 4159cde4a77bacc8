"""Requests of families to correct something, as the pages list them: open ones by their due date, decided ones after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec

from kiosk.core.people import Directory
from kiosk.core.privacy_book import Asked, PrivacyBook
from kiosk.web.faces_privacy import RequestLine
from kiosk.web.words import say


class _Words(msgspec.Struct, frozen=True):
    old: str = ""
    new: str = ""


def request_lines(
    book: PrivacyBook, directory: Directory, note: Callable[[str], str | None], today: date, *, child: int = 0,
    open_only: bool = False,
) -> tuple[RequestLine, ...]:  # fmt: skip
    rows = [
        _line(book, directory, note, today, key, asked)
        for key, asked in list(book.asked.items())
        if (not child or asked.child == child) and not (open_only and key in book.decided)
    ]
    return tuple(sorted(rows, key=lambda row: (row.state != "open", row.due, row.request)))


def _line(
    book: PrivacyBook, directory: Directory, note: Callable[[str], str | None], today: date, key: str, asked: Asked
) -> RequestLine:
    words = _said(note(asked.note) if asked.note else "")
    decided = book.decided.get(key)
    guardian = directory.name_of(asked.guardian) if asked.guardian else ""
    line = RequestLine(
        request=key, child=asked.child, name=directory.name_of(asked.child), what=asked.what, old=words.old, new=words.new,
        guardian=guardian, at_ms=asked.at_ms, due=asked.due, overdue=decided is None and asked.due < today.isoformat(),
    )  # fmt: skip
    if decided is None:
        return line
    reason = (note(decided.note) or say("privacy.words_elsewhere")) if decided.note else ""
    state = "done" if decided.granted else "refused"
    return replace(line, state=state, reason=reason, decided_ms=decided.at_ms, by=directory.name_of(decided.by))


def _said(text: str | None) -> _Words:
    try:
        return msgspec.json.decode((text or "{}").encode(), type=_Words)
    except msgspec.MsgspecError:
        return _Words()
