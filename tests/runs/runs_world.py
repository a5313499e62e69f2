"""A real repository with real supervisors, and the few questions that the tests ask about them."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from orchd.adapters.evidence import read_started
from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.adapters.processes import is_alive
from orchd.adapters.runs import SupervisedRuns
from orchd.adapters.sandbox import NoSandbox
from orchd.model.config import Config
from orchd.model.run import Command, Exit, Phase, RunOrder

LIMIT_SECONDS = 30.0


def wait_for(condition: Callable[[], object], seconds: float = LIMIT_SECONDS) -> None:
    """Until `condition` is true. Fails after `seconds`."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        pause.wait(0.01)


class World:
    """`git` works on the main repository; `head` is its only commit."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "repo"
        self.checkout.mkdir()
        self.git("init", "-q", "-b", "main")
        (self.checkout / "kept.txt").write_text("kept\n")
        (self.checkout / "folder").mkdir()
        (self.checkout / "folder/deep.txt").write_text("deep\n")
        (self.checkout / ".gitignore").write_text("*.ignored\n")
        self.git("add", "-A")
        self.git("commit", "-qm", "one")
        self.head = self.git("rev-parse", "HEAD")
        self.place = Place(self.checkout / ".git", self.checkout, root / "state")
        self.rung = threading.Event()
        self.runs = self.open()

    def open(self) -> SupervisedRuns:
        """Another orchd on the same repository."""
        return SupervisedRuns(open_repo(self.place), NoSandbox(), self.rung.set)

    def git(self, *arguments: str, folder: Path | None = None, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", *arguments], cwd=folder or self.checkout, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def order(self, run: str, *lines: str, collect: bool = True, seconds: float = LIMIT_SECONDS, commit: str = "") -> RunOrder:
        commands = tuple(Command(f"c{number}", line, seconds) for number, line in enumerate(lines))
        return RunOrder(run, commit or self.head, commands, collect, "what was asked\n")

    def start(self, run: str, *lines: str, grace: float = 0.5, env: tuple[str, ...] = (), **more: object) -> str:
        self.runs.start(self.order(run, *lines, **more), Config(kill_grace_seconds=grace, env=env))
        return run

    def run(self, run: str, *lines: str, **more: object) -> Exit:
        """Start it and wait for its end."""
        return self.end(self.start(run, *lines, **more))

    def end(self, run: str) -> Exit:
        wait_for(lambda: self.phase(run) is Phase.ENDED)
        left = self.runs.look([run])[run].exit
        assert left is not None
        return left

    def phase(self, run: str) -> Phase:
        return self.runs.look([run])[run].phase

    def supervisor(self, run: str) -> int:
        who = read_started(self.place, run)
        assert who is not None
        return who.pid

    def close(self) -> None:
        """Leave no process behind."""
        found = [path.name for path in self.place.runs.iterdir()] if self.place.runs.exists() else []
        for run in found:
            self.runs.stop(run)
        wait_for(lambda: all(self.phase(run) is not Phase.RUNNING for run in found))
        self.runs.close()

    def lose(self, run: str) -> None:
        """Kill the supervisor, as the machine's memory killer would."""
        who = read_started(self.place, run)
        assert who is not None
        os.kill(who.pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(who))

    def workspace(self, run: str) -> Path:
        return self.place.workspaces / run

    def folder(self, run: str) -> Path:
        return self.place.runs / run

    def take(self, run: str) -> None:
        """Unpack the result into the main repository, which must then be whole."""
        self.git("unpack-objects", "-q", stdin=(self.folder(run) / "result.pack").read_bytes())

    def show(self, tip: str, path: str) -> str:
        return self.git("show", f"{tip}:{path}")

    def names(self, tip: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", tip).split()


def living(mark: str) -> list[int]:
    """Processes with `mark` in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if mark.encode() in line and state != "Z" and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found
