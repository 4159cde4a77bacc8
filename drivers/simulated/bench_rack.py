"""A rack of simulated devices, started from a list and closed together. For the demo, for tests and for a desk.

With a `verbs_folder` every device gets a named pipe there, and anyone can use the rack from a shell while a gate runs:
`echo 62E3086CED > verbs/north-reader` taps that card, `unplug` and `replug` do what they say. Which kinds there are:
`rack_kinds`; what can be done to them: `rack_verbs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from drivers.errors import Misconfigured
from drivers.simulated.rack_kinds import KINDS, Simulated, TakesCards, start
from drivers.simulated.rack_verbs import VerbPipes, do_verb, obey

__all__ = ["KINDS", "BenchRack", "Kind", "RackItem", "Simulated", "TakesCards", "do_verb", "obey"]

Kind = str  # a name of KINDS


@dataclass(frozen=True, slots=True)
class RackItem:
    """One device to start. `name` is also the name of its link and of its pipe."""

    name: str
    kind: Kind


class BenchRack:
    """`.urls[name]` is what a driver opens, `.devices[name]` is what a hand does. Links appear in `links_folder`.

    `what_starts`: a kind for which something is missing here is left out instead of raising Misconfigured; `.left_out`
    says why, by name.
    """

    def __init__(
        self, items: Iterable[RackItem], *, links_folder: Path, verbs_folder: Path | None = None, what_starts: bool = False
    ) -> None:
        self.devices: dict[str, Any] = {}  # each a Simulated, with the verbs of its own class
        self.left_out: dict[str, str] = {}
        self._pipes: VerbPipes | None = None
        try:
            for item in items:
                assert item.name not in self.devices, f"two devices are called {item.name}"
                try:
                    self.devices[item.name] = start(item.kind, links_folder / item.name)
                except Misconfigured as error:
                    if not what_starts:
                        raise
                    self.left_out[item.name] = str(error)
            if verbs_folder is not None:
                self._pipes = VerbPipes(self.devices, folder=verbs_folder)
        except BaseException:
            self.close()
            raise

    @property
    def urls(self) -> dict[str, str]:
        return {name: device.url for name, device in self.devices.items()}

    @property
    def pipes(self) -> Mapping[str, Path]:
        """The named pipe of each device; none without a folder for them."""
        return self._pipes.paths if self._pipes is not None else {}

    def close(self) -> None:
        if self._pipes is not None:
            self._pipes.close()
        for device in self.devices.values():
            device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
