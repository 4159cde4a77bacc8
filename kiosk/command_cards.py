"""`kiosk enrol` and `kiosk keys`: a card for somebody by a tap, and the key of cards that prove themselves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from drivers.errors import DeviceLost, DriverError
from drivers.protocols import CredentialRead, Reader
from kiosk.clock import SystemClock, steady_s
from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared
from kiosk.enrolling import (
    CARD_KINDS,
    PERSON_KINDS,
    Enrolled,
    Held,
    No,
    Refused,
    enrol,
    give_back,
    looked_at,
    person_of,
    presented,
)
from kiosk.sun_keys import sun_reader

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
LOOK_S = 0.5
CARD_SCHEMES = ("uid", "em4100", "number", "qr")


def add_commands(add: Add) -> None:
    enrolling = shared(add("enrol", _enrol, "tap a card and give it to somebody"), "config", "state", "json")
    enrolling.add_argument("person", nargs="?", default="", help="学号, 工号 or 接送人编号; asked for where it is missing")
    enrolling.add_argument("--reader", default="", metavar="NAME_OR_URL", help="a device of site.toml, or a device URL")
    enrolling.add_argument("--card", default="", metavar="NUMBER", help="a card number in any spelling, instead of a tap")
    enrolling.add_argument("--as", dest="sort", choices=PERSON_KINDS, default="", help="which list the number is from")
    enrolling.add_argument("--kind", choices=CARD_KINDS[1:], default="", help="kind of card; sun proves itself at each read")
    enrolling.add_argument("--replace", action="store_true", help="other cards of this person stop working")
    enrolling.add_argument("--give-back", action="store_true", help="the card is nobody's from now on")
    enrolling.add_argument("--wait", type=float, default=60.0, metavar="S", help="how long a tap is waited for")
    keys = shared(add("keys", _keys, "the key of cards that prove themselves (NTAG 424 DNA)"), "state", "json")
    keys.add_argument("what", choices=["sun"])
    keys.add_argument("--card", default="", metavar="UID", help="print what is to be written into this one card")


# --- keys ----------------------------------------------------------------------------------------------


def _keys(options: argparse.Namespace) -> int:
    from kiosk.sun_keys import SunKeyError, keys_of_card, make_key

    try:
        if options.card:
            found = keys_of_card(options.state, options.card)
            say_answer(options, found.as_json(), found.as_text())
        else:
            path = make_key(options.state)
            words = f"{path}\nCopy it to every gate of the school, keep one copy locked away, and restart the gates."
            say_answer(options, {"key": str(path)}, words)
    except SunKeyError as error:
        raise Stop(str(error), NOT_FINE) from error
    return FINE


# --- enrol ---------------------------------------------------------------------------------------------


def _enrol(options: argparse.Namespace) -> int:
    from kiosk.directory import DirectoryError
    from kiosk.journal import JournalError

    try:
        held = _presented(options)
        if not options.json:
            print(_described(held))
        if options.give_back:
            back = give_back(options.state, held.uid, now_ms=SystemClock().now_ms())
            say_answer(options, _document(back, None), f"{back.uid} was {back.holder_name}'s and is nobody's now")
            return FINE
        key = options.person or _asked(options, "学号 / 工号 / 接送人编号: ")
        if not key:
            say_answer(options, _document(held, None), "")
            return FINE
        done = _given(options, held, *person_of(options.state, key, kind=options.sort))
    except Refused as refused:
        if options.json:
            say_answer(options, {"enrolled": None, "refused": refused.no.value, "detail": refused.detail}, "")
        raise Stop(str(refused), NOT_FINE) from refused
    except (DirectoryError, JournalError) as error:
        raise Stop(str(error)) from error
    say_answer(options, _document(held, done), f"{held.uid} is {done.name}'s now, in people list {done.snapshot}")
    return FINE


def _given(options: argparse.Namespace, held: Held, person: int, name: str) -> Enrolled:
    """Asks before another card of the same person stops working, where there is somebody to ask."""
    now_ms = SystemClock().now_ms()
    try:
        return enrol(options.state, held.uid, person, now_ms=now_ms, kind=options.kind, replace_others=options.replace)
    except Refused as refused:
        if refused.no is not No.HAS_A_CARD or _asked(options, f"{name} has a card already. Replace it? [y/N] ").lower() != "y":
            raise
    return enrol(options.state, held.uid, person, now_ms=now_ms, kind=options.kind, replace_others=True)


def _asked(options: argparse.Namespace, question: str) -> str:
    """What somebody types; "" where nobody sits at the terminal."""
    if options.json or not sys.stdin.isatty():
        return ""
    return input(question).strip()


def _described(held: Held) -> str:
    whose = f"{held.holder_name} ({held.state})" if held.holder else "nobody's"
    return "\n".join([f"card {held.uid}: {whose}", *(f"  {name:<24}{text}" for name, text in held.spellings.items())])


def _document(held: Held, done: Enrolled | None) -> dict[str, Any]:
    card = {"uid": held.uid, "holder": held.holder or None, "holder_name": held.holder_name, "state": held.state}
    enrolled = done and {"person": done.person, "name": done.name, "snapshot": done.snapshot, "stopped": list(done.stopped)}
    return {"card": {**card, "spellings": held.spellings}, "enrolled": enrolled}


def _presented(options: argparse.Namespace) -> Held:
    if options.card:
        return looked_at(options.state, options.card)
    read = _tapped(_reader(options), options)
    seen = presented(
        read.value, read.scheme, random_uid=read.random_uid, link=str(read.evidence.get("sun", "")), sun=sun_reader(options.state)
    )
    options.kind = options.kind or seen.kind
    return looked_at(options.state, seen.text, random_uid=seen.random_uid, exact=seen.exact)


def _reader(options: argparse.Namespace) -> Reader:
    """The one that was named, or the only one of this computer. Raises Stop."""
    from drivers.registry import load

    settings = settings_of(options.config)
    named = {device.name: device for device in settings.site.devices}
    try:
        if options.reader and options.reader not in named:
            chosen = load(options.reader, "enrol")
            if not isinstance(chosen, Reader):
                raise Stop(f"{options.reader} reads no cards; name a reader")
            return chosen
        wanted = [named[options.reader]] if options.reader else list(named.values())
        readers = [one for one in (load(d.url, d.name, **d.options) for d in wanted) if isinstance(one, Reader)]
    except DriverError as error:
        raise Stop(str(error)) from error
    if len(readers) != 1:
        listed = ", ".join(reader.name for reader in readers) or "none"
        raise Stop(f"say with --reader which reader is meant; site.toml has: {listed}. Or give the number with --card")
    return readers[0]


def _tapped(reader: Reader, options: argparse.Namespace) -> CredentialRead:
    """The next card at this reader. Raises Stop where it cannot be had."""
    from kiosk.doctor import kiosk_runs

    try:
        reader.open()
        print(f"请在 {reader.name} 刷卡 / tap a card at {reader.name}", file=sys.stderr, flush=True)
        late_s = steady_s() + options.wait
        while steady_s() < late_s:
            for read in reader.poll(LOOK_S):
                if read.scheme in CARD_SCHEMES:
                    return read
    except DeviceLost as error:
        if kiosk_runs(options.state):
            sentence = "the gate is running and has the reader: enrol on its page 办公室 → 登记卡, or give the number with --card"
            raise Stop(f"{error}; {sentence}", NOT_FINE) from error
        raise Stop(str(error), NOT_FINE) from error
    except DriverError as error:
        raise Stop(str(error)) from error
    finally:
        reader.close()
    raise Stop(f"no card came within {options.wait:g} s", NOT_FINE)
