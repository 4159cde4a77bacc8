"""Computers of a school as folders, on which a test does what the manual says: its commands as they stand there.

What needs another computer, root or systemd has one substitute each: every path is under the computer's folder, nobody is asked
to be another user, a person at an editor is a script, and `systemctl enable --now` starts the ExecStart of the very unit files
that the install script has put there. The programs of the virtual environment that runs the tests are the installed ones.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from kiosk.replaying import replay
from kiosk.settings import Settings, load, shared_data_dir
from tests.support import fault_school
from tests.support.chaos_parts import fixed_port
from tests.support.running_gate import RunningGate, VirtualDay

PROJECT = Path(__file__).parents[2]
MANUAL = PROJECT / "docs" / "operating.md"
CONFIG, STATE, PROGRAMS = "etc/campus-kiosk", "var/lib/campus-kiosk", "opt/campus-kiosk/.venv"
SCHOOL = "my-school"
PUPILS = 5 * fault_school.SEATS
COMMAND_S = 120.0
END_OF_DAY = "2026-11-23T23:00"


def manual_commands(heading: str) -> list[tuple[str, str]]:
    """(where, command) of the first block of commands under a heading; a comment line of its own says where."""
    section = MANUAL.read_text("utf-8").partition(f"### {heading}\n")[2]
    block = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None, f"the manual has no commands under {heading!r}"
    where, found = "", []
    for line in block[1].splitlines():
        if line.startswith("# "):
            where = line.removeprefix("# ").partition(",")[0]
        elif line.strip():
            found.append((where, line.partition("  #")[0].strip()))
    return found


class Computer:
    """One computer. stick: the folder of the stick that is carried around."""

    def __init__(self, root: Path, *, stick: Path, node: str, day: VirtualDay) -> None:
        self.root, self.node, self.day, self.port = root, node, day, fixed_port()
        self.stick = stick
        self.config, self.state, self.log = root / CONFIG, root / STATE, root / "log.txt"
        self.gate: RunningGate | None = None
        self._agent: subprocess.Popen[bytes] | None = None
        (root / PROGRAMS).parent.mkdir(parents=True)
        (root / PROGRAMS).symlink_to(sys.prefix)
        (root / "etc").mkdir(exist_ok=True)
        self._put_a_person_at_the_editor()

    # --- what a test prepares -----------------------------------------------------------------------

    def settle(self, server: str, like: Computer | None = None) -> None:
        """A gate of this school that has been there for long; `like`: with the same people and the same pepper."""
        shutil.copytree(shared_data_dir("sample_school"), self.config)
        site = f'[node]\nid = "{self.node}"\nport = {self.port}\n\n[sync]\nserver = "{server}"\nschool = "{SCHOOL}"\n'
        (self.config / "site.toml").write_text(site, "utf-8")
        if like is None:
            fault_school.write(self.state, PUPILS)
            return
        (self.state / "keys").mkdir(parents=True)
        shutil.copy(like.state / "directory.db", self.state / "directory.db")
        shutil.copy(like.state / "keys" / "pepper", self.state / "keys" / "pepper")

    def _put_a_person_at_the_editor(self) -> None:
        """Who writes into site.toml what is this gate's own."""
        editor = self.root / "person" / "editor"
        editor.parent.mkdir()
        editor.write_text(
            f"#!/bin/sh\nsed -i -e 's/^id = .*/id = \"{self.node}\"/' -e 's/^port = .*/port = {self.port}/' \"$1\"\n"
        )
        editor.chmod(0o755)

    # --- the commands of the manual -----------------------------------------------------------------

    def do(self, line: str) -> str:
        """One command of the manual, to its end; its output. It has to succeed."""
        if line.startswith("systemctl enable --now "):
            self.enable(line.split()[3:])
            self.running()  # whoever types the next command takes longer than that
            return ""
        command = self._here(re.sub(r"^sudo -u [a-z-]+ ", "", line))
        path = os.pathsep.join((f"{self.root}/person", f"{self.root}/{PROGRAMS}/bin", os.environ["PATH"]))
        done = subprocess.run(
            ["sh", "-c", command], cwd=PROJECT, capture_output=True, text=True, timeout=COMMAND_S, check=False,
            env={**os.environ, "PATH": path, "DESTDIR": str(self.root)},
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def enable(self, units: list[str], **environment: str) -> None:
        """Starts what the unit files say; the gate has the time of the test's day, and a key for a reader on its network."""
        for unit in units:
            file = self.root / "etc/systemd/system" / (unit if "." in unit else f"{unit}.service")
            text = file.read_text("utf-8")
            if file.suffix != ".service":
                continue  # a timer's time has not come
            words = shlex.split(self._here(re.search(r"^ExecStart=(.+)$", text, re.MULTILINE)[1]))  # type: ignore[index]
            if unit == "kiosk":
                self.gate = RunningGate(self.root / "reader", state=self.state, node=self.node, port=self.port, day=self.day)
                self.gate.log = self.log
                words += self.day.arguments()
            with self.log.open("ab") as log:
                process = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, **environment})
            if unit == "kiosk" and self.gate is not None:
                self.gate.process = process
            else:
                self._agent = process

    def _here(self, command: str) -> str:
        command = re.sub(r"(?<![\w/])/(etc|var|opt)/", rf"{self.root}/\1/", command)
        return command.replace("/media/stick", str(self.stick)).replace("tar -C / ", f"tar -C {self.root} ")

    # --- what it knows ------------------------------------------------------------------------------

    def running(self) -> RunningGate:
        assert self.gate is not None
        return self.gate.ready()

    def knows(self, settings: Settings | None = None) -> dict[str, Any]:
        """Every child with place, custodian and collection, names, and every open case: what `kiosk replay --json` says."""
        return replay(settings or load(self.config), self.state, END_OF_DAY)

    def close(self) -> None:
        """Its plug is pulled."""
        if self.gate is not None:
            self.gate.close()
        self.stop_agent()

    def stop_agent(self) -> None:
        if self._agent is not None and self._agent.poll() is None:
            self._agent.kill()
            self._agent.wait(COMMAND_S)
