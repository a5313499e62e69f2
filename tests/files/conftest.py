"""A checkout without git history, a bare repository with some, and a clock that only moves when told to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from file_world import GOOD, LONG_AGO, Clock

from orchd.adapters.place import Place
from orchd.adapters.task_files import CheckoutTaskFiles


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "t")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@localhost")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    checkout = tmp_path / "checkout"
    for folder in ("tasks", "inbox"):
        (checkout / ".orch" / folder).mkdir(parents=True)
    (checkout / ".git").mkdir()
    return Place(checkout / ".git", checkout, tmp_path / "state")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def open_files(place: Place, clock: Clock) -> Callable[[], CheckoutTaskFiles]:
    return lambda: CheckoutTaskFiles(place, lambda: 3600.0, clock.monotonic, lambda: LONG_AGO + 10.0)


@pytest.fixture
def write(place: Place) -> Callable[..., Path]:
    """Writes a file below `.orch`; `age` is how many seconds before the wall clock of `open_files` it was written."""

    def write(name: str, text: str = GOOD, age: float = 10.0) -> Path:
        assert place.checkout is not None
        path = place.checkout / ".orch" / name
        path.write_bytes(text.encode())
        moment = LONG_AGO + 10.0 - age
        os.utime(path, (moment, moment))
        return path

    return write


@pytest.fixture
def commit_bare(tmp_path: Path) -> Callable[[Mapping[str, str]], tuple[Place, str]]:
    """Makes a bare repository whose main has these files, with real git; again: another commit in the same one."""

    def git(*arguments: str, stdin: str = "") -> str:
        bare = tmp_path / "bare.git"
        done = subprocess.run(["git", "-C", str(bare), *arguments], input=stdin, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(texts: Mapping[str, str]) -> tuple[Place, str]:
        bare = tmp_path / "bare.git"
        if not bare.exists():
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
        git("read-tree", "--empty")
        for path, text in texts.items():
            mode = "120000" if text.startswith("->") else "100644"
            oid = git("hash-object", "-w", "--stdin", stdin=text)
            git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")
        return Place(bare, None, tmp_path / "state"), git("commit-tree", "-m", "x", git("write-tree"))

    return commit
