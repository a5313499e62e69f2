"""What a command sees: its workspace, an allow-list of variables, no input, default signals, and nothing heavy above it."""

from __future__ import annotations

import functools
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from runs_world import World

from orchd.adapters.evidence import read_log
from orchd.adapters.sandbox import NoSandbox
from orchd.model.config import Config
from orchd.model.run import Command, RunOrder


def seen_by(world: World, line: str, **more: object) -> list[str]:
    world.run("a.1.1", line, **more)
    return [text.decode().rstrip("\n") for text in read_log(world.place, "a.1.1")]


def test_only_listed_variables_reach_a_command(world: World, monkeypatch: pytest.MonkeyPatch):
    for name in ("SECRET", "GIT_DIR", "OLDPWD", "LC_TIME", "ASKED_FOR", "GIT_ASKED_FOR", "PYTHONPATH"):
        monkeypatch.setenv(name, "C")
    names = {row.split("=")[0] for row in seen_by(world, "env", env=("ASKED_FOR", "GIT_ASKED_FOR"))}
    assert {"PATH", "HOME", "PWD", "LC_TIME", "ASKED_FOR", "ORCHD_RUN", "ORCHD_WORKSPACE"} <= names
    assert not names & {"SECRET", "GIT_DIR", "OLDPWD", "GIT_ASKED_FOR", "PYTHONPATH", "XDG_STATE_HOME"}


def test_the_folder_of_a_command_is_its_workspace_in_fact_and_by_name(world: World):
    workspace = str(world.workspace("a.1.1"))
    assert seen_by(world, 'pwd -P; echo "$PWD"; echo "$ORCHD_WORKSPACE"; echo "$ORCHD_RUN"') == [workspace] * 3 + ["a.1.1"]


def test_the_order_adds_variables_and_they_are_not_written_down_with_the_rest(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("API_KEY", "hush-hush")
    order = RunOrder("a.1.1", world.head, (Command("c", "echo $ADDED $API_KEY", 30.0),), False, env=(("ADDED", "yes"),))
    world.runs.start(order, Config(env=("API_KEY",)))
    world.end("a.1.1")
    assert list(read_log(world.place, "a.1.1")) == [b"yes hush-hush\n"]
    kept = b"".join(path.read_bytes() for path in world.folder("a.1.1").iterdir() if path.name != "out.log")
    assert b"hush-hush" not in kept


def test_a_command_has_no_input_and_a_session_of_its_own_and_default_signals(world: World, request: pytest.FixtureRequest):
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        old = signal.signal(number, signal.SIG_IGN)  # as `nohup`, or `&` in a script, leaves them
        request.addfinalizer(functools.partial(signal.signal, number, old))
    line = "cat; cut -d' ' -f1,6 /proc/self/stat; echo $$; grep -E 'Sig(Ign|Blk)' /proc/self/status"
    stat, shell, blocked, ignored = seen_by(world, line)
    assert stat.split()[1] == shell
    assert int(blocked.split()[1], 16) == 0
    # make starts its children with 32 and 33 ignored: the C library keeps these two for itself
    assert int(ignored.split()[1], 16) & ~0x180000000 == 0


def test_a_command_inherits_no_open_file(world: World):
    assert seen_by(world, "ls /proc/self/fd | wc -l") == ["4"]


def test_the_sandbox_says_honestly_that_there_is_none():
    assert NoSandbox().name == "none (agents run unsandboxed, with your rights)"
    assert NoSandbox().wrap(["a", "b"], "/w") == ("a", "b")


def test_a_supervisor_imports_the_standard_library_and_its_light_neighbours_only():
    code = (
        "import sys; sys.path.append(sys.argv[1]); import orchd.adapters.supervisor\n"
        "print(*(n for n, m in sys.modules.items() if 'site-packages' in (getattr(m, '__file__', '') or '')), '|')\n"
        "print(*(n for n in sys.modules if n in ('dataclasses', 'subprocess', 'asyncio', 'inspect', 'threading')))"
    )
    packages = str(Path(sys.modules["orchd"].__file__ or "").parents[1])
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code, packages], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["|"]
