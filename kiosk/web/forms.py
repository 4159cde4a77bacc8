"""The forms in which a live topic goes out: HTML pieces for the pages, data for machines.

Made once per language and once masked; every page with the same form shares the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from kiosk.web import faces
from kiosk.web.faces_format import Lang
from kiosk.web.masking import masked

_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Pieces:
    """Elements of a page by id. The scripts put each in place of the element that has the id."""

    lang: Lang
    masked: bool = False

    def fragments(self, topic: str, view: Any) -> dict[str, str]:
        return dict(faces.fragments(masked(view) if self.masked else view, lang=self.lang))

    def encode(self, topic: str, fragments: Mapping[str, str]) -> tuple[str, bytes]:
        name = "bar" if topic == "bar" else "patch"
        return name, _json.encode([{"id": key, "html": str(html)} for key, html in fragments.items()])


@dataclass(frozen=True, slots=True)
class Data:
    """The view itself, for a program: `{"topic", "view"}`."""

    masked: bool = False

    def fragments(self, topic: str, view: Any) -> dict[str, str]:
        return {"view": _json.encode(masked(view) if self.masked else view).decode()}

    def encode(self, topic: str, fragments: Mapping[str, str]) -> tuple[str, bytes]:
        return "view", _json.encode({"topic": topic, "view": msgspec.Raw(fragments["view"].encode())})
