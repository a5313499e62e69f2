"""When a run has ended nothing of it is left, whatever its processes did to get away."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
from runs_world import World, living, wait_for

from orchd.adapters import fork_server
from orchd.model.run import Outcome

SEVEN = """
sleep {m} &
nohup sleep {m} >/dev/null 2>&1 &
setsid sleep {m} &
(setsid sh -c 'sleep {m} &' &)
(trap '' TERM; exec sleep {m}) &
setsid sh -c "trap '' TERM HUP INT; sleep {m} & wait" &
( ( ( sleep {m} & ) & ) & )
until [ -e go ]; do sleep 0.01; done
"""
PHOENIX = f"""
{sys.executable} -c 'import os, signal; mark = "{{m}}"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open("born", "w").close()
while True: os.fork() and os._exit(0)' &
until [ -e go ]; do sleep 0.01; done
"""
BOMB = """
bomb() {{ [ $1 -gt 0 ] && {{ bomb $(($1-1)) & bomb $(($1-1)) & }}; exec sleep {m}; }}
bomb 5 &
until [ -e go ]; do sleep 0.01; done
"""
TREES = {"seven-escapers": (SEVEN, 8), "phoenix": (PHOENIX, 1), "fork-bomb": (BOMB, 60)}


@pytest.fixture
def mark() -> str:
    return f"1000.{time.monotonic_ns()}"


def patch_supervisors(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Take something away from the supervisors of this test."""
    monkeypatch.setattr(fork_server, "_PROGRAM", fork_server._PROGRAM.replace("serve(int", f"{code}; serve(int"))


def start_tree(world: World, mark: str, tree: str) -> None:
    """Start it and wait until all of it lives."""
    line, size = TREES[tree]
    world.start("a.1.1", line.format(m=mark), grace=0.2)
    wait_for(lambda: len(living(mark)) >= size and (tree != "phoenix" or (world.workspace("a.1.1") / "born").exists()))


@pytest.mark.parametrize("tree", TREES)
def test_nothing_survives_the_end_of_a_command(world: World, mark: str, tree: str):
    start_tree(world, mark, tree)
    (world.workspace("a.1.1") / "go").touch()
    left = world.end("a.1.1")
    assert (left.outcome, left.results[0].code) == (Outcome.EXITED, 0)
    assert living(mark) == []


@pytest.mark.parametrize("tree", TREES)
def test_nothing_survives_a_stop(world: World, mark: str, tree: str):
    start_tree(world, mark, tree)
    world.runs.stop("a.1.1")
    assert world.end("a.1.1").outcome is Outcome.STOPPED
    assert living(mark) == []


def test_without_a_subreaper_some_of_the_seven_survive(world: World, mark: str, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.process_tree as t; t.become_subreaper = lambda: None")
    start_tree(world, mark, "seven-escapers")
    world.runs.stop("a.1.1")
    world.end("a.1.1")
    survivors = living(mark)
    for pid in survivors:
        os.kill(pid, signal.SIGKILL)
    assert survivors


def test_a_command_that_is_too_slow_is_ended_and_the_next_is_not_begun(world: World, mark: str):
    left = world.run("a.1.1", f"echo x > before; sleep {mark} & sleep {mark}", "echo x > after", seconds=0.3)
    assert left.outcome is Outcome.TIMEOUT
    assert [(one.timed_out, one.code) for one in left.results] == [(True, -signal.SIGTERM)]
    assert living(mark) == []
    world.take("a.1.1")
    assert "before" in world.names(left.tip)


def test_the_polite_signal_comes_first_and_the_grace_is_kept(world: World):
    line = "trap 'echo saved > f; exit 9' TERM; echo ready; while :; do sleep 0.01; done"
    world.start("a.1.1", line, grace=20.0)
    wait_for(lambda: (world.folder("a.1.1") / "out.log").exists())
    world.runs.stop("a.1.1")
    left = world.end("a.1.1")
    assert (left.outcome, left.results[0].code) == (Outcome.STOPPED, 9)
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "saved"


def test_who_ignores_the_polite_signal_is_killed_after_the_grace(world: World):
    left = world.run("a.1.1", "trap '' TERM; while :; do sleep 0.01; done", seconds=0.2, grace=0.2)
    assert (left.outcome, left.results[0].code) == (Outcome.TIMEOUT, -signal.SIGKILL)


def test_no_grace_is_spent_when_nothing_is_left(world: World):
    begin = time.monotonic()
    world.run("a.1.1", "true", grace=60.0)
    assert time.monotonic() - begin < 20


def test_a_killed_supervisor_takes_its_command_with_it(world: World, mark: str):
    world.start("a.1.1", f"exec sleep {mark}")
    wait_for(lambda: living(mark))
    world.lose("a.1.1")
    wait_for(lambda: not living(mark))


def test_an_exit_code_is_the_code_or_minus_the_signal(world: World):
    codes = [world.run(f"a.1.{n}", line).results[0].code for n, line in enumerate(("exit 7", "kill -9 $$", "no-such-command"))]
    assert codes == [7, -9, 127]
