"""From the key of an emergency to the list of a whole school on the screen and at the printer, cut off from everything.

Beside each: the same page made from the same view, and the same bytes sent to the same printer, with nothing around them.
"""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from drivers.escpos import document
from drivers.printer_supervisor import PrinterSupervisor
from drivers.registry import load
from drivers.simulated.receipt_printer import SimulatedReceiptPrinter
from kiosk.bench.result import Result, result
from kiosk.bench.school import gate_in_process, uid_of
from kiosk.clock import steady_s
from kiosk.controller import Controller
from kiosk.core.commands import DeclareEmergency, Look, Read
from kiosk.core.roster_safety import MusterQuery, MusterView
from kiosk.paper import Paper, muster_slip, nobody_knows
from kiosk.web import faces
from kiosk.web.faces_safety import class_html

PUPILS, LEADER = 1_620, 900_000
WAIT_S = 30.0


def muster(runs: int) -> list[Result]:
    """Milliseconds until the page is made and until the last byte is worked off by a (simulated) network printer."""
    screen, paper, bare_screen, bare_paper = [], [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder, SimulatedReceiptPrinter() as printer:
            gate = _everybody_is_here(Path(folder))
            desk = PrinterSupervisor(load(printer.url, "slips"), on_health=lambda *_: None).start()
            Paper(controller=gate, printers={"slips": desk}, only="", by_itself=True, note=nobody_knows)
            class_html.cache_clear()
            began_s = steady_s()
            gate.ask(DeclareEmergency(by=LEADER))
            view: MusterView = gate.ask(Look(query=MusterQuery()))
            faces.page("muster", view=view)
            screen.append((steady_s() - began_s) * 1000)
            _wait(printer, 1)
            paper.append((steady_s() - began_s) * 1000)
            bare_screen.append(_bare_page(view))
            bare_paper.append(_bare_slip(view, printer))
            desk.stop()
            gate.stop()
    return [
        result("1,620 on the muster page (limit: the page alone)", "ms", screen, bare_screen),
        result("1,620 at the receipt printer (limit: bare socket)", "ms", paper, bare_paper),
    ]


def _everybody_is_here(state: Path) -> Controller:
    gate, _ = gate_in_process(state, PUPILS)
    gate.start()
    for number in range(1, PUPILS):
        gate.submit(Read(access_point="east-in-1", scheme="uid", value=uid_of(number)))
    gate.ask(Read(access_point="east-in-1", scheme="uid", value=uid_of(PUPILS)))
    return gate


def _bare_page(view: MusterView) -> float:
    class_html.cache_clear()
    began_s = steady_s()
    faces.page("muster", view=view)
    return (steady_s() - began_s) * 1000


def _bare_slip(view: MusterView, printer: SimulatedReceiptPrinter) -> float:
    data = document(muster_slip(view, columns=48), columns=48)
    where = urlsplit(printer.url.partition(":")[2])
    began_s = steady_s()
    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        line.sendall(data)
        _wait(printer, 2)
    return (steady_s() - began_s) * 1000


def _wait(printer: SimulatedReceiptPrinter, slips: int) -> None:
    if not printer.wait_for_slips(slips, timeout_s=WAIT_S):
        raise TimeoutError(f"the list was not printed within {WAIT_S:g} s")
