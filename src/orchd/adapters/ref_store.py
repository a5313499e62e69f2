"""Refs: read, compare-and-swap, delete.

`references.create`, `create_branch` and `create_tag` of the library are not create-only under a race (several win), and
reading before locking loses updates. Rule: lock, then read, then compare, then set. Nothing is deleted or packed through
the library, which loses unrelated refs while somebody packs.
"""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterable
from pathlib import Path

import pygit2

from orchd.adapters.git_run import Git
from orchd.adapters.locks import OWN_FOLDERS, STALE_SECONDS, remove_stale
from orchd.adapters.unsynced import Unsynced
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.limits import RACE_RETRY_SECONDS

HELD_LOCK = re.compile(
    "failed to lock file|failed to create locked file|cannot lock ref|is locked|already locked", re.IGNORECASE
)
"""What the library says when somebody else holds the lock; it has no type for it."""

SHORTEST_WAIT_SECONDS = 0.001
LONGEST_WAIT_SECONDS = 0.032


@dataclass(frozen=True, slots=True)
class RefStore:
    """The refs of one repository, by full name."""

    git_dir: Path
    library: pygit2.Repository
    git: Git
    unsynced: Unsynced

    def read(self, name: str) -> Oid:
        """What `name` points at, read now; empty when it does not exist."""
        found = self.library.references.get(name)
        return str(found.target) if found is not None else ""

    def move(self, name: str, old: Oid, new: Oid, reflog: str = "") -> bool:
        """Move `name` from `old` (empty: create it) to `new`, or return False because it is not at `old`.

        Objects are durable before. A held lock is waited for. Raises GitError when it stays held, or when the name is
        impossible.
        """
        self.unsynced.sync()
        begun = time.monotonic()
        for tries in itertools.count():
            try:
                return self._compare_and_set(name, old, new, reflog)
            except pygit2.GitError as error:
                self._bear_lock(name, error, time.monotonic() - begun)
            time.sleep(random.uniform(0, _bound_seconds(tries)))  # noqa: S311 - jitter, no secret
        raise AssertionError

    def force(self, name: str, new: Oid) -> None:
        """For refs that only orchd writes: wherever it was, `name` is at `new` afterwards."""
        old = self.read(name)
        while old != new and not self.move(name, old, new):
            old = self.read(name)

    def delete(self, names: Iterable[str]) -> None:
        """Delete refs, in one process; those that do not exist are skipped."""
        lines = "".join(f"delete {name}\n" for name in names if self.read(name))
        if lines:
            self.git.run("update-ref", "--stdin", stdin=lines.encode())

    def names(self, prefix: str) -> tuple[str, ...]:
        """All names that begin with `prefix`, in order."""
        return tuple(sorted(name for name in self.library.references if name.startswith(prefix)))

    def _compare_and_set(self, name: str, old: Oid, new: Oid, reflog: str) -> bool:
        with self.library.transaction() as change:
            change.lock_ref(name)
            if self.read(name) != old:
                return False
            change.set_target(name, new, message=reflog or None)
        return True

    def _bear_lock(self, name: str, error: pygit2.GitError, waited_seconds: float) -> None:
        if not HELD_LOCK.search(str(error)) or waited_seconds > RACE_RETRY_SECONDS:
            raise GitError(f"cannot move {name}: {error}", f"remove {name}.lock if no git process is running") from error
        if waited_seconds > STALE_SECONDS and name.startswith(OWN_FOLDERS):
            remove_stale([self.git_dir / f"{name}.lock"])


def _bound_seconds(tries: int) -> float:
    return min(LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS * float(1 << min(tries, 10)))
