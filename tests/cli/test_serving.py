"""The commands while a daemon works: what they show is what happens."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_oracle import data_of
from cli_shell import MAIN, Shell

LIMIT_SECONDS = 30.0


def wait_for(look, what: str):
    """What `look` returns as soon as it is true. Fails after the limit."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        select.select([], [], [], 0.05)
    raise AssertionError(f"waited {LIMIT_SECONDS} s for {what}")


@pytest.fixture
def busy(shell: Shell, tmp_path: Path):
    """A daemon with one task that runs until it is told to end, and one that waits for its claim."""
    gate = tmp_path / "go"
    os.mkfifo(gate)
    shell.write_task("long", f"echo begun; read line < {gate}; echo done > a.txt", "claims: [a.txt]\n")
    shell.write_task("next", "echo more >> a.txt", "claims: ['*.txt']\npriority: -1\n")
    argv = [sys.executable, "-c", MAIN, "daemon"]
    with subprocess.Popen(argv, cwd=shell.repo, env=shell.env, stderr=subprocess.PIPE, text=True) as daemon:
        try:
            wait_for(lambda: any(row["pid"] for row in data_of(shell, "ps")), "the first process")
            yield shell, daemon
        finally:
            handle = os.open(gate, os.O_RDWR | os.O_NONBLOCK)
            os.write(handle, b"go\n")
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(LIMIT_SECONDS)
            os.close(handle)
            assert daemon.returncode == 0


def test_a_working_daemon_is_seen_by_every_command(busy):
    shell, daemon = busy
    status = data_of(shell, "status")
    assert status["server"]["pid"] == daemon.pid
    assert {task["task"]: task["status"] for task in status["tasks"]} == {"long": "running", "next": "waiting"}
    (row,) = data_of(shell, "ps")
    assert (row["run"], row["claims"]) == ("long.1.1", ["write a.txt"])
    assert 0 < row["left_seconds"] < 3600
    assert [(claim["task"], claim["glob"]) for claim in data_of(shell, "claims")] == [("long", "a.txt")]
    assert "`*.txt` meets `a.txt` of long (running)" in data_of(shell, "explain", "next")["what"]
    second = shell.orchd("run")
    assert second.returncode == 75
    assert str(daemon.pid) in second.stderr


def test_a_running_task_can_be_followed_and_cancelled_and_the_next_one_lands(busy):
    shell, _ = busy
    argv = [sys.executable, "-c", MAIN, "logs", "long", "-f"]
    with subprocess.Popen(argv, cwd=shell.repo, env=shell.env, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout.readline() == "begun\n"
        assert follower.poll() is None
        assert data_of(shell, "cancel", "long")[0]["served"] is True
        assert follower.wait(LIMIT_SECONDS) == 0
    wait_for(lambda: data_of(shell, "show", "next")["status"] == "landed", "the next task")
    assert data_of(shell, "show", "long")["status"] == "cancelled"
    assert shell.git("show", "main:a.txt") == "one\nmore"


def test_a_daemon_says_what_it_serves_when_it_drains_and_what_goes_on(shell, tmp_path):
    shell.write_task("long", f"mkfifo {tmp_path}/go; read line < {tmp_path}/go", "claims: [a.txt]\n")
    (shell.repo / ".orch" / "config.yaml").write_text("drain: 1s\n", encoding="utf-8")
    argv = [sys.executable, "-c", MAIN, "daemon"]
    with subprocess.Popen(argv, cwd=shell.repo, env=shell.env, stderr=subprocess.PIPE, text=True) as daemon:
        wait_for(lambda: (tmp_path / "go").exists(), "the task")
        daemon.send_signal(signal.SIGTERM)
        said = daemon.communicate(timeout=LIMIT_SECONDS)[1].splitlines()
    with (tmp_path / "go").open("w"):
        pass
    assert f"serves  {shell.repo}, branch main; isolation of agents: none (" in said[0]
    assert any("nothing new is started; what runs may finish for up to 1s" in line for line in said)
    assert said[-1] == "stopped, 1 go on under their supervisors and are adopted at the next start"


def test_the_third_ctrl_c_leaves_at_once_and_says_what_goes_on(shell, tmp_path):
    shell.write_task("long", f"mkfifo {tmp_path}/go; read line < {tmp_path}/go", "claims: [a.txt]\n")
    argv = [sys.executable, "-c", MAIN, "run"]
    with subprocess.Popen(argv, cwd=shell.repo, env=shell.env, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: (tmp_path / "go").exists(), "the task")
        for word in ("stop  stop?", "stop  nothing new", "left at once, 1 go on under their supervisors"):
            run.send_signal(signal.SIGINT)
            lines = iter(run.stderr.readline, "")
            assert any(word in line for line in lines), word
        assert run.wait(LIMIT_SECONDS) == 130
    with (tmp_path / "go").open("w"):
        pass
