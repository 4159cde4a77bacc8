"""What a hand does to a simulated device, in words: `tap 62E3086CED`, `unplug`, `silence on`, typed or through a pipe.

A simulator lists the names of its methods in `verbs`; how a verb is written and what it says in `help` come from the
method itself. A line that starts with no verb is a card, where the device takes cards: `echo 62E3086CED > verbs/north-id`.
This never guesses at a value that does not fit: it refuses it with what fits.
"""

from __future__ import annotations

import contextlib
import enum
import inspect
import os
import select
import threading
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from drivers.simulated.rack_kinds import Simulated

READ_BYTES = 4096
MAX_LINE_BYTES = 1024
STOP_WAIT_S = 5.0
SWITCH = {"on": True, "off": False}


class NoSuchVerb(ValueError):
    """The line makes no sense for this device; the sentence says what would."""


def obey(device: Simulated, line: str) -> str:
    """Does what one line says. What the device answered, in a word. Raises NoSuchVerb."""
    word, _, rest = line.strip().partition(" ")
    if not word:
        raise NoSuchVerb("an empty line; `help` lists what can be done")
    if word == "help":
        return help_of(device)
    if word not in device.verbs:
        if "tap" not in device.verbs:
            raise NoSuchVerb(f"no verb {word!r} here; write one of {', '.join(device.verbs)}")
        word, rest = "tap", line.strip()
    method = getattr(device, word)
    try:
        done = method(*_arguments(word, method, rest.strip()))
    except (ValueError, AssertionError) as error:  # no card has such a number
        raise NoSuchVerb(f"{word}: {error}" if str(error) else f"{word}: {rest!r} does not fit") from error
    return "nobody took it" if done is False else "done"


def do_verb(device: Simulated, line: str) -> bool:
    """As `obey`; False when the line made no sense for this device."""
    try:
        obey(device, line)
    except NoSuchVerb:
        return False
    return True


def help_of(device: Simulated) -> str:
    """One line for each verb: how it is written, and what it does."""
    rows = [(written(device, verb), _said(getattr(device, verb))) for verb in device.verbs]
    widest = max(len(how) for how, _ in rows)
    return "\n".join(f"{how:<{widest}}  {what}".rstrip() for how, what in rows)


def written(device: Simulated, verb: str) -> str:
    """`silence on|off`, `tap VALUE`."""
    return " ".join([verb, *(_shape(name, kind, needed) for name, kind, needed in _parameters(getattr(device, verb)))])


def _parameters(method: Callable[..., Any]) -> list[tuple[str, Any, bool]]:
    """(name, type, must be given) of what a hand may pass; keyword-only parameters are for tests."""
    hints = get_type_hints(method)
    return [
        (one.name, hints.get(one.name, str), one.default is inspect.Parameter.empty)
        for one in inspect.signature(method).parameters.values()
        if one.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        and hints.get(one.name, str) is not bytes
    ]


def _arguments(verb: str, method: Callable[..., Any], rest: str) -> list[Any]:
    """A text takes the rest of the line when it is the last: codes on paper have spaces."""
    wanted = _parameters(method)
    words = rest.split(None, max(0, len(wanted) - 1)) if rest else []
    needed = sum(1 for _, _, must in wanted if must)
    if len(words) < needed or (words and not wanted):
        how = " ".join([verb, *(_shape(*one) for one in wanted)])
        raise ValueError(f"write `{how}`")
    return [_value(kind, word.strip()) for (_, kind, _), word in zip(wanted, words, strict=False)]


def _plain(kind: Any) -> tuple[Any, bool]:
    """(the first of several types, whether `none` is allowed)."""
    if get_origin(kind) in (Union, types.UnionType):
        several = [one for one in get_args(kind) if one is not type(None)]
        return several[0], len(several) < len(get_args(kind))
    return kind, False


def _value(kind: Any, word: str) -> Any:
    kind, optional = _plain(kind)
    if optional and word == "none":
        return None
    if kind is bool:
        if word not in SWITCH:
            raise ValueError(f"{word!r} is neither on nor off")
        return SWITCH[word]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind(word)
    return kind(word) if kind in (int, float) else word


def _shape(name: str, kind: Any, needed: bool) -> str:
    kind, optional = _plain(kind)
    shape = name.upper()
    if kind is bool:
        shape = "on|off"
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        shape = "|".join(str(one.value) for one in kind)
    shape += "|none" if optional else ""
    return shape if needed else f"[{shape}]"


def _said(method: Callable[..., Any]) -> str:
    """The first sentence of what the method says of itself."""
    return " ".join((inspect.getdoc(method) or "").partition("\n\n")[0].split())


class VerbPipes:
    """One named pipe for each device, read by one thread. A line that makes no sense is dropped: a desk is no protocol."""

    def __init__(self, devices: Mapping[str, Simulated], *, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.paths = {name: folder / name for name in devices}
        self._devices = devices
        self._fds: dict[int, str] = {}
        for name, path in self.paths.items():
            path.unlink(missing_ok=True)
            os.mkfifo(path, 0o600)
            # Opened for writing too: then it never comes to its end when a writer goes.
            self._fds[os.open(path, os.O_RDWR | os.O_NONBLOCK)] = name
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="verb-pipes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join(STOP_WAIT_S)
        for fd in (*self._fds, self._stop_read, self._stop_write):
            os.close(fd)
        for path in self.paths.values():
            path.unlink(missing_ok=True)

    def _run(self) -> None:
        poller = select.poll()
        for fd in (*self._fds, self._stop_read):
            poller.register(fd, select.POLLIN)
        kept = dict.fromkeys(self._fds, b"")
        while True:
            for fd, _ in poller.poll():
                if fd == self._stop_read:
                    return
                with contextlib.suppress(BlockingIOError):
                    kept[fd] += os.read(fd, READ_BYTES)
                *lines, rest = kept[fd].split(b"\n")
                kept[fd] = rest[-MAX_LINE_BYTES:]
                for line in lines:
                    do_verb(self._devices[self._fds[fd]], line.decode("utf-8", "replace"))
