"""The daemon as a process: one per repository, stopped politely, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from stories import Repo, wait_until


def test_a_second_orchd_is_refused_and_told_who_the_first_is(repo: Repo) -> None:
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: repo.data("status")["server"], "the daemon serves")
        told = repo.orchd("run", code=75)
        assert str(daemon.pid) in told
        assert repo.orchd("daemon", code=75)
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
    assert repo.data("status")["server"] is None


def test_term_drains_what_runs_finishes_and_nothing_new_starts(repo: Repo) -> None:
    flag = repo.top.parent / "go"
    repo.task("slow", f"until test -e {flag}; do sleep 0.01; done; echo s > s", claims=["s"], timeout=30)
    repo.task("next", "echo n > n", claims=["n"], needs=["slow"])
    daemon = repo.start("daemon")
    wait_until(lambda: "slow" in repo.orchd("ps"), "it runs")
    daemon.send_signal(signal.SIGTERM)
    flag.touch()
    assert daemon.wait(40) == 0
    assert (repo.status("slow"), repo.status("next")) == ("landed", "waiting")


@pytest.mark.slow
def test_draining_ends_at_its_limit_and_the_next_orchd_adopts_what_still_runs(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "drain: 0.2\n")
    flag = repo.top.parent / "go"
    repo.task("slow", f"until test -e {flag}; do sleep 0.01; done; echo s > s", claims=["s"], timeout=30)
    daemon = repo.start("daemon")
    wait_until(lambda: "slow" in repo.orchd("ps"), "it runs")
    daemon.terminate()
    assert daemon.wait(30) == 0
    assert "slow" in repo.orchd("ps"), "its supervisor goes on"
    flag.touch()
    repo.orchd("run")
    assert (repo.status("slow"), repo.data("show", "slow")["attempt"]) == ("landed", 1)


def test_after_kill_9_the_next_orchd_adopts_what_runs(repo: Repo) -> None:
    flag = repo.top.parent / "go"
    repo.task("slow", f"until test -e {flag}; do sleep 0.01; done; echo s > s", claims=["s"], timeout=30)
    daemon = repo.start("daemon")
    wait_until(lambda: "slow" in repo.orchd("ps"), "it runs")
    daemon.kill()
    daemon.wait()
    run = repo.start("run")
    wait_until(lambda: repo.data("status")["server"], "the next one serves")
    flag.touch()
    assert run.wait(60) == 0, repo.said
    assert (repo.status("slow"), repo.data("show", "slow")["attempt"]) == ("landed", 1)


def test_ctrl_c_asks_once_then_drains(repo: Repo) -> None:
    flag = repo.top.parent / "go"
    repo.task("slow", f"until test -e {flag}; do sleep 0.01; done; echo s > s", claims=["s"], timeout=30)
    repo.task("next", "echo n > n", claims=["n"], needs=["slow"])
    run = repo.start("run")
    wait_until(lambda: "slow" in repo.orchd("ps"), "it runs")
    run.send_signal(signal.SIGINT)
    wait_until(lambda: "Ctrl-C" in repo.said, "it asks")
    run.send_signal(signal.SIGINT)
    flag.touch()
    assert run.wait(60) == 130
    assert (repo.status("slow"), repo.status("next")) == ("landed", "waiting")


def test_cancel_ends_the_whole_tree_and_keeps_the_work(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "kill_grace: 1\n")
    marker = f"orchd-test-{os.getpid()}-{repo.top.parent.name}"
    repo.task("slow", f"echo part > part; (setsid sleep 1000 {marker} &) ; MARK={marker} sleep 1000", claims=["part"])
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: "slow" in repo.orchd("ps"), "it runs")
        state = repo.top.parent / "state"
        wait_until(lambda: list(state.rglob("slow.1.1/part")), "it wrote")
        workspace = next(state.rglob("slow.1.1"))
        repo.orchd("cancel", "slow")
        wait_until(lambda: repo.status("slow") == "cancelled", "it is cancelled")
        shown = repo.data("show", "slow")
        assert repo.git("show", f"{shown['ref']}:part") == "part"
        left = subprocess.run(["pgrep", "-f", marker], capture_output=True, text=True, check=False).stdout
        assert left == ""
        wait_until(lambda: not workspace.exists(), "the workspace is gone")
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0


def test_a_lost_supervisor_is_noticed_its_work_kept_and_the_task_tried_again(repo: Repo) -> None:
    flag = repo.top.parent / "second"
    script = f"echo part > part; if test -e {flag}; then exit 0; fi; touch {flag}; sleep 1000"
    repo.task("slow", script, claims=["part"])
    run = repo.start("run")
    wait_until(lambda: flag.exists(), "it runs")
    [row] = repo.data("ps")
    os.kill(row["pid"], signal.SIGKILL)
    assert run.wait(60) == 0, repo.said
    shown = repo.data("show", "slow")
    assert (shown["status"], shown["attempt"], shown["lost"]) == ("landed", 2, 1)
    assert repo.git("for-each-ref", "refs/orch/attic/slow"), "what the lost attempt wrote is kept"
    assert not list((repo.top.parent / "state").rglob("slow.1.*")), "no workspace is left"
