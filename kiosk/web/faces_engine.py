"""The template engine of the faces: one Jinja environment per language, with the words and formats built in.

Templates see frozen views, `say`, and the few filters below. They cannot reach a disk, a clock or a request.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from kiosk.web import faces_format as form
from kiosk.web.faces_format import Lang
from kiosk.web.words import WORDS, known, say

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"


@cache
def environment(lang: Lang) -> Environment:
    """One per language: the words are bound when a template is compiled, not looked up per request."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(clock=form.clock, clock_s=form.clock_s, clock_on=form.clock_on, dom_id=dom_id, js=json_attribute)
    env.filters["day"] = lambda ms: form.day(ms, lang)
    env.filters["minutes"] = form.minutes
    env.filters["iso"] = form.iso_date
    env.globals.update(
        lang=lang,
        say=lambda key, **values: say(key, lang, **values),
        known=known,
        word_or=lambda prefix, key, other: say(f"{prefix}.{key}" if known(f"{prefix}.{key}") else other, lang),
        script_words=script_words(lang),
        static=static_url,
        theme=form.theme,
        offset_ms=form.LOCAL_OFFSET_MS,
    )
    return env


def template(name: str, lang: Lang) -> Template:
    return environment(lang).get_template(name)


def render(name: str, lang: Lang, **context: Any) -> str:
    return template(name, lang).render(**context)


def macro(name: str, lang: Lang) -> Any:
    """The macros of a template as a module: a roster row is rendered without building a page."""
    return template(name, lang).module


def dom_id(text: object) -> str:
    """A roster or case key as an element id: letters, digits, hyphen; other characters by their code."""
    return "".join(c if c.isascii() and (c.isalnum() or c == "-") else f"_{ord(c):x}" for c in str(text))


@pass_eval_context
def json_attribute(_context: EvalContext, value: Any) -> Markup:
    """A value as JSON inside a double-quoted attribute."""
    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


@cache
def static_url(path: str) -> str:
    """/static/… with the content's fingerprint, so that a page never runs with an older style sheet."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]
    return f"/static/{path}?v={digest}"


def script_words(lang: Lang) -> str:
    """The words that the scripts need, as JSON for a meta tag (no inline script under the page's policy)."""
    return json.dumps({key[3:]: say(key, lang) for key in WORDS if key.startswith("js.")}, ensure_ascii=False)
