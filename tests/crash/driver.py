"""Kills orchd at one effect after another, starts it again, and checks what must hold. Run as a program of its own.

usage: driver.py FOLDER SHARD SHARDS [GUARD]

Effects are all calls through the ports that change something. For each of them there are two points: just before and
just after. A child is forked for each run of the loop; it kills itself with SIGKILL at the point. A second child is the
restart. Points are visited until the story ends before its point is reached, so none is left out.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from stories import Repo, environment, make_repo

from orchd import app, assembly
from orchd.adapters.event_records import load_event
from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_trees import find_entry
from orchd.adapters.leadership import take_leadership
from orchd.adapters.place import Place
from orchd.adapters.records import EVENTS, load_record, text_of
from orchd.core.answers import word_answer
from orchd.core.evolve import evolve
from orchd.core.statuses import has_strayed
from orchd.engine.bell import Bell
from orchd.engine.reconcile import Reconciler
from orchd.model.ids import STATE_REF
from orchd.model.snapshot import State, Verb
from orchd.model.work import Answer

EFFECTS = {
    "store": {"commit"},
    "files": {"settle"},
    "intents": {"forget"},
    "refs": {"keep", "release"},
    "runs": {"start", "stop", "salvage", "revoke", "discard"},
    "numbers": {"take"},
    "airlock": {"admit", "rework"},
    "lives": {"take", "release"},
    "saves": {"merge", "land", "publish", "forget"},
    "lines": {"place"},
    "results": {"keep"},
}
LIMIT_SECONDS = 60.0


class Silent:
    """Nobody listens."""

    def told(self, events: object, state: object) -> None: ...

    def trouble(self, text: str) -> None:
        print("trouble:", text, file=sys.stderr)


class Crashing:
    """A port that dies at one effect; everything else goes to the real one."""

    def __init__(self, real: object, effects: set[str], reach: Callable[[], None]) -> None:
        self._real, self._effects, self._reach = real, effects, reach

    def __getattr__(self, name: str) -> object:
        value = getattr(self._real, name)
        if name not in self._effects:
            return value

        def call(*args: object, **kwargs: object) -> object:
            self._reach()
            result = value(*args, **kwargs)
            self._reach()
            return result

        return call


def run_loop(folder: Path, point: int | None) -> None:
    """The loop until idle, in this process; dies at the given point."""
    place = app.find(folder)
    counter = itertools.count()

    def reach() -> None:
        if next(counter) == point:
            os.kill(os.getpid(), signal.SIGKILL)

    bell, leader = Bell(), take_leadership(place)
    with assembly.open_ports(place, leader, Silent(), bell.ring) as ports:
        doomed = {name: Crashing(getattr(ports, name), effects, reach) for name, effects in EFFECTS.items()}
        reconciler = Reconciler(dataclasses.replace(ports, **doomed), bell)
        reconciler.lead()
        reconciler.run(until_idle=True)
        if answer_stray(place):
            reconciler.run(until_idle=True)
    leader.release()


def answer_stray(place: Place) -> bool:
    """What a person does when they see what strayed. Whether there was anything to answer."""
    task = app.read_all(place).tasks["stray"]
    if has_strayed(task):
        app.ask(place, Verb.ANSWER, "stray", word_answer(Answer.DROP, task.tip, ()))
    return has_strayed(task)


def in_child(work: Callable[[], None]) -> int:
    """The exit code of `work` in a forked child (negative: the signal)."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(int(LIMIT_SECONDS))
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def make_story(folder: Path) -> Repo:
    """Work that lands, work that builds on it, overlap, a red gate, a failure, an answered stray, a conflict, a drop, a
    session that lands when it is complete, a number."""
    repo = make_repo(folder)
    repo.write(".orch/config.yaml", 'kill_grace: 1\ngates:\n  - {name: no-bad, run: "! test -e bad"}\n')
    repo.write(".orch/sessions/apart.yaml", "landing: on-complete\n")
    repo.commit("configuration")
    repo.task("line", "echo 1 > line.txt", session="apart", claims=["line.txt"])
    repo.task(
        "on-line", "cat line.txt > on-line.txt; echo 2 >> line.txt", session="apart", needs=["line"], claims=["*line.txt"]
    )
    repo.task("number", "mkdir -p m; echo n > m/$ORCHD_MIGRATION-n.txt", claims=["m/*-n.txt", {"migration": "next"}])
    repo.task("first", "echo 1 > first.txt", claims=["first.txt"])
    repo.task("second", "cat first.txt > second.txt", needs=["first"], claims=["second.txt"])
    repo.task("red", "touch bad", claims=["bad"])
    repo.task("stray", "echo x > elsewhere; echo h > here.txt", claims=["here.txt"])
    repo.task("broken", "echo half > half.txt; exit 3", claims=["half.txt"])
    for name in ("left", "right"):
        repo.task(name, f"echo {name} >> src/a.txt", claims=[{"path": "src/a.txt", "mode": "append"}])
    repo.write(".orch/inbox/dropped.yaml", "title: dropped\nrun: echo d > dropped.txt\nclaims: [dropped.txt]\n")
    return repo


EXPECTED = {
    "first": {"landed"},
    "second": {"landed"},
    "dropped": {"landed"},
    "red": {"failed"},
    "stray": {"landed"},
    "broken": {"failed"},
    "line": {"landed"},
    "on-line": {"landed"},
    "number": {"landed"},
}


def check_story(repo: Repo) -> None:
    """The promises."""
    place = app.find(repo.top)
    state = app.read_all(place)
    found = {name: task.status.value for name, task in state.tasks.items()}
    assert set(found) == {*EXPECTED, "left", "right"}, found
    for name, allowed in EXPECTED.items():
        assert found[name] in allowed, (name, found)
    assert sorted((found["left"], found["right"])) == ["held", "landed"], found
    check_git(repo, state)
    assert not repo.git("for-each-ref", "refs/orch/save", "refs/orch/keep"), "journals and keep refs are gone"
    assert not list(place.workspaces.glob("*")), "every workspace is gone, because all work is in refs"
    assert repo.git("status", "--porcelain") == "?? .orch/tasks/"
    assert repo.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert not (repo.top / ".orch/inbox/dropped.yaml").exists()
    assert replayed(place) == state, "the log replays to the state"
    check_processes(repo)


def check_git(repo: Repo, state: State) -> None:
    fsck = repo.git("fsck", "--full", "--no-dangling")
    assert "error" not in fsck and "missing" not in fsck, fsck
    files = repo.main_files()
    assert {"first.txt", "second.txt", "dropped.txt", "here.txt", "line.txt", "on-line.txt"} <= files
    assert len([name for name in files if name.startswith("m/")]) == 1, "one number for one task"
    assert repo.git("show", "main:on-line.txt") == "1" and repo.git("show", "main:line.txt") == "1\n2"
    assert not files & {"bad", "elsewhere", "half.txt"}
    chain = repo.git("log", "--first-parent", "--format=%H %s", "main").splitlines()[:-2]
    tags = repo.checkpoints()
    assert len(tags) == len(chain), (tags, chain)
    for line in chain:
        commit = line.split()[0]
        assert not repo.git("ls-tree", commit, "bad"), "a red tree was on main"
        assert len(repo.git("tag", "--points-at", commit).splitlines()) == 1
        assert repo.git("notes", "--ref", "orch/audit", "show", commit)
    trailers = repo.git("log", "--first-parent", "--format=%(trailers:key=Orch-Task,valueonly,separator=%x0A)", "main").split(
        "\n"
    )
    landed = [line.split()[0] for line in trailers if line.strip()]
    assert len(landed) == len(set(landed)) == 8, landed
    for name, task in state.tasks.items():
        if task.status.value in ("failed", "held"):
            assert task.ref and repo.git("rev-parse", task.ref) == task.tip, (name, task)


def replayed(place: Place) -> State:
    """The state as the log tells it: the events of all operations, oldest first, applied to nothing."""
    repo, state = open_repo(place), State()
    log = subprocess.run(
        ["git", f"--git-dir={place.git_dir}", "log", "--first-parent", "--reverse", "--format=%H", STATE_REF],
        capture_output=True,
        text=True,
        check=True,
    )
    for commit in log.stdout.split():
        entry = find_entry(repo, repo.tree_of(commit), EVENTS)
        for data in load_record("events", repo.read(entry.oid))["events"]:
            text = text_of(data)
            state = evolve(state, [load_event(data, repo.read(text) if text else None)])
    return state


def check_processes(repo: Repo) -> None:
    """Nothing that a task started is left."""
    top = str(repo.top.parent)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            home = (process / "environ").read_bytes()
        except OSError:
            continue
        assert b"ORCHD_RUN=" not in home or top.encode() not in home, f"{process} survived"


def main(folder: Path, shard: int, shards: int) -> int:
    os.environ.update(environment(folder))
    for visited, point in enumerate(itertools.count(shard, shards)):
        home = folder / f"p{point}"
        home.mkdir(parents=True)
        os.environ.update(environment(home))
        repo = make_story(home)
        crashed = in_child(lambda repo=repo, point=point: run_loop(repo.top, point))
        if crashed == 0:
            print(f"{visited} points of shard {shard}/{shards}")
            return 0
        assert crashed == -signal.SIGKILL, f"point {point}: exit {crashed}"
        started = time.monotonic()
        assert in_child(lambda repo=repo: run_loop(repo.top, None)) == 0, f"point {point}: the restart failed: {repo.top}"
        assert in_child(lambda repo=repo: check_story(repo)) == 0, f"point {point}: {repo.top}"
        assert time.monotonic() - started < LIMIT_SECONDS
        shutil.rmtree(home, ignore_errors=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
