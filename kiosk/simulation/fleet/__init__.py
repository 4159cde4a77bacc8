"""`kiosk simulate --gates N`: several gates and a school server in virtual time, with every fault that the design names.

The real core, loop, journal, fold, sync agent and server rules run; clock, disk and network are models. A seed names a history
for ever; a history that breaks an invariant is made as small as it gets before it is shown. START HERE: `running.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kiosk.simulation.fleet.minimising import minimised
from kiosk.simulation.fleet.plan import ALL_FAULTS, Event, Faults, Size, plan
from kiosk.simulation.fleet.running import Outcome, play

__all__ = ["ALL_FAULTS", "Event", "Faults", "Outcome", "Size", "explained", "plan", "play", "simulate_seeds"]


def simulate_seeds(seeds: Sequence[int], size: Size) -> Iterator[Outcome]:
    """One outcome a seed, each as soon as it is there."""
    for seed in seeds:
        yield play(seed, size, plan(seed, size))


def explained(found: Outcome, size: Size, *, most_tries: int = 300) -> Outcome:
    """The same violation with as few events as were found to bring it about, looked at after every one of them."""
    closely = replace(size, look_every=1)
    events = plan(found.seed, size)
    again = play(found.seed, closely, events)
    if again.invariant != found.invariant:
        return found
    _, shortest = minimised(lambda some: play(found.seed, closely, some), events, again, most_tries)
    return shortest
