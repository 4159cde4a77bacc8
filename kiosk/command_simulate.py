"""`kiosk simulate`: a day at one gate, a term under a city's plan, or seeds of several gates with faults. Says the seed and the
history of a breach."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer

if TYPE_CHECKING:
    from kiosk.simulation.fleet import Outcome, Size

Add = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_command(add: Add) -> None:
    simulation = add("simulate", _simulate, "play whole days of a school in seconds: one gate, or several with every fault")
    simulation.add_argument("--state", type=Path, metavar="DIR", help="one gate of the sample school: where its state is left")
    simulation.add_argument("--seed", type=int, default=2026, help="what happens to whom is drawn from it")
    simulation.add_argument("--day", default="2026-11-23", help="one gate: the date that is played")
    simulation.add_argument("--gates", type=int, metavar="N", help="so many gates and a school server, in virtual time")
    simulation.add_argument("--days", type=int, default=5, help="several gates: how many days a seed is")
    simulation.add_argument("--seeds", type=int, default=1, metavar="N", help="several gates: so many seeds, from --seed on")
    simulation.add_argument("--faults", default="all", help="all, none, or some of network,disk,clock,card,server")
    simulation.add_argument("--children", type=int, default=8, help="several gates: how many children the school has")
    simulation.add_argument("--events", type=int, default=120, help="several gates: presses of people a day, faults not counted")
    simulation.add_argument("--city", metavar="CITY", help="a whole autumn term of the sample school under that city's plan")
    simulation.add_argument("--classes", type=int, default=0, metavar="N", help="a term: so many classes of it (default: all 36)")
    simulation.add_argument("--pupils", type=int, default=0, metavar="N", help="a term: so many of each class (default: all 45)")
    simulation.add_argument("--from", dest="first", metavar="DATE", help="a term: from this day on (default: its first)")
    simulation.add_argument("--to", dest="last", metavar="DATE", help="a term: up to this day (default: its last)")
    simulation.add_argument("--json", action="store_true", help="one JSON document on stdout")


def _simulate(options: argparse.Namespace) -> int:
    if options.gates is not None:
        return _fleet(options)
    if options.state is None:
        raise Stop("say --state DIR for a day at one gate (a term with --city CITY), or --gates N for several with faults")
    return _term(options) if options.city is not None else _day(options)


def _fleet(options: argparse.Namespace) -> int:
    from kiosk.simulation.fleet import Outcome, explained, simulate_seeds

    size, seeds = _size(options), range(options.seed, options.seed + options.seeds)
    outcomes, violations = list[Outcome](), list[Outcome]()
    for outcome in simulate_seeds(seeds, size):
        outcomes.append(outcome)
        if sys.stderr.isatty():
            print(f"\r{len(outcomes)} of {len(seeds)} seeds, {len(violations)} violations", end="", file=sys.stderr)
        if outcome.invariant:
            violations.append(explained(outcome, size))
    if sys.stderr.isatty():
        print(file=sys.stderr)
    steps, entries = sum(one.steps for one in outcomes), sum(one.entries for one in outcomes)
    document = {
        "seeds": list(seeds), "steps": steps, "entries": entries,
        "violations": [
            {"seed": one.seed, "invariant": one.invariant, "why": one.why, "history": list(one.history)} for one in violations
        ],
    }  # fmt: skip
    spoken = f"{len(seeds)} seeds from {options.seed}: {steps} steps, {entries} entries told, {len(violations)} violations"
    say_answer(options, document, "\n".join([spoken, *(words(one) for one in violations)]))
    return NOT_FINE if violations else FINE


def words(found: Outcome) -> str:
    """The seed, what broke, and the history, for a person."""
    head = f"seed {found.seed}: {found.invariant} — {found.why}"
    return "\n".join([head, *(f"  {line}" for line in found.history)])


def _size(options: argparse.Namespace) -> Size:
    from kiosk.simulation.fleet import ALL_FAULTS, Faults, Size
    from kiosk.simulation.fleet.school import MAX_GATES

    if not 2 <= options.gates <= MAX_GATES:
        raise Stop(f"--gates is from 2 to {MAX_GATES}, not {options.gates}")
    if min(options.days, options.seeds, options.children, options.events) < 1:
        raise Stop("--days, --seeds, --children and --events are 1 or more")
    named = [] if options.faults == "none" else options.faults.split(",")
    try:
        faults = ALL_FAULTS if options.faults == "all" else frozenset(Faults(name.strip()) for name in named)
    except ValueError as error:
        raise Stop(f"--faults is all, none, or some of {','.join(Faults)}, not {options.faults}") from error
    return Size(
        gates=options.gates, days=options.days, children=options.children, events=options.events, faults=faults, look_every=1
    )


def _day(options: argparse.Namespace) -> int:
    from kiosk.simulation import SimulationError, simulate

    try:
        found = simulate(options.state, day=options.day, seed=options.seed)
    except SimulationError as error:
        raise Stop(str(error)) from error
    fine = found.cleared and not found.violations
    history = [{"seed": found.seed, "invariant": "script", "history": [line]} for line in found.violations]
    document = {
        "seeds": [found.seed], "steps": found.steps, "violations": history, "day": found.day, "stayers": found.stayers,
        "late": dict(found.late), "cleared": found.cleared,
    }  # fmt: skip
    late = ", ".join(f"{count} after {minutes} min" for minutes, count in found.late)
    closed = "closed at zero" if found.cleared else "not closed"
    spoken = f"{found.day}, seed {found.seed}: {found.steps} presses, {found.stayers} stayed, late: {late}; {closed}"
    say_answer(options, document, "\n".join([spoken, *found.violations]))
    return FINE if fine else NOT_FINE


def _term(options: argparse.Namespace) -> int:
    from kiosk.simulation.term import Size, TermError, play_term

    try:
        first, last = (date.fromisoformat(text) if text else None for text in (options.first, options.last))
    except ValueError as error:
        raise Stop(f"--from and --to are dates such as 2026-09-14, not this: {error}") from error
    size = Size(classes=options.classes, pupils=options.pupils, first=first, last=last)
    try:
        found = play_term(options.state, city=options.city, seed=options.seed, size=size)
    except TermError as error:
        raise Stop(str(error)) from error
    told = ("city", "seed", "classes", "pupils", "first", "last", "days", "service_days", "closed", "presses", "entries")
    document = {name: getattr(found, name) for name in told} | {
        "seconds": round(found.seconds, 1), "sessions": len(found.ledger.sittings), "patrols": found.ledger.patrols,
        "corrections": len(found.ledger.corrections), "locked": found.ledger.locked, "violations": list(found.violations),
    }  # fmt: skip
    spoken = (
        f"{found.city}, seed {found.seed}, {found.pupils} pupils in {found.classes} classes, {found.first} to {found.last}:"
        f" {found.days} days, {found.closed} closed at zero; {len(found.ledger.sittings)} sessions archived,"
        f" {len(found.ledger.corrections)} corrected; {found.entries} entries in {found.seconds:.0f} s"
        f" ({found.entries / max(found.seconds, 0.001):.0f} a second)"
    )
    say_answer(options, document, "\n".join([spoken, *found.violations]))
    return FINE if found.fine else NOT_FINE
