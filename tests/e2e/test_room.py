"""A full disk is no verdict on a task: its save waits for room, says so, and goes on by itself. On a real small disk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from stories import Repo, wait_until

from orchd.adapters.room import was_starved

CONFIG = "limits: {free_disk: 0}\ngates:\n  - {name: big, run: '%s', retries: 0}\n"


@pytest.fixture
def disk(repo: Repo) -> Iterator[Path]:
    """64 MiB, on which the workspaces are."""
    folder = Path(repo.env["XDG_STATE_HOME"])
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def hold_of(repo: Repo) -> list[str]:
    return [one["step"] for one in repo.data("status")["saves"]]  # type: ignore[index]


@pytest.mark.slow
def test_a_save_waits_for_room_and_goes_on_by_itself(repo: Repo, disk: Path) -> None:
    go = repo.top.parent / "go"
    repo.commit("a gate", _dot_orch__config_dot_yaml=CONFIG % "true")
    repo.task("one", f"until test -e {go}; do sleep 0.05; done; echo 1 > one.txt", claims=["one.txt"])
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: [row["task"] for row in repo.data("ps")] == ["one"], "the task")  # type: ignore[attr-defined]
        assert not was_starved("", [str(disk)])
        filler = disk / "filler"
        filler.write_bytes(b"x" * (45 << 20))
        assert was_starved("", [str(disk)])
        go.touch()
        wait_until(lambda: hold_of(repo) == ["gating 1 of 1, held: no-room"], "the hold")
        subjects = [need["subject"] for need in repo.data("status")["needs_you"]]  # type: ignore[index]
        assert subjects == ["disk", "one"]
        assert (repo.status("one"), repo.checkpoints()) == ("saving", [])
        filler.unlink()
        wait_until(lambda: repo.status("one") == "landed", "the landing")
    finally:
        daemon.terminate()
        daemon.wait(30)


@pytest.mark.slow
def test_a_gate_that_fills_the_disk_says_nothing_about_the_task(repo: Repo, disk: Path) -> None:
    repo.commit("a gate", _dot_orch__config_dot_yaml=CONFIG % "head -c 80M /dev/zero > big")
    repo.task("one", "echo 1 > one.txt", claims=["one.txt"])
    repo.orchd("run", code=None)
    assert hold_of(repo) == ["gating 1 of 1, held: no-room"]
    assert repo.status("one") == "saving"
    assert "want room for gates" in repo.orchd("op", "log")
    repo.commit("a gate that needs less", _dot_orch__config_dot_yaml=CONFIG % "true")
    repo.orchd("run")
    assert repo.status("one") == "landed"


def test_words_of_git_about_room_are_understood() -> None:
    assert was_starved("fatal: write error: No space left on device", ())
    assert was_starved("error: Disk quota exceeded", ())
    assert not was_starved("fatal: not a tree", ())
