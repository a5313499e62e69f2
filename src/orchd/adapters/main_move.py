"""Moving main together with the checkouts that show it, so that a kill at any point is repaired at the next look.

What is about to be moved is recorded first. Repairing always takes an interrupted checkout to the end of its move and
from there to what its HEAD says. Rule: main itself moves last, by compare-and-swap; it alone says what has landed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchd.adapters.checkout import Checkout, find_checkouts, heal_checkout, judge_checkout, left_behind
from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import remove_quietly, write_durably
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import PathChange, diff_trees
from orchd.adapters.locks import remove_stale, runs_git_in
from orchd.errors import GitError
from orchd.model.ids import Oid
from orchd.model.save import Hold

RECORD = "moving.json"


@dataclass(frozen=True, slots=True)
class Moving:
    """A move of main that began: from tree to tree, and the checkouts (folder and git directory) that take part."""

    old: Oid
    new: Oid
    checkouts: tuple[tuple[str, str], ...]


class MainMove:
    """The branch that tasks land on, and everything that shows it."""

    def __init__(self, repo: GitRepo, branch: str) -> None:
        self._repo = repo
        self._branch = branch
        self._record = repo.place.orch / RECORD

    def judge(self, old: Oid, new: Oid, locks: str = "0") -> tuple[Hold | None, tuple[str, ...]]:
        """What stands against moving the checkouts from tree `old` to `new`. Repairs an interrupted move first."""
        self.settle()
        changes = self._changes(old, new)
        judged = (judge_checkout(one, changes, locks) for one in find_checkouts(self._repo, self._branch))
        return next((found for found in judged if found[0] is not None), (None, ()))

    def move(self, base: Oid, commit: Oid, reflog: str) -> bool:
        """Move clean checkouts, then main from `base` to `commit`. False: main was no longer at `base`; all is as it was.

        Raises GitError when a checkout turned out not to be clean; the next `settle` puts back what had moved.
        """
        checkouts = find_checkouts(self._repo, self._branch)
        old, new = self._repo.tree_of(base), self._repo.tree_of(commit)
        places = tuple((str(one.folder), str(one.git_dir)) for one in checkouts)
        write_durably(self._record, dumps(encode(Moving(old, new, places))))
        for checkout in checkouts:
            checkout.follow(old, new)
        moved = self._repo.refs.move(main_ref(self._branch), base, commit, reflog)
        if not moved:
            for checkout in checkouts:
                checkout.follow(new, "HEAD")
        remove_quietly(self._record)
        return moved

    def settle(self) -> bool:
        """Repair an interrupted move. False when it must wait: a git command runs there, or a person's bytes are in the way."""
        try:
            moving = decode(Moving, json.loads(self._record.read_bytes()))
        except FileNotFoundError:
            return True
        remove_stale([self._repo.place.git_dir / f"{main_ref(self._branch)}.lock"])
        changes = self._changes(moving.old, moving.new)
        checkouts = [Checkout(Path(folder), Path(git_dir)) for folder, git_dir in moving.checkouts]
        present = [one for one in checkouts if one.folder.is_dir() and one.git_dir.is_dir()]
        settled = [self._settle_checkout(one, moving, changes) for one in present]
        if all(settled):
            remove_quietly(self._record)
        return all(settled)

    def _settle_checkout(self, checkout: Checkout, moving: Moving, changes: Sequence[PathChange]) -> bool:
        lock = checkout.git_dir / "index.lock"
        if lock.exists() and (runs_git_in(checkout.folder) or not remove_stale([lock])):
            return False
        if not checkout.list_dirty() and not left_behind(self._repo, checkout, changes):
            return True
        try:
            return heal_checkout(self._repo, checkout, changes, moving.old, moving.new)
        except GitError:
            return False

    def _changes(self, old: Oid, new: Oid) -> tuple[PathChange, ...]:
        return diff_trees(self._repo, old, new).paths
