"""The worker between a tap and a verdict: takes a picture after the tap was answered, has it looked at, and tells the core.

One thread, a short queue, and a process that computes. The loop never waits for any of them: when the queue is full the newest
picture is left out, which is no more than a guard without help. It keeps no picture and writes no file.
"""

from __future__ import annotations

import logging
import threading
from queue import Full, Queue
from typing import TYPE_CHECKING, Final

from kiosk.controller import Controller
from kiosk.core.commands import DeviceChanged, FaceCompared, Look
from kiosk.core.faces import may_compare
from kiosk.core.roster_faces import FaceExpectedQuery, FaceExpectedView
from kiosk.devices import Sighting
from kiosk.face.engine import EngineUnusable
from kiosk.face.likeness import likeness
from kiosk.face.process import EngineProcess
from kiosk.face.templates import TemplateStore
from kiosk.face.wire import Told

if TYPE_CHECKING:
    from kiosk.face.engine import Vector

log = logging.getLogger("kiosk.face")

WAITING: Final = 16
DEVICE: Final = "face"  # what the duty page and the journal call the engine
STOP_WITHIN_S: Final = 5.0


class FaceDesk:
    def __init__(self, *, controller: Controller, process: EngineProcess, templates: TemplateStore) -> None:
        self._controller, self._process, self._templates = controller, process, templates
        self._waiting: Queue[Sighting | None] = Queue(WAITING)
        self._healthy: bool | None = None
        self._thread = threading.Thread(target=self._run, name="faces", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        while True:
            try:
                self._waiting.put_nowait(None)
                break
            except Full:
                self._waiting.get()
        self._thread.join(STOP_WITHIN_S)
        self._process.close()

    def wants(self, person: int) -> bool:
        """On the controller's thread. Without consent no picture is taken, let alone looked at."""
        world = self._controller.world
        rules = world.rules.face
        return rules is not None and (may_compare(world, person) if person else rules.candidates)

    def offer(self, sighting: Sighting) -> None:
        """From the thread that takes pictures. Never waits."""
        try:
            self._waiting.put_nowait(sighting)
        except Full:
            log.warning("too many faces wait; nobody is compared for %s", sighting.of)

    # --- on its own thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        self._opened()
        while (sighting := self._waiting.get()) is not None:
            try:
                self._look(sighting)
            except EngineUnusable as error:
                self._health(str(error))
            except Exception:  # one picture must not end the help for all that follow
                log.exception("a face was not compared")

    def _opened(self) -> None:
        try:
            self._process.open()
        except EngineUnusable as error:
            self._health(str(error))
        else:
            self._health("")

    def _health(self, trouble: str) -> None:
        healthy = not trouble
        if healthy is self._healthy:
            return
        self._healthy = healthy
        if trouble:
            log.error("no faces are compared: %s", trouble)
        self._controller.submit(DeviceChanged(device=DEVICE, health="ok" if healthy else "down", why=trouble))

    def _look(self, sighting: Sighting) -> None:
        gallery = self._gallery(sighting)
        if not gallery:
            return  # no template, or nobody expected: the picture is not looked at
        told = self._process.look(sighting.picture) if sighting.picture else Told(refusal="no_picture")
        self._health("")
        if told.refusal:
            if sighting.person:
                self._tell(sighting, refusal=told.refusal)
            return
        scores = likeness(self._process.engine, list(gallery.values()), told.vector)
        if sighting.person:
            self._tell(sighting, score=scores[0])
        else:
            self._tell(sighting, candidates=tuple(zip(gallery, scores, strict=True)))

    def _gallery(self, sighting: Sighting) -> dict[int, Vector]:
        """The one template of the person who was named; or of the few who are expected here now."""
        people: tuple[int, ...] = (sighting.person,)
        if not sighting.person:
            few: FaceExpectedView = self._controller.ask(Look(query=FaceExpectedQuery(sighting.access_point)))
            people = few.children
        found = {person: self._templates.get(person) for person in people}
        return {person: one.vector for person, one in found.items() if one is not None and one.engine == self._process.engine}

    def _tell(
        self, sighting: Sighting, *, score: int = 0, refusal: str = "", candidates: tuple[tuple[int, int], ...] = ()
    ) -> None:
        self._controller.submit(
            FaceCompared(
                of=sighting.of, access_point=sighting.access_point, person=sighting.person, engine=self._process.engine,
                score=score, refusal=refusal, candidates=candidates, snapshot=sighting.snapshot,
            )
        )  # fmt: skip
