"""While orchd serves, `git gc` keeps away; afterwards, and after a kill, it may run."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest
from stories import Repo, wait_until

from orchd.adapters import gc_guard
from orchd.adapters.gc_guard import keep_gc_away
from orchd.adapters.place import Place
from orchd.errors import Busy


def gc(repo: Repo) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "gc", "--prune=now"], cwd=repo.top, env=repo.env, capture_output=True, text=True, check=False)


def write_blob(repo: Repo) -> str:
    return subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=repo.top,
        env=repo.env,
        input="new\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_fresh_object_survives_gc_while_orchd_serves(repo: Repo, place: Place) -> None:
    with keep_gc_away(place):
        oid = write_blob(repo)
        refused = gc(repo)
        assert refused.returncode != 0 and "already running" in refused.stderr
        assert repo.git("cat-file", "-t", oid) == "blob"
    assert gc(repo).returncode == 0


def test_without_the_guard_gc_takes_what_was_just_written(repo: Repo) -> None:
    """The twin: an object between being written and being referred to."""
    oid = write_blob(repo)
    assert gc(repo).returncode == 0
    assert "could not" in repo.git("cat-file", "-t", oid, check=False) or not repo.git("cat-file", "-t", oid, check=False)


def test_the_guard_of_a_killed_orchd_is_replaced(repo: Repo, place: Place) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    (place.git_dir / "gc.pid").write_text(f"{child.pid} {socket.gethostname()}")
    with keep_gc_away(place):
        assert str(os.getpid()) in (place.git_dir / "gc.pid").read_text()


def test_a_running_gc_is_waited_for_and_never_overwritten(repo: Repo, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc_guard, "WAIT_SECONDS", 0.3)
    (place.git_dir / "gc.pid").write_text(f"{os.getppid()} {socket.gethostname()}")
    with pytest.raises(Busy, match="git gc"), keep_gc_away(place):
        pass
    assert (place.git_dir / "gc.pid").read_text().startswith(str(os.getppid()))


def test_the_daemon_holds_it_while_it_serves(repo: Repo, place: Place) -> None:
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: repo.data("status")["server"], "the daemon serves")
        wait_until((place.git_dir / "gc.pid").exists, "the guard")
        assert gc(repo).returncode != 0
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
    assert gc(repo).returncode == 0
