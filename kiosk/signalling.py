"""Answers at an access point, for ears and eyes that look at no screen: beepers and lamps on relays, tones and words.

Opt-in by the settings. Runs on the controller's thread, after the commit, and only hands work to device threads. What an
adult may hear or see is decided in one place for all of them, `kiosk.core.signals`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from drivers.speaker_supervisor import SpeakerSupervisor
from drivers.supervisor import DeviceSupervisor, RelaySupervisor
from kiosk.core.decisions import Decision
from kiosk.core.people import Directory
from kiosk.core.signals import Signal, heard, shown
from kiosk.settings.values import SignalContact, Site
from kiosk.sounds import Sounds

Beats = tuple[tuple[float, float], ...]  # (begins after seconds, lasts seconds); never faster than 3 Hz

BEEPS: Final[Mapping[Signal, Beats]] = {
    Signal.GRANTED: ((0.0, 0.15),),
    Signal.RECORDED: ((0.0, 0.06),),
    Signal.LOOK: ((0.0, 0.8),),
    Signal.REFUSED: ((0.0, 0.15), (0.4, 0.15)),
}
LIGHTS: Final[Mapping[Signal, Beats]] = {  # as long as the screen shows it
    Signal.GRANTED: ((0.0, 1.2),),
    Signal.RECORDED: ((0.0, 1.2),),
    Signal.LOOK: ((0.0, 4.0),),
    Signal.REFUSED: ((0.0, 4.0),),
}


class Signalling:
    """`relays` and `speakers` are the supervisors by device name; they may still be added to."""

    def __init__(
        self,
        site: Site,
        sounds: Sounds,
        *,
        relays: Mapping[str, DeviceSupervisor[Any]],
        speakers: Mapping[str, SpeakerSupervisor],
    ) -> None:
        self._site, self._sounds, self._relays, self._speakers = site, sounds, relays, speakers
        self._contacts: dict[str, list[SignalContact]] = {}
        for contact in site.signals:
            self._contacts.setdefault(contact.access_point, []).append(contact)

    def tell(self, point: str, decision: Decision, directory: Directory) -> None:
        """One answer, to everything that stands at this access point."""
        for contact in self._contacts.get(point, ()):
            self._switch(contact, decision, directory)
        speaker, sound = self._speakers.get(self._site.sound.device), heard(decision, directory)
        if speaker is not None and sound is not None and point in (self._site.sound.access_points or (point,)):
            speaker.say(partial(self._sounds.clip, sound))

    def _switch(self, contact: SignalContact, decision: Decision, directory: Directory) -> None:
        lamp = contact.kind == "lamp"
        signal = shown(decision, directory) if lamp else heard(decision, directory)
        relay = self._relays.get(contact.relay)
        if isinstance(relay, RelaySupervisor) and signal is not None and signal in contact.answers:
            relay.signal(contact.channel, (LIGHTS if lamp else BEEPS)[signal])
