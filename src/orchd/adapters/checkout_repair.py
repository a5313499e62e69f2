"""Repair of a checkout whose move was interrupted: the paths of the move are taken to what HEAD says now.

Rule: only bytes that git has are replaced. What cannot be told from a person's work stays, and the move waits.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

from orchd.adapters.checkout import LOCKED, Checkout, find_unfinished
from orchd.adapters.durable import remove_quietly
from orchd.adapters.git_objects import LINK, SUBMODULE, TreeEntry
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import ABSENT, PathChange, find_entry
from orchd.adapters.index_lock import copy_is_used, lock_again, publish_index, unlock
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import ATTIC_PREFIX, CHECKOUT

KEPT_PREFIX = f"{ATTIC_PREFIX}{CHECKOUT}/"
CUT_SECONDS = 5.0
"""A file that is only the beginning of the new one is a write that was cut off when it was made this soon after the move
began; later it is a person's."""


class Found(Enum):
    """What lies in the work tree where a path changes: nothing, the old side, the new side, the beginning of the new
    side (a write that was cut off), or something of somebody else."""

    NOTHING = 1
    OLD = 2
    NEW = 3
    CUT = 4
    FOREIGN = 5


@dataclass(frozen=True, slots=True)
class Repair:
    """An interrupted move by `changes` that began at `since_seconds`, in one checkout."""

    repo: GitRepo
    checkout: Checkout
    changes: Sequence[PathChange]
    since_seconds: float

    def run(self) -> str:
        """Repair it. What stands in the way, with nothing touched; empty when it is done."""
        if why := find_unfinished(self.checkout):
            return why
        if copy_is_used(self.checkout):
            return f"git is still at work in {self.checkout.folder}"
        locked = lock_again(self.checkout)
        if locked is None:
            return f"{LOCKED} in {self.checkout.folder}"
        try:
            return replace(self, checkout=locked).heal()
        except GitError as error:
            return str(error)
        finally:
            unlock(locked)

    def heal(self) -> str:
        """`run`, with the lock held and a copy of the index. Raises GitError."""
        head = self.checkout.run("rev-parse", "HEAD^{tree}").decode().strip()
        dirty = frozenset(self.checkout.list_dirty())
        found = self._classify()
        torn = [change for change in self.changes if self._is_torn(change, found[change.path], dirty, head)]
        entries = self._read_entries() if torn else {}
        foreign = [change.path for change in torn if _is_foreign(change, found[change.path], entries)]
        if foreign or not torn:
            return ", ".join(foreign)
        self._keep_cut([change.path for change in torn if found[change.path] is Found.CUT])
        self._go_to_head(head, {change.path: _state(change, found[change.path], entries) for change in torn})
        return ""

    def _is_torn(self, change: PathChange, what: Found, dirty: frozenset[str], head: str) -> bool:
        """Whether HEAD has something else here. What git does not track is the move's only when it has its content."""
        if change.path in dirty:
            return True
        left = change.old == ABSENT and what in (Found.NEW, Found.CUT)
        return left and find_entry(self.repo, head, change.path) == ABSENT

    def _keep_cut(self, paths: Sequence[str]) -> None:
        """Nobody will miss them, but nobody can prove it: a blob each, under a ref of its own."""
        taken = [int(name.removeprefix(KEPT_PREFIX)) for name in self.repo.refs.names(KEPT_PREFIX)]
        for number, path in enumerate(paths, max(taken, default=0) + 1):
            file = self.checkout.folder / path
            self.repo.refs.force(f"{KEPT_PREFIX}{number}", self.repo.write_blob(file.read_bytes()))
            file.unlink()

    def _go_to_head(self, head: str, states: Mapping[str, TreeEntry]) -> None:
        """Tell git what is there, then let it move from there to `head`; it verifies every file once more."""
        there = self._write_tree(head, states)
        files = [path for path, state in states.items() if state.mode != SUBMODULE]
        names = "".join(f"{path}\0" for path in files)
        self.checkout.run("update-index", "--add", "--remove", "--replace", "-z", "--stdin", stdin=os.fsencode(names))
        self.checkout.follow(there, head)
        publish_index(self.checkout)

    def _write_tree(self, head: str, states: Mapping[str, TreeEntry]) -> str:
        """The tree `head` with `states` in it, made in an index of its own."""
        other = replace(self.checkout, index=self.checkout.git_dir / "index.orchd-tree")
        gone, there = ([one for one in states.items() if bool(one[1].oid) is made] for made in (False, True))
        lines = "".join(f"{state.mode:o} {state.oid or '0' * 40}\t{path}\0" for path, state in (*gone, *there))
        try:
            other.run("read-tree", head)
            other.run("update-index", "--add", "--replace", "-z", "--index-info", stdin=os.fsencode(lines))
            return other.run("write-tree").decode().strip()
        finally:
            remove_quietly(other.git_dir / "index.orchd-tree")

    def _read_entries(self) -> dict[str, TreeEntry]:
        said = self.checkout.run("ls-files", "--stage", "-z").decode("utf-8", "surrogateescape")
        rows = (row.partition("\t") for row in said.split("\0") if row)
        return {path: TreeEntry(int(facts[:6], 8), facts[7:47]) for facts, _, path in rows}

    def _classify(self) -> dict[str, Found]:
        folder = self.checkout.folder
        files = [change.path for change in self.changes if _is_file(folder / change.path) and "\n" not in change.path]
        lines = os.fsencode("".join(f"{path}\n" for path in files))
        ids = dict(zip(files, self.checkout.run("hash-object", "--stdin-paths", stdin=lines).decode().split(), strict=True))
        return {change.path: self._compare(change, ids.get(change.path, "")) for change in self.changes}

    def _compare(self, change: PathChange, oid: str) -> Found:
        path = self.checkout.folder / change.path
        if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
            return Found.NOTHING
        for side, what in ((change.new, Found.NEW), (change.old, Found.OLD)):
            if _is_link(self.repo, path, side) or (side.mode != LINK and oid == side.oid != ""):
                return what
        return Found.CUT if oid and self._is_cut(path, change) else Found.FOREIGN

    def _is_cut(self, path: Path, change: PathChange) -> bool:
        late_seconds = path.stat().st_mtime - self.since_seconds
        in_time = abs(late_seconds) <= CUT_SECONDS
        return in_time and bool(change.new.oid) and self.repo.read(change.new.oid).startswith(path.read_bytes())


def _is_foreign(change: PathChange, what: Found, entries: Mapping[str, TreeEntry]) -> bool:
    return what is Found.FOREIGN or entries.get(change.path, ABSENT) not in (change.old, change.new)


def _state(change: PathChange, what: Found, entries: Mapping[str, TreeEntry]) -> TreeEntry:
    """What is there now. git never touches the files of a submodule, so its entry is all there is."""
    if SUBMODULE in (change.old.mode, change.new.mode):
        return entries.get(change.path, ABSENT)
    return {Found.NEW: change.new, Found.OLD: change.old}.get(what, ABSENT)


def _is_link(repo: GitRepo, path: Path, side: TreeEntry) -> bool:
    return side.mode == LINK and path.is_symlink() and os.fsencode(path.readlink()) == repo.read(side.oid)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
