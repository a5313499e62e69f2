"""A supervisor that is there beats, whatever it does; one that does not is noticed, ended with all below it, and robbed of
nothing that it wrote."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from runs_world import World, living, wait_for
from test_process_trees import patch_supervisors

from orchd.adapters.evidence import read_running
from orchd.adapters.git_repo import open_repo
from orchd.adapters.heartbeat import HeartbeatWatch, read_beat_age
from orchd.adapters.runs import SupervisedRuns
from orchd.adapters.sandbox import NoSandbox
from orchd.model.limits import BEAT_SECONDS, LEASE_SECONDS, LOOK_SECONDS
from orchd.model.run import Outcome, Phase

QUICK = "import time, orchd.adapters.heartbeat as h, orchd.adapters.supervisor as s; h.BEAT_SECONDS = 0.02"


class Hand:
    """A clock that somebody turns by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def mark() -> str:
    return f"1000.{time.monotonic_ns()}"


def count_beats(world: World, run: str) -> int:
    file = world.folder(run) / "beat"
    return int(file.read_text().split()[0]) if file.exists() else 0


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


# -- the supervisor ----------------------------------------------------------------------------------------------------

SLOW = {
    "the command runs": ("pass", "until [ -e {go} ]; do sleep 0.01; done"),
    "it prepares": ("f = s.build_workspace; s.build_workspace = lambda *a: (wait(), f(*a))[1]", "true"),
    "it collects": ("f = s._collect; s._collect = lambda *a: (wait(), f(*a))[1]", "true"),
    "it leaves its evidence": ("f = s._leave_evidence; s._leave_evidence = lambda *a: (wait(), f(*a))[1]", "true"),
}


@pytest.mark.parametrize("while_", SLOW)
def test_a_supervisor_beats_while(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, while_: str):
    go = tmp_path / "go"
    wait = f"import os\nwait = lambda: [time.sleep(0.01) for _ in iter(lambda: os.path.exists({str(go)!r}), True)]"
    code, line = SLOW[while_]
    patch_supervisors(monkeypatch, f"exec({wait!r}, globals()); {QUICK}; {code}")
    world.start("a.1.1", line.format(go=go))
    wait_for(lambda: count_beats(world, "a.1.1") >= 3)
    before = count_beats(world, "a.1.1")
    wait_for(lambda: count_beats(world, "a.1.1") > before)
    go.touch()
    assert world.end("a.1.1").outcome is Outcome.EXITED


def test_a_short_run_does_not_beat(world: World):
    world.run("a.1.1", "true")
    assert not (world.folder("a.1.1") / "beat").exists()


def test_its_commands_do_not_inherit_the_beat(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, QUICK)
    assert world.run("a.1.1", "sleep 0.3").results[0].code == 0


def test_a_heartbeat_that_cannot_be_written_is_no_reason_to_die(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, QUICK + "; h.BEAT = 'no/such/folder'")
    assert world.run("a.1.1", "sleep 0.2; echo x > f").results[0].code == 0


def test_people_see_how_old_the_last_heartbeat_is(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, QUICK)
    world.start("a.1.1", "sleep 1000")
    assert read_beat_age(world.folder("never.1.1")) is None
    wait_for(lambda: count_beats(world, "a.1.1"))
    os.kill(world.supervisor("a.1.1"), signal.SIGSTOP)
    seen = read_running(world.place, "a.1.1")
    assert seen
    wait_for(lambda: (read_running(world.place, "a.1.1") or seen).beat_seconds > seen.beat_seconds + 0.05)


# -- the watcher -------------------------------------------------------------------------------------------------------


def test_a_lease_outlives_many_missed_beats_and_looks():
    assert 10 * max(BEAT_SECONDS, LOOK_SECONDS) <= LEASE_SECONDS


def test_silence_is_measured_on_the_clock_of_the_watcher_and_a_beat_ends_it(tmp_path: Path):
    clock = Hand()
    watch = HeartbeatWatch(clock)
    assert watch.measure(tmp_path) == 0
    for number in range(1, 4):
        clock.seconds += LOOK_SECONDS
        assert watch.measure(tmp_path) == number * LOOK_SECONDS, "no file is as silent as an old one"
    (tmp_path / "beat").write_text("1 5.00\n")
    clock.seconds += LOOK_SECONDS
    assert watch.measure(tmp_path) == 0
    clock.seconds += 1.5
    assert watch.measure(tmp_path) == 1.5
    watch.forget(tmp_path)
    assert watch.measure(tmp_path) == 0


def test_time_in_which_nobody_looked_does_not_count(tmp_path: Path):
    clock = Hand()
    watch = HeartbeatWatch(clock)
    watch.measure(tmp_path)
    clock.seconds += 86_400
    assert watch.measure(tmp_path) == LOOK_SECONDS
    assert HeartbeatWatch(clock).measure(tmp_path) == 0, "a new watcher starts anew"


def test_two_questions_of_one_look_count_once(tmp_path: Path):
    clock = Hand()
    watch = HeartbeatWatch(clock)
    for _ in range(5):
        watch.measure(tmp_path)
    clock.seconds += LOOK_SECONDS
    assert [watch.measure(tmp_path) for _ in range(3)] == [LOOK_SECONDS] * 3


# -- the two together --------------------------------------------------------------------------------------------------


def watched(world: World, clock: Hand) -> SupervisedRuns:
    return SupervisedRuns(open_repo(world.place), NoSandbox(), world.rung.set, clock)


def look_for(runs: SupervisedRuns, clock: Hand, run: str, seconds: float) -> float:
    """Look as often as a daemon would in `seconds` of its clock; how long the run was silent in the end."""
    silent = 0.0
    for _ in range(round(seconds / LOOK_SECONDS)):
        clock.seconds += LOOK_SECONDS
        silent = runs.look([run])[run].silent_seconds
    return silent


def test_a_stopped_supervisor_is_silent_and_one_that_goes_on_is_not(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, QUICK)
    clock = Hand()
    runs = watched(world, clock)
    world.start("a.1.1", "sleep 1000")
    os.kill(world.supervisor("a.1.1"), signal.SIGSTOP)
    wait_for(lambda: is_stopped(world.supervisor("a.1.1")))
    runs.look(["a.1.1"])
    assert look_for(runs, clock, "a.1.1", LEASE_SECONDS) >= LEASE_SECONDS
    os.kill(world.supervisor("a.1.1"), signal.SIGCONT)
    before = count_beats(world, "a.1.1")
    wait_for(lambda: count_beats(world, "a.1.1") > before)
    clock.seconds += LOOK_SECONDS
    assert runs.look(["a.1.1"])["a.1.1"].silent_seconds == 0
    runs.close()


def start_frozen(world: World, run: str, line: str) -> int:
    """A run whose command stops its own supervisor; the process id of that."""
    world.start(run, f"kill -STOP $PPID; {line}", grace=0.2)
    pid = world.supervisor(run)
    wait_for(lambda: is_stopped(pid))
    return pid


ESCAPE = "(setsid env -i sleep {m} &) ; setsid sleep {m} & trap '' TERM; echo saved > f; while :; do sleep {m}; done"


def test_a_task_that_stops_its_supervisor_is_ended_with_all_it_started_and_its_work_is_kept(world: World, mark: str):
    pid = start_frozen(world, "a.1.1", ESCAPE.format(m=mark))
    wait_for(lambda: len(living(mark)) >= 3 and (world.workspace("a.1.1") / "f").exists())
    for _ in range(3):
        world.runs.revoke("a.1.1")
    left = world.end("a.1.1")
    assert left.outcome is Outcome.LOST
    assert living(mark) == []
    assert not Path(f"/proc/{pid}").exists() or not is_stopped(pid)
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "saved"


def has_escaped(pid: int, parent: int) -> bool:
    """Whether a process has thrown away the environment by which it would be found, and has no parent but `parent`."""
    try:
        home = Path(f"/proc/{pid}")
        if not home.joinpath("cmdline").read_bytes().startswith(b"sleep") or home.joinpath("environ").read_bytes():
            return False
        return int(home.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]) == parent
    except OSError:
        return False


def test_without_killing_what_is_below_first_a_process_gets_away(world: World, mark: str, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.supervisor as s; s.find_below = lambda _: []")
    frozen = start_frozen(world, "a.1.1", ESCAPE.format(m=mark))
    wait_for(lambda: len(living(mark)) >= 3 and any(has_escaped(pid, frozen) for pid in living(mark)))
    world.runs.revoke("a.1.1")
    world.end("a.1.1")
    survivors = living(mark)
    for pid in survivors:
        os.kill(pid, signal.SIGKILL)
    assert survivors


def test_revoking_what_has_ended_changes_nothing(world: World):
    before = world.run("a.1.1", "echo x > f")
    world.runs.revoke("a.1.1")
    assert world.end("a.1.1") == before


def test_a_lost_run_can_be_revoked_too(world: World):
    world.start("a.1.1", "echo x > f; sleep 1000")
    wait_for(lambda: (world.workspace("a.1.1") / "f").exists())
    world.lose("a.1.1")
    world.runs.revoke("a.1.1")
    left = world.end("a.1.1")
    assert left.outcome is Outcome.LOST
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "x"


def test_whoever_salvages_a_run_leaves_its_fence(world: World):
    from dataclasses import replace

    from orchd.model.config import Config

    world.runs.start(replace(world.order("a.1.1", "sleep 1000"), fence=7), Config())
    world.lose("a.1.1")
    world.runs.salvage("a.1.1")
    assert world.end("a.1.1").fence == 7
    world.runs.start(replace(world.order("a.1.2", "true"), fence=8), Config())
    assert world.end("a.1.2").fence == 8
    assert world.phase("a.1.2") is Phase.ENDED
