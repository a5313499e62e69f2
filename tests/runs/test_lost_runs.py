"""Whoever is killed, and whenever: a run is started once, is seen for what it is, and what it wrote is not lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from runs_world import World, living, wait_for
from test_process_trees import patch_supervisors

from orchd.adapters.codec import encode
from orchd.adapters.evidence import read_running, read_started
from orchd.adapters.processes import Identity, identify, is_alive, open_process, send_signal
from orchd.adapters.run_files import SALVAGE_LOCK
from orchd.adapters.run_step import name_progress
from orchd.model.agent import Report, Usage, Watch
from orchd.model.run import Outcome, Phase

DAEMON = """
import sys, threading
from pathlib import Path
from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.adapters.runs import SupervisedRuns
from orchd.adapters.sandbox import NoSandbox
from orchd.model.config import Config
from orchd.model.run import Command, RunOrder
checkout, state, head, line = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
runs = SupervisedRuns(open_repo(Place(checkout / ".git", checkout, state)), NoSandbox(), lambda: None)
runs.start(RunOrder("a.1.1", head, (Command("c", line, 60.0),), True, "asked"), Config(kill_grace_seconds=0.2))
print("started", flush=True)
threading.Event().wait()
"""


def start_daemon(world: World, line: str) -> subprocess.Popen[bytes]:
    """Another process that starts run `a.1.1` and then does nothing."""
    argv = [sys.executable, "-c", DAEMON, str(world.checkout), str(world.place.state_home), world.head, line]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)


def kill_daemon(daemon: subprocess.Popen[bytes]) -> None:
    assert daemon.stdout
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()


def wait_started(daemon: subprocess.Popen[bytes]) -> None:
    assert daemon.stdout
    assert daemon.stdout.readline() == b"started\n"


def test_a_run_goes_on_when_the_daemon_is_killed_and_the_next_one_adopts_it(world: World):
    daemon = start_daemon(world, "until [ -e go ]; do sleep 0.01; done; echo x > f")
    wait_started(daemon)
    kill_daemon(daemon)
    assert world.phase("a.1.1") is Phase.RUNNING
    wait_for(world.workspace("a.1.1").exists)
    world.rung.clear()
    (world.workspace("a.1.1") / "go").touch()
    assert world.rung.wait(30), "the end of an adopted run wakes"
    left = world.end("a.1.1")
    assert left.outcome is Outcome.EXITED
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "x"


def test_the_fork_server_ends_with_its_daemon(world: World):
    daemon = start_daemon(world, "sleep 1000")
    wait_started(daemon)
    children = Path(f"/proc/{daemon.pid}/task/{daemon.pid}/children").read_text().split()
    servers = [who for pid in children if (who := identify(int(pid)))]
    assert servers
    kill_daemon(daemon)
    wait_for(lambda: not any(map(is_alive, servers)))
    world.runs.stop("a.1.1")
    assert world.end("a.1.1").outcome is Outcome.STOPPED


def test_two_daemons_that_start_the_same_run_start_it_once(world: World):
    line = f"echo x >> {world.checkout}/count"
    daemons = [start_daemon(world, line) for _ in range(3)]
    for daemon in daemons:
        wait_started(daemon)
    world.end("a.1.1")
    for daemon in daemons:
        kill_daemon(daemon)
    assert (world.checkout / "count").read_text() == "x\n"


def start_twice_at_once(world: World) -> None:
    """Two orchd that both saw that the run was not started yet."""
    second = world.open()
    order = world.order("a.1.1", f"echo x >> {world.checkout}/count", collect=False)
    world.start("warm.1.1", "true")
    with pytest.MonkeyPatch.context() as patch:
        # Both have passed the quick look; the exclusive creation must decide.
        patch.setattr("orchd.adapters.runs.STARTED", "no-such-file")
        from orchd.model.config import Config

        threads = [threading.Thread(target=runs.start, args=(order, Config())) for runs in (world.runs, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    second.close()


def test_the_exclusive_creation_of_its_record_decides_who_starts_a_run(world: World):
    start_twice_at_once(world)
    world.end("a.1.1")
    assert (world.checkout / "count").read_text() == "x\n"


def test_without_the_exclusive_creation_a_run_is_started_twice(world: World, monkeypatch: pytest.MonkeyPatch):
    code = "import orchd.adapters.supervisor as s; s.create_durably = lambda p, c: (p.write_bytes(c), True)[1]"
    code += "; s.build_workspace = lambda g, *_: g.workspace.mkdir(parents=True, exist_ok=True)"
    patch_supervisors(monkeypatch, code)
    start_twice_at_once(world)
    world.end("a.1.1")
    wait_for(lambda: (world.checkout / "count").read_text() == "x\nx\n")


def test_a_fork_server_that_was_killed_is_replaced(world: World):
    world.run("a.1.1", "true")
    server = world.runs._server._process
    assert server
    server.kill()
    server.wait()
    assert world.run("a.2.1", "true").outcome is Outcome.EXITED


def test_a_fork_server_that_was_stopped_is_replaced(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("orchd.adapters.fork_server._ANSWER_SECONDS", 1.0)
    world.run("a.1.1", "true")
    server = world.runs._server._process
    assert server
    server.send_signal(signal.SIGSTOP)
    assert world.run("a.2.1", "true").outcome is Outcome.EXITED
    assert server.returncode == -signal.SIGKILL


def test_the_fork_server_has_no_zombies(world: World):
    for number in range(3):
        world.run(f"a.1.{number}", "true")
    server = world.runs._server._process
    assert server
    wait_for(lambda: not Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())


def test_what_a_lost_run_wrote_and_told_is_in_its_result_and_its_survivors_are_ended(world: World):
    mark = f"1000.{os.getpid()}7"
    world.start("a.1.1", f"echo saved > f; setsid sleep {mark} & exec sleep {mark}", grace=0.2)
    wait_for(lambda: len(living(f"{mark}")) >= 2)
    world.lose("a.1.1")
    assert world.phase("a.1.1") is Phase.LOST
    for at, used in enumerate((Usage(9, 3, 1, 70), Usage(40, 0, 2))):
        told = Report(finished=True, ended_by=Watch.MONEY, conversation=f"c{at}", tools=2, usage=used)
        name_progress(world.folder("a.1.1"), at).write_text(json.dumps(encode(told)))
    world.runs.salvage("a.1.1")
    world.runs.salvage("a.1.1")
    left = world.end("a.1.1")
    assert left.outcome is Outcome.LOST
    assert left.report == Report(conversation="c1", tools=2, usage=Usage(49, 3, 3, 70))
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "saved"
    assert living(mark) == []


def test_a_salvager_that_was_stopped_goes_on_at_the_next_look(world: World, monkeypatch: pytest.MonkeyPatch):
    world.start("a.1.1", "echo x > f; exec sleep 1000")
    wait_for((world.workspace("a.1.1") / "f").exists)
    world.lose("a.1.1")
    world.runs.close()
    stop = "s.remove_unfinished = lambda _: os.kill(os.getpid(), 19)"
    patch_supervisors(monkeypatch, f"import os, orchd.adapters.supervisor as s; {stop}")
    runs = world.open()
    runs.salvage("a.1.1")
    lock = world.folder("a.1.1") / SALVAGE_LOCK
    wait_for(lambda: lock.exists() and lock.read_bytes())
    who = json.loads(lock.read_bytes())["pid"]
    wait_for(lambda: ") T " in Path(f"/proc/{who}/stat").read_text())
    runs.salvage("a.1.1")
    assert world.end("a.1.1").outcome is Outcome.LOST
    runs.close()


def test_without_looking_for_its_marks_a_survivor_of_a_lost_run_lives_on(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.supervisor as s; s.find_marked = lambda _: []")
    mark = f"1000.{os.getpid()}8"
    world.start("a.1.1", f"setsid sleep {mark} & exec sleep {mark}", grace=0.2)
    wait_for(lambda: len(living(mark)) >= 2)
    world.lose("a.1.1")
    world.runs.salvage("a.1.1")
    world.end("a.1.1")
    survivors = living(mark)
    for pid in survivors:
        os.kill(pid, signal.SIGKILL)
    assert survivors


def test_salvage_leaves_the_same_run_of_another_repository_alone(world: World, tmp_path: Path):
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    other.start("a.1.1", "until [ -e go ]; do sleep 0.01; done")
    world.start("a.1.1", "sleep 1000")
    world.lose("a.1.1")
    world.runs.salvage("a.1.1")
    world.end("a.1.1")
    (other.workspace("a.1.1") / "go").touch()
    assert other.end("a.1.1").results[0].code == 0
    other.close()


MOMENTS = (
    "supervisor.build_workspace",
    "workspace._write_git_folder",
    "supervisor._run_commands",
    "supervisor._collect",
    "collect._write_commit",
    "collect._write_pack",
    "supervisor._leave_evidence",
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_supervisor_killed_at_any_step_is_lost_and_salvaged(world: World, monkeypatch: pytest.MonkeyPatch, moment: str):
    module, function = moment.split(".")
    with monkeypatch.context() as patch:
        fall = f"m.{function} = lambda *_: os.kill(os.getpid(), 9)"
        patch_supervisors(patch, f"import os, orchd.adapters.{module} as m; {fall}")
        world.start("a.1.1", "echo x > f")
        wait_for(lambda: world.phase("a.1.1") is Phase.LOST)
        world.runs.close()
    world.runs = world.open()
    world.runs.salvage("a.1.1")
    left = world.end("a.1.1")
    assert (left.outcome, left.detail) == (Outcome.LOST, "")
    if MOMENTS.index(moment) > MOMENTS.index("supervisor._run_commands"):
        world.take("a.1.1")
        assert world.show(left.tip, "f") == "x"
    assert not list(world.place.workspaces.glob(".*"))


def test_what_can_never_be_collected_ends_lost_and_keeps_its_workspace(world: World, monkeypatch: pytest.MonkeyPatch):
    world.start("a.1.1", "echo x > f; exec sleep 1000")
    wait_for((world.workspace("a.1.1") / "f").exists)
    world.lose("a.1.1")
    world.runs.close()
    fall = "m._collect = lambda *_: ''.encode('ascii') + ''"
    patch_supervisors(monkeypatch, f"import orchd.adapters.supervisor as m; {fall}")
    world.runs = world.open()
    world.runs.salvage("a.1.1")
    left = world.end("a.1.1")
    assert left.outcome is Outcome.LOST
    assert "it could not be collected: TypeError" in left.detail
    assert "TypeError" in (world.folder("a.1.1") / "supervisor.err").read_text()
    assert (world.workspace("a.1.1") / "f").exists()


def test_a_process_id_that_was_used_again_is_nobody_we_know(world: World):
    me = identify(os.getpid())
    assert me
    assert is_alive(me)
    older = Identity(me.boot, me.pid, me.start - 1)
    assert not is_alive(older)
    assert open_process(older) is None
    send_signal(older, signal.SIGKILL)
    assert not is_alive(Identity("another boot", me.pid, me.start))


def test_a_run_of_another_boot_is_lost(world: World):
    world.start("a.1.1", "sleep 1000")
    started = world.folder("a.1.1") / "started.json"
    before = started.read_text()
    started.write_text(re.sub('"boot":"[^"]*"', '"boot":"x"', before))
    assert world.phase("a.1.1") is Phase.LOST
    world.runs.stop("a.1.1")
    started.write_text(before)
    assert world.phase("a.1.1") is Phase.RUNNING
    world.runs.stop("a.1.1")
    world.end("a.1.1")


def test_evidence_that_cannot_be_read_never_stops_a_look(world: World):
    world.run("a.1.1", "true")
    (world.folder("a.1.1") / "exit.json").write_text("{broken")
    (world.folder("a.1.1") / "returned.json").write_text('{"entry": "from a newer orchd"}')
    seen = world.open().look(["a.1.1"])["a.1.1"]
    assert seen.phase is Phase.ENDED
    assert seen.exit
    assert seen.exit.outcome is Outcome.LOST
    assert seen.returned is None


def test_ps_sees_a_run_while_it_goes_on(world: World):
    world.start("a.1.1", "until [ -e go ]; do sleep 0.01; done")
    seen = read_running(world.place, "a.1.1")
    who = read_started(world.place, "a.1.1")
    assert seen
    assert who
    assert seen.pid == who.pid
    assert 0 <= seen.seconds < 60
    wait_for(lambda: world.workspace("a.1.1").exists())
    (world.workspace("a.1.1") / "go").touch()
    world.end("a.1.1")
    assert read_running(world.place, "a.1.1") is None
