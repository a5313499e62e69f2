"""Moving main together with the checkouts that show it, so that a kill at any point is repaired at the next look.

What is about to be moved is recorded first, then every checkout is locked, judged and moved aside. Rule: main moves by
compare-and-swap and alone says what has landed; a checkout's index is published after it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

from orchd.adapters.checkout import (
    Checkout,
    Judged,
    ask_git,
    find_checkouts,
    find_locked,
    judge_checkout,
    list_checkouts,
    shows_branch,
)
from orchd.adapters.checkout_repair import Repair
from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import remove_quietly, write_durably
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import PathChange, diff_trees
from orchd.adapters.index_lock import lock_all, publish_index, unlock, with_copy
from orchd.adapters.locks import remove_stale
from orchd.core.inert import inert
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.save import Hold

RECORD = "moving.json"
SWITCH_SECONDS = 0.5
"""How long to wait for a git command that began beside us; it may be switching to main."""
POLL_SECONDS = 0.01


class Moved(Enum):
    """How a move ended. LOST: main was no longer at its base, or HEAD moved away. HELD: a checkout is not clean. Both: all
    is as it was."""

    DONE = 1
    LOST = 2
    HELD = 3


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
        repo.place.orch.mkdir(parents=True, exist_ok=True)

    def judge(self, old: Oid, new: Oid) -> Judged:
        """What stands against moving the checkouts from tree `old` to `new`. Repairs an interrupted move first."""
        if stuck := self.settle():
            return Hold.DIRTY, (f"an interrupted move cannot be repaired: {inert(stuck)}",)
        checkouts = find_checkouts(self._repo, self._branch)
        judged = (self._look(one, old, new) for one in checkouts)
        return _first((find_locked(list_checkouts(self._repo)), *judged))

    def move(self, base: Oid, commit: Oid, reflog: str) -> Moved:
        """Move clean checkouts, and main from `base` to `commit`. Raises GitError when git fails though nothing is in the
        way; what had moved is put back, now or by the next `settle`."""
        if self.settle() or find_locked(list_checkouts(self._repo))[0] is not None:
            return Moved.HELD
        checkouts = find_checkouts(self._repo, self._branch)
        moving = Moving(self._repo.tree_of(base), self._repo.tree_of(commit), _places(checkouts))
        write_durably(self._record, dumps(encode(moving)))
        try:
            moved = self._move_locked(moving, checkouts, (base, commit, reflog))
        except GitError:
            self.settle()
            if self.judge(moving.old, moving.new)[0] is None:
                raise
            return Moved.HELD
        if moved is Moved.DONE:
            self._catch_up(moving)
        else:
            remove_quietly(self._record)
        return moved

    def settle(self) -> str:
        """Repair an interrupted move. What stands in the way (a git command that runs, a person's bytes); empty: nothing."""
        try:
            moving = decode(Moving, json.loads(self._record.read_bytes()))
            since_seconds = self._record.stat().st_mtime
        except FileNotFoundError:
            return ""
        remove_stale([self._repo.place.git_dir / f"{main_ref(self._branch)}.lock"])
        changes = self._changes(moving)
        checkouts = [Checkout(Path(folder), Path(git_dir)) for folder, git_dir in moving.checkouts]
        present = [one for one in checkouts if one.folder.is_dir() and one.git_dir.is_dir()]
        stuck = [Repair(self._repo, one, changes, since_seconds).run() for one in present]
        if not any(stuck):
            remove_quietly(self._record)
        return ", ".join(filter(None, stuck))

    def _look(self, checkout: Checkout, old: Oid, new: Oid) -> Judged:
        with with_copy(checkout) as copy:
            judged = judge_checkout(copy, diff_trees(self._repo, old, new).paths)
            return judged if judged[0] is not None else ask_git(copy, old, new)

    def _move_locked(self, moving: Moving, checkouts: Sequence[Checkout], order: tuple[Oid, Oid, str]) -> Moved:
        locked = lock_all(checkouts)
        if locked is None:
            return Moved.HELD
        moved = self._judge_locked(moving, locked)
        if moved is Moved.DONE:
            moved = self._move_all(moving, locked, order)
        for checkout in locked:
            unlock(checkout)
        return moved

    def _judge_locked(self, moving: Moving, locked: Sequence[Checkout]) -> Moved:
        if not all(shows_branch(self._repo, one, self._branch) for one in locked):
            return Moved.LOST
        changes = self._changes(moving)
        held = _first(judge_checkout(one, changes) for one in locked)[0] is not None
        return Moved.HELD if held else Moved.DONE

    def _move_all(self, moving: Moving, locked: Sequence[Checkout], order: tuple[Oid, Oid, str]) -> Moved:
        """Files and copies of the index, then main, then the index. A checkout whose HEAD left main goes back."""
        for checkout in locked:
            checkout.follow(moving.old, moving.new)
        moved = self._repo.refs.move(main_ref(self._branch), *order)
        for checkout in locked:
            if not moved or not shows_branch(self._repo, checkout, self._branch):
                checkout.follow(moving.new, moving.old)
            publish_index(checkout)
        return Moved.DONE if moved else Moved.LOST

    def _catch_up(self, moving: Moving) -> None:
        """Checkouts that came to show main while it moved have its old tree: for `settle` their move was interrupted."""
        known = {folder for folder, _ in moving.checkouts}
        stop = time.monotonic() + SWITCH_SECONDS
        while find_locked(self._others(known))[0] is not None and time.monotonic() < stop:
            time.sleep(POLL_SECONDS)
        late = tuple(one for one in self._others(known) if shows_branch(self._repo, one, self._branch))
        if late:
            write_durably(self._record, dumps(encode(replace(moving, checkouts=_places(late)))))
            self.settle()
        else:
            remove_quietly(self._record)

    def _others(self, known: Collection[str]) -> tuple[Checkout, ...]:
        return tuple(one for one in list_checkouts(self._repo) if str(one.folder) not in known)

    def _changes(self, moving: Moving) -> tuple[PathChange, ...]:
        return diff_trees(self._repo, moving.old, moving.new).paths


def _places(checkouts: Iterable[Checkout]) -> tuple[tuple[str, str], ...]:
    return tuple((str(one.folder), str(one.git_dir)) for one in checkouts)


def _first(judged: Iterable[Judged]) -> Judged:
    return next((found for found in judged if found[0] is not None), (None, ()))
