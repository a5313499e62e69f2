"""Kills whatever can be killed while agents work, goes on, and then looks for every byte that may not be lost."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stories import Repo, make_repo, wait_until

from orchd import app
from orchd.core.answers import word_answer
from orchd.core.statuses import has_strayed
from orchd.model.snapshot import Verb
from orchd.model.work import Answer, Status

AGENT = Path(__file__).with_name("agent.py")
VICTIMS = ("daemon", "server", "supervisor", "task", "machine", "nobody")
SUPERVISOR_MARK = b"orchd.adapters.supervisor"
END_SECONDS = 90.0
PAUSE_SECONDS = 0.8


@dataclass
class Chaos:
    """One repository in which agents work. `spoilt` is Python that takes a guard away from orchd."""

    folder: Path
    seed: int
    spoilt: str = ""
    dice: random.Random = field(init=False)
    repo: Repo = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.repo = make_repo(self.folder)
        self.journals = self.folder / "journals"
        self.journals.mkdir()
        self.repo.write(".orch/config.yaml", "parallel: 3\nkill_grace: 0.3\n")
        self.repo.commit("configuration")

    def hire(self, name: str, *, wild: bool, deeds: int) -> None:
        """A task for an agent."""
        manner = "wild" if wild else "tame"
        line = f"{sys.executable} -S {AGENT} {self.seed} {deeds} {self.journals} {manner}"
        self.repo.task(name, line, claims=[f"{name}/**"], timeout=4)

    def storm(self, rounds: int) -> None:
        """Start orchd, kill something at some moment, and again."""
        for _ in range(rounds):
            before, daemon = self.measure(), self.start()
            wait_until(lambda b=before, d=daemon: self.measure() > b or d.poll() is not None, "an agent does something")
            self.let_go_on(daemon, self.dice.random() * PAUSE_SECONDS)
            self.kill(self.dice.choice(VICTIMS), daemon)
            self.let_go_on(daemon, self.dice.random() * PAUSE_SECONDS)
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
            self.meddle()

    def measure(self) -> int:
        """How much the agents have written into their journals."""
        return sum(path.stat().st_size for path in self.journals.iterdir())

    def start(self) -> subprocess.Popen[bytes]:
        program = f"{self.spoilt}\nfrom orchd.cli import main\nmain()"
        with (self.folder / "said.log").open("ab") as log:
            argv = [sys.executable, "-c", program, "run"]
            return subprocess.Popen(
                argv, cwd=self.repo.top, env=self.repo.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def let_go_on(self, daemon: subprocess.Popen[bytes], seconds: float) -> None:
        try:
            daemon.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def finish(self) -> None:
        """Nobody is killed any more."""
        daemon = self.start()
        daemon.wait(END_SECONDS)
        wait_until(lambda: not list(self.processes()), "nothing of orchd is left")

    def meddle(self) -> None:
        """People retry, cancel and answer."""
        place = app.find(self.repo.top)
        for name, task in app.read_all(place).tasks.items():
            if has_strayed(task):
                app.ask(place, Verb.ANSWER, name, word_answer(self.dice.choice((Answer.WIDEN, Answer.DROP)), task.tip, ["**"]))
            elif task.status is Status.RUNNING and self.dice.random() < 0.2:
                app.ask(place, Verb.CANCEL, name)
            elif task.status in (Status.FAILED, Status.HELD, Status.UNCHANGED, Status.CANCELLED):
                app.ask(place, Verb.RETRY, name)

    def kill(self, victim: str, daemon: subprocess.Popen[bytes]) -> None:
        found = dict(self.processes())
        chosen = {
            "daemon": [daemon.pid],
            "machine": [daemon.pid, *found],
            "server": [pid for pid, kind in found.items() if kind == "server"],
            "supervisor": [pid for pid, kind in found.items() if kind == "supervisor"][:1],
            "task": [pid for pid, kind in found.items() if kind == "task"][:1],
            "nobody": [],
        }[victim]
        for pid in chosen:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def processes(self) -> Iterator[tuple[int, str]]:
        """All that this orchd started, by their environment."""
        mark = f"HOME={self.folder}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment = (entry / "environ").read_bytes().split(b"\0")
                line = (entry / "cmdline").read_bytes()
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                above = Path(f"/proc/{parent}/cmdline").read_bytes() if SUPERVISOR_MARK in line else b""
            except OSError:
                continue
            if mark in environment and line:
                kind = "task" if SUPERVISOR_MARK not in line else "supervisor" if SUPERVISOR_MARK in above else "server"
                yield int(entry.name), kind

    # -- afterwards --------------------------------------------------------------------------------------------------

    def find_lost(self) -> dict[str, set[str]]:
        """By run: the blobs that no ref holds and that no kept workspace has."""
        kept = self.list_kept()
        expected = {path.stem: read_journal(path.read_text().splitlines()) for path in sorted(self.journals.iterdir())}
        assert sum(map(len, expected.values())) > 0, "the agents did something"
        return {run: oids - kept for run, oids in expected.items() if oids - kept}

    def list_kept(self) -> set[str]:
        """Blobs that exist and that a ref leads to, and those in workspaces that `orchd attic list` names."""
        listed = {
            line.split(" ")[0] for line in self.repo.git("rev-list", "--objects", "--no-object-names", "--all").splitlines()
        }
        asked = subprocess.run(
            ["git", "cat-file", "--batch-check=%(objectname) %(objecttype)"],
            cwd=self.repo.top,
            input="\n".join(listed).encode(),
            capture_output=True,
            check=True,
        ).stdout.decode()
        kept = {oid for oid, kind in (line.split(" ", 1) for line in asked.splitlines()) if kind == "blob"}
        for one in self.repo.data("attic", "list"):  # type: ignore[attr-defined]
            if one["number"] is None:
                kept |= set(hash_files(Path(one["place"]))) | self.list_objects(Path(one["place"]))
        return kept

    def list_objects(self, workspace: Path) -> set[str]:
        """What the repository of a kept workspace leads to."""
        argv = ["git", f"--git-dir={workspace}/.git", "rev-list", "--objects", "--no-object-names", "--all", "--reflog"]
        done = subprocess.run(argv, env=self.repo.env, capture_output=True, text=True, check=False)
        return {line.split(" ")[0] for line in done.stdout.splitlines()} if done.returncode == 0 else set()


def read_journal(lines: Iterable[str]) -> set[str]:
    """The blobs that must be found, as the agent's journal says; a last line may be cut off."""
    files, promised = dict[str, str](), set[str]()
    for line in lines:
        try:
            ((kind, what),) = json.loads(line).items()
        except ValueError:
            break
        if kind == "begin":
            files = {} if what is None else {path: oid for path, oid in files.items() if path not in what}
        elif kind == "files":
            files |= what
        elif kind == "promise":
            promised |= set(what)
        else:
            promised.clear()
    return promised | set(files.values())


def hash_files(folder: Path) -> Iterator[str]:
    for here, folders, names in os.walk(os.fsencode(folder)):
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]
        for name in (*names, *links):
            path = os.path.join(here, name)
            if os.path.islink(path):
                content = os.readlink(path)
            elif os.path.isfile(path):
                content = Path(os.fsdecode(path)).read_bytes()
            else:
                continue
            yield hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
