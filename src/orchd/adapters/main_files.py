"""Files of a folder below `.orch`: main's, and over them the checkout's where it shows main.

Rule: what such files say holds for everybody, so one that main has is never out of sight because of what is checked out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from orchd.adapters.git_objects import FILE, FOLDER, PROGRAM
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry, read_tree
from orchd.adapters.place import Place, read_head
from orchd.adapters.plain_file import PlainFile, Refusal, Withheld, hold_folder, read_plain_file
from orchd.adapters.task_files import list_folder, refuse_folder
from orchd.model.ids import Oid
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.problem import Problem

Content: TypeAlias = bytes | Refusal | None
"""What a path has; None: it is being written."""


@dataclass(slots=True)
class MainFiles:
    """The files with one of the `suffixes` in the folder `parts`. `branch` is the one that tasks land on, `wall` gives
    seconds since 1970."""

    place: Place
    repo: GitRepo
    branch: str
    wall: Callable[[], float]
    parts: tuple[str, ...]
    suffixes: tuple[str, ...]
    _folder: Oid = ""
    _contents: dict[str, Content] = field(default_factory=dict)

    def read(self, main: Oid) -> tuple[Mapping[str, Content], tuple[Problem, ...]]:
        """What each path has, and what is wrong with the folder."""
        committed = self._read_committed(main)
        if self.place.checkout is None or read_head(self.place.checkout) != f"refs/heads/{self.branch}":
            return committed, ()
        with hold_folder(self.place.checkout, self.parts) as folder:
            if isinstance(folder, Refusal):
                return committed, (refuse_folder(self._prefix, folder),)
            return {**committed, **dict(self._read_folder(folder) if folder is not None else ())}, ()

    @property
    def _prefix(self) -> str:
        return "/".join(self.parts)

    def _read_folder(self, folder: int) -> Iterator[tuple[str, Content]]:
        for path, signature in list_folder(self._prefix, folder, self.suffixes):
            age_seconds = self.wall() - signature[1] / 1e9
            read = read_plain_file(folder, PurePosixPath(path).name)
            fresh = 0 <= age_seconds < SETTLE_SECONDS
            yield path, _content(read, fresh=fresh)

    def _read_committed(self, main: Oid) -> dict[str, Content]:
        folder = find_entry(self.repo, self.repo.tree_of(main), self._prefix)
        oid = folder.oid if folder.mode == FOLDER else ""
        if oid != self._folder:
            entries = read_tree(self.repo, oid).items() if oid else ()
            named = [(name, entry) for name, entry in entries if name.endswith(self.suffixes) and not name.startswith(".")]
            self._contents = {f"{self._prefix}/{name}": self._blob(entry.mode, entry.oid) for name, entry in named}
            self._folder = oid
        return self._contents

    def _blob(self, mode: int, oid: Oid) -> Content:
        return self.repo.read(oid) if mode in (FILE, PROGRAM) else Refusal("it is not a plain file")


def _content(read: PlainFile | Refusal | Withheld, *, fresh: bool) -> Content:
    if isinstance(read, Refusal):
        return read
    return read.content if isinstance(read, PlainFile) and not fresh else None
