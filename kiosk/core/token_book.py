"""Where the right to release a child is today (接送权), as the facts say. Part of the fold.

The right begins each day at the home gate of the child's class. Whoever has it gives it to one other gate by a fact, and that
gate takes it by a fact of its own; in between nobody has it. Each giving names what it gives on (`after`), so that the
right is one chain and not a matter of clocks. Any order of facts, any doubling, the same state. It judges nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kiosk.core.entries import Entry


class Ask(NamedTuple):
    """A gate wants the right. `id`: the entry."""

    id: str
    at_ms: int
    trusted: bool  # its writer's clock
    child: int
    gate: str
    by: int
    day: str


class Move(NamedTuple):
    """One giving. `id`: its entry. `after`: the giving by which the giver had the right, "" for the day's first holder."""

    id: str
    at_ms: int
    child: int
    day: str
    from_gate: str
    to_gate: str
    after: str
    ask: str


class Right(NamedTuple):
    """Where it is. taken: False while it is on the way to `gate`. move: the last giving, None before the first of the day.
    split: somebody gave the same right twice, as only a gate on an old copy can: nobody has it."""

    gate: str
    taken: bool
    move: Move | None
    split: bool = False

    @property
    def name(self) -> str:
        """What the next giving stands after."""
        return self.move.id if self.move else ""


class TokenBook:
    """asks, given: by entry id. taken: what was given (entry id) -> the giving as its taker tells it. opened: streams that
    began on records that may have been an old copy. compared: those that have heard from the server since."""

    def __init__(self) -> None:
        self.asks: dict[str, Ask] = {}
        self.given: dict[str, Move] = {}
        self.taken: dict[str, Move] = {}
        self.opened: set[str] = set()
        self.compared: set[str] = set()
        self._of: dict[tuple[int, str], set[str]] = {}  # (child, day) -> givings

    # --- reading ---------------------------------------------------------------------------------

    def right(self, child: int, day: str, home: str) -> Right:
        """Follows the givings from the home gate. What has not been heard of ends the way early: then it is elsewhere."""
        moves = self.moves(child, day)
        at = Right(home, taken=True, move=None)
        for _ in moves:
            onward = [move for move in moves if move.after == at.name]
            if not onward:
                break
            told = self.taken.get(onward[0].id)
            taken = told is not None and told.to_gate == onward[0].to_gate
            at = Right(onward[0].to_gate, taken, onward[0], split=len(onward) > 1)
            if at.split:
                break
        return at

    def moves(self, child: int, day: str) -> list[Move]:
        """Of one child on one day, by their ids. A giving that only its taker has told of counts as much."""
        found = (self.given.get(name) or self.taken[name] for name in sorted(self._of.get((child, day), ())))
        return [move for move in found if (move.child, move.day) == (child, day)]

    def ever_moved(self, child: int) -> bool:
        """On any day that is remembered: for a clock that does not know what day it is."""
        return any(who == child for who, _ in self._of)

    def answered(self, ask: str, day: str, child: int) -> bool:
        return any(move.ask == ask for move in self.moves(child, day))

    def last_ask(self, child: int, day: str, gate: str) -> Ask | None:
        mine = (ask for ask in self.asks.values() if (ask.child, ask.day, ask.gate) == (child, day, gate))
        return max(mine, key=lambda ask: (ask.at_ms, ask.id), default=None)

    def doubted(self, stream: str) -> bool:
        return stream in self.opened and stream not in self.compared

    def tables(self) -> tuple[dict[str, Any], ...]:
        return (self.asks, self.given, self.taken)

    # --- folding ---------------------------------------------------------------------------------

    def ask(self, entry: Entry) -> None:
        body = entry.body
        trusted = entry.clock == "trusted"
        one = Ask(str(entry.id), entry.at_ms, trusted, body["child"], body["gate"], body.get("by", 0), body["day"])
        self.asks[one.id] = one

    def give(self, entry: Entry) -> None:
        body, name = entry.body, str(entry.id)
        move = Move(
            name, entry.at_ms, body["child"], body["day"], body["from_gate"], body["to_gate"], body["after"], body.get("ask", "")
        )
        self.given[name] = move
        self._of.setdefault((move.child, move.day), set()).add(name)

    def take(self, entry: Entry) -> None:
        body = entry.body
        move = Move(
            body["token"], entry.at_ms, body["child"], body["day"], body["from_gate"], body["to_gate"], body["after"],
            body.get("ask", ""),
        )  # fmt: skip
        self.taken[move.id] = min(move, self.taken.get(move.id, move))
        self._of.setdefault((move.child, move.day), set()).add(move.id)

    def begin(self, entry: Entry) -> None:
        if entry.body.get("unproven"):
            self.opened.add(entry.stream)

    def compare(self, entry: Entry) -> None:
        self.compared.add(entry.stream)

    def forget_before(self, day: str) -> None:
        """Of an earlier day no right is left."""
        self.asks = {key: one for key, one in self.asks.items() if one.day >= day}
        self.given = {key: one for key, one in self.given.items() if one.day >= day}
        self.taken = {key: one for key, one in self.taken.items() if one.day >= day}
        self._of = {key: kept for key, names in self._of.items() if (kept := names & (self.given.keys() | self.taken.keys()))}
