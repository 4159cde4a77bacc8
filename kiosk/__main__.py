"""The command line. Exit codes: 0 fine, 1 the thing checked is not fine, 2 wrong usage or configuration.

Each command is one short function that imports what it needs; errors go to stderr as one sentence.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from kiosk import __version__
from kiosk.command_backup import add_commands as add_backup_commands
from kiosk.command_calendar import add_commands as add_calendar_commands
from kiosk.command_cards import add_commands as add_card_commands
from kiosk.command_devices import add_commands as add_device_commands
from kiosk.command_face import add_commands as add_face_commands
from kiosk.command_line import FINE, NOT_FINE, WRONG, Stop, shared
from kiosk.command_line import say_answer as _print
from kiosk.command_line import settings_of as _settings
from kiosk.command_privacy import add_commands as add_privacy_commands
from kiosk.command_records import add_commands as add_record_commands
from kiosk.command_reports import add_commands as add_report_commands
from kiosk.command_simulate import add_command as add_simulate_command


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # one line for every request is nobody's news
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return FINE
    except BrokenPipeError:  # somebody pipes into `head` and has seen enough
        sys.stderr.close()
        return FINE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kiosk", description="Campus kiosk and attendance controller")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        return command

    serve = shared(add("serve", _serve, "run this gate: devices, decisions, pages"), "config", "state")
    serve.add_argument("--host", help="address to listen on (default: site.toml)")
    serve.add_argument("--port", type=int, help="port to listen on (default: site.toml)")
    serve.add_argument("--site", type=Path, metavar="FILE", help="another site.toml than the one in the settings folder")
    serve.add_argument("--clock-start", metavar="ISO", help=argparse.SUPPRESS)  # the demo's virtual day
    serve.add_argument("--clock-speed", type=float, default=1.0, help=argparse.SUPPRESS)
    serve.add_argument("--clock-began", type=float, help=argparse.SUPPRESS)  # steady seconds at which that day began

    demo = add("demo", _demo, "play a school day: gate, sync agent and school server with simulated devices")
    demo.add_argument("--state", type=Path, default=Path("state/demo"), metavar="DIR")
    demo.add_argument("--port", type=int, default=8470)
    demo.add_argument("--speed", type=float, default=30.0, help="school minutes per real minute")
    demo.add_argument("--seed", type=int, default=2026)
    demo.add_argument("--day", default="2026-11-23", help="date that is played")
    demo.add_argument("--start", default="07:05", help="local time at which it starts")
    demo.add_argument("--quiet-day", action="store_true", help="play nothing by itself")
    demo.add_argument("--keep", action="store_true", help="go on with the state of an earlier demo")

    check = shared(add("check", _check, "hold a school's plan against its city's policy"), "json")
    check.add_argument("config", type=Path, metavar="CONFIG_DIR")
    policy = add("policy", _policy, "print a city's policy as a readable sheet")
    policy.add_argument("action", choices=["show"])
    policy.add_argument("city")

    importing = shared(add("import", _import, "import people from .xlsx or CSV files"), "config", "state", "json")
    importing.add_argument("paths", type=Path, nargs="+", metavar="FILE_OR_FOLDER")
    importing.add_argument("--allow-removals", action="store_true", help="people missing from the files leave the school")
    importing.add_argument("--dry-run", action="store_true", help="show problems and changes, change nothing")

    add_calendar_commands(add)
    for some in (add_device_commands, add_record_commands, add_report_commands, add_backup_commands):
        some(add)
    add_card_commands(add)
    add_face_commands(add)
    add_privacy_commands(add)
    muster = shared(add("muster", _muster, "the on-site list from the records alone, on paper too"), "config", "state", "json")
    muster.add_argument("--at", metavar="ISO", help="local date and time, such as 2026-11-23T10:42; default: the last on record")
    muster.add_argument("--print", action="store_true", dest="on_paper", help="print it on the printers of site.toml")
    muster.add_argument("--escpos", action="store_true", help="the bytes for a receipt printer on stdout")
    add_simulate_command(add)
    bench = shared(add("bench", _bench, "measure against the limits of this machine"), "json")
    bench.add_argument("name", nargs="?", help="one measurement only")
    bench.add_argument("--runs", type=int, default=5)
    photos = shared(add("photos", _photos, "put photos on file: pictures named by 学号 or 接送人编号"), "state")
    photos.add_argument("folder", type=Path, metavar="FOLDER", help="JPEG files such as 20260101.jpg or J00002.jpg")
    add("diagram", _diagram, "print the custody tables as a state diagram (Mermaid)")
    key = shared(add("key", _key, "make a key for a network reader"), "state")
    key.add_argument("access_point", nargs="*", help="the access points it may read for; none = all")
    return parser


# --- running ---------------------------------------------------------------------------------------


def _serve(options: argparse.Namespace) -> int:
    from kiosk.ballast import make_way
    from kiosk.clock import Clock, ScaledClock, SystemClock, steady_s
    from kiosk.composition import GateProcess, PortTaken, serve
    from kiosk.directory import DirectoryError
    from kiosk.journal import JournalError, last_trusted_ms
    from kiosk.snapshots import PictureError

    settings = _settings(options.config, options.site)
    make_way(options.state)
    clock: Clock = SystemClock(not_before_ms=last_trusted_ms(options.state))
    if options.clock_start:
        start_ms = int(datetime.fromisoformat(options.clock_start).timestamp() * 1000)
        if options.clock_began is not None:
            start_ms += int((steady_s() - options.clock_began) * 1000 * options.clock_speed)
        clock = ScaledClock(start_ms=start_ms, speed=options.clock_speed)
    try:
        gate = GateProcess(settings=settings, state=options.state, clock=clock)
    except (JournalError, DirectoryError, PictureError) as error:
        raise Stop(str(error)) from error
    host, port = options.host or settings.site.host, options.port or settings.site.port
    print(f"http://{host}:{port}/", flush=True)
    try:
        serve(gate, host=host, port=port)
    except PortTaken as error:
        raise Stop(str(error)) from error
    return FINE


def _demo(options: argparse.Namespace) -> int:
    from kiosk.demo import DemoError, play

    try:
        return play(options)
    except DemoError as error:
        raise Stop(str(error)) from error


# --- checking ----------------------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    from kiosk.checking import check_config

    result = check_config(options.config)
    _print(options, result.as_json(), result.as_text())
    if result.problems:
        return WRONG
    return FINE if result.ok else NOT_FINE


def _policy(options: argparse.Namespace) -> int:
    from kiosk.checking import PolicyMissing, show_policy

    try:
        print(show_policy(options.city))
    except PolicyMissing as error:
        raise Stop(str(error)) from error
    return FINE


# --- people, keys, figures -----------------------------------------------------------------------------


def _import(options: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from kiosk.credentials import CredentialsError
    from kiosk.directory import DirectoryError
    from kiosk.people_import import import_people

    settings = _settings(options.config)
    try:
        result = import_people(
            options.paths, options.state, settings=settings, dry_run=options.dry_run, now_ms=SystemClock().now_ms(),
            allow_removals=options.allow_removals,
        )  # fmt: skip
    except (DirectoryError, CredentialsError) as error:
        raise Stop(str(error)) from error
    _print(options, result.as_json(), result.text())
    return FINE if result.ok else NOT_FINE


def _photos(options: argparse.Namespace) -> int:
    from kiosk.directory import DirectoryError
    from kiosk.photos import put_photos
    from kiosk.snapshots import PictureError

    try:
        filed, left = put_photos(options.folder, options.state)
    except (DirectoryError, PictureError, NotADirectoryError, FileNotFoundError) as error:
        raise Stop(str(error)) from error
    for name in left:
        print(f"{name}: nobody has this number; name the file by 学号 or 接送人编号", file=sys.stderr)
    print(f"{filed} photos on file; the gate shows them from its next start or import")
    return NOT_FINE if left else FINE


def _key(options: argparse.Namespace) -> int:
    from kiosk.composition import new_device_key

    print(new_device_key(options.state, options.access_point))
    return FINE


def _muster(options: argparse.Namespace) -> int:
    from kiosk.muster import MusterError, muster_at, print_on_paper, write

    settings = _settings(options.config)
    try:
        found = muster_at(settings, options.state, options.at)
        if options.on_paper:
            printed = print_on_paper(found, options.state, settings)
            print(f"printed on {', '.join(printed)}", file=sys.stderr)
        if options.json or options.escpos or not options.on_paper:
            write(found, options.state, how="json" if options.json else "escpos" if options.escpos else "text")
    except MusterError as error:
        raise Stop(str(error), NOT_FINE) from error
    return FINE


def _bench(options: argparse.Namespace) -> int:
    from kiosk.bench import UnknownMeasurement, run_bench

    try:
        results = run_bench(options.name, runs=options.runs, quiet=options.json)
    except UnknownMeasurement as error:
        raise Stop(str(error)) from error
    _print(options, {"results": [asdict(result) for result in results]}, "")
    return FINE


def _diagram(options: argparse.Namespace) -> int:
    from kiosk.core.custody import mermaid

    print(mermaid())
    return FINE


if __name__ == "__main__":
    raise SystemExit(main())
