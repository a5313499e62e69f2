"""Sample repositories, tasks in them, and the commands that are measured.

Rule: nothing here depends on the person's configuration of git, on their home folder or on their orchd.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchd.adapters.place import Place

ORCHD = str(Path(sys.executable).parent / "orchd")
FILES_PER_FOLDER = 50
PATIENCE_SECONDS = 300.0
POLL_SECONDS = 0.02
PERSON = {
    "GIT_AUTHOR_NAME": "Person",
    "GIT_AUTHOR_EMAIL": "person@example.org",
    "GIT_COMMITTER_NAME": "Person",
    "GIT_COMMITTER_EMAIL": "person@example.org",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A checkout and the environment in which everything about it runs."""

    top: Path
    environment: Mapping[str, str]

    @property
    def place(self) -> Place:
        """Where orchd keeps things of this repository."""
        return Place(self.top / ".git", self.top, Path(self.environment["XDG_STATE_HOME"]))

    def run(self, *argv: str, stdin: str = "") -> str:
        """Standard output. Raises CalledProcessError for another exit code than 0."""
        done = subprocess.run(
            argv, cwd=self.top, env=self.environment, input=stdin, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def git(self, *arguments: str, stdin: str = "") -> str:
        """What a git command prints."""
        return self.run("git", *arguments, stdin=stdin)

    def write_task(self, name: str, run: str, **keys: object) -> None:
        """Drop a task file as an editor does: written aside, then renamed into place. Values are JSON, which is YAML."""
        folder = self.top / ".orch" / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"title: do {name}", f"run: {json.dumps(run)}"]
        lines += [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
        aside = self.top / ".orch" / f".{name}.new"
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        aside.rename(folder / f"{name}.yaml")

    def count_landed(self) -> int:
        """How many of the trivial tasks are on main."""
        names = self.git("ls-tree", "--name-only", "main").splitlines()
        return sum(name.startswith("file-") for name in names)

    def write_trivial_tasks(self, count: int) -> None:
        """`count` tasks, each with a claim of its own."""
        for number in range(1, count + 1):
            self.write_task(f"task-{number}", f"echo {number} > file-{number}", claims=[f"file-{number}"])


def make_environment(home: Path) -> dict[str, str]:
    """The same on every machine, except for PATH."""
    fixed = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LANG": "C.UTF-8", "NO_COLOR": "1"}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), **fixed, **PERSON}


def make_sample(home: Path, files: int) -> Sample:
    """A repository with one commit of `files` small files."""
    top = home / "project"
    top.mkdir(parents=True)
    sample = Sample(top, make_environment(home))
    sample.git("init", "-q", "-b", "main")
    for number in range(files):
        file = top / "src" / f"package-{number // FILES_PER_FOLDER}" / f"module-{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"NUMBER = {number}\n" * 20, encoding="utf-8")
    sample.git("add", "-A")
    sample.git("commit", "-q", "-m", "first")
    sample.git("repack", "-adq")
    return sample


@contextlib.contextmanager
def serve(sample: Sample) -> Iterator[int]:
    """`orchd daemon` on the sample, from ready to gone; its process id."""
    with (sample.top.parent / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen([ORCHD, "daemon"], cwd=sample.top, env=sample.environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: json.loads(sample.run(ORCHD, "status", "--json"))["data"]["server"], "the daemon to serve")
        yield daemon.pid
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Poll. Raises TimeoutError with `what` after PATIENCE_SECONDS."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_SECONDS:.0f} s for {what}")
        time.sleep(POLL_SECONDS)
