"""The commands about devices: doctor, simulate-device."""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.command_line import FINE, NOT_FINE, Stop, say_answer, settings_of, shared
from kiosk.command_records import Add


def add_commands(add: Add) -> None:
    doctor = add("doctor", _doctor, "what is connected, configured and healthy, and what to do")
    shared(doctor, "config", "state", "json")
    doctor.add_argument("--site", type=Path, metavar="FILE", help="another site.toml than the one in the settings folder")
    ready = shared(add("drivers", _drivers, "how ready each driver is, rule by rule"), "json")
    ready.add_argument("--markdown", action="store_true", help="as a table for a page")
    device = shared(add("simulate-device", _simulate_device, "run a simulated device to practise with, until Ctrl-C"), "json")
    device.add_argument("kind", nargs="?", default="", metavar="KIND", help="what to simulate, or `all`; without it: a list")
    device.add_argument("--folder", type=Path, metavar="DIR", help="where paths and pipes appear; default: one that goes away")


def _doctor(options: argparse.Namespace) -> int:
    from kiosk.doctor import examine
    from kiosk.face.examining import examine_faces
    from kiosk.notices.looking import examine_notices
    from kiosk.sun_looking import examine_sun

    settings = settings_of(options.config, options.site)
    devices = [(d.name, d.url, dict(d.options)) for d in settings.site.devices]
    looked = (*examine_notices(settings, options.state), *examine_sun(settings, options.state))
    more = (*looked, *examine_faces(settings.rules.face, options.state))
    report = examine(devices, options.state, disk=settings.site.disk, more=more)
    say_answer(options, report.as_json(), report.as_text())
    return FINE if report.ok else NOT_FINE


def _drivers(options: argparse.Namespace) -> int:
    from kiosk import driver_list

    text = driver_list.as_markdown() if options.markdown else driver_list.as_text()
    say_answer(options, driver_list.as_json(), text)
    return FINE


def _simulate_device(options: argparse.Namespace) -> int:
    from drivers.errors import Misconfigured
    from kiosk.simulated_devices import NoSuchKind, list_kinds, run

    try:
        if options.kind:
            run(options.kind, options.folder, as_json=options.json)
        else:
            list_kinds(as_json=options.json)
    except (NoSuchKind, Misconfigured) as error:
        raise Stop(str(error)) from error
    return FINE
