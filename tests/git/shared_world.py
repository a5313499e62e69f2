"""Two clones of a bare repository, and the shared remote as each of them holds it open."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from git_world import commit, git

from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_shared import GitShared
from orchd.adapters.place import Place, find_place
from orchd.adapters.shared_open import open_shared
from orchd.model.config import Config

T = TypeVar("T")
PATIENCE_SECONDS = 30.0


def wait_for(condition: Callable[[], T]) -> T:
    """What the condition gives once it is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


class Ears:
    """Hears what people would be told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def notice(self, text: str, word: str = "") -> None:
        self.heard.append(text)


class GitFamily:
    """A bare repository and its clones by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bare = folder / "shared.git"
        start = folder / "start"
        start.mkdir()
        git(start, "init", "-q", "-b", "main")
        commit(start, {"a.txt": "one\n"})
        git(folder, "clone", "-q", "--bare", str(start), str(self.bare))
        self.ears: dict[str, Ears] = {}
        self._opened: list[GitShared] = []

    def top(self, name: str) -> Path:
        if not (self.folder / name).exists():
            git(self.folder, "clone", "-q", str(self.bare), str(self.folder / name))
        return self.folder / name

    def place(self, name: str) -> Place:
        return find_place(self.top(name))

    def open(self, name: str, takeover_seconds: float = 0.5) -> GitShared:
        place = self.place(name)
        ears = self.ears.setdefault(name, Ears())
        config = Config(remote="origin", takeover_seconds=takeover_seconds)
        shared = open_shared(place, open_repo(place), "main", config, ears, lambda: None)
        self._opened.append(shared)
        return shared

    def close(self) -> None:
        for shared in self._opened:
            shared.close()

    def cut(self, name: str) -> None:
        git(self.top(name), "remote", "set-url", "origin", str(self.folder / "nowhere.git"))

    def heal(self, name: str) -> None:
        git(self.top(name), "remote", "set-url", "origin", str(self.bare))
