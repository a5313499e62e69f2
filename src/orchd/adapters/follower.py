"""Our own branch, which follows the shared remote's. Rule: forward only, and never over what a person has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.main_move import MainMove
from orchd.model.ids import Oid
from orchd.model.tenure import Follow

TOLD: Mapping[Follow, str] = {
    Follow.HELD: "{branch} is behind the remote's, and a checkout is in the way: commit or stash what you changed there",
    Follow.APART: "{branch} has commits that the remote lacks: tasks start from the remote's and do not see them; push them",
}


class Follower:
    """The branch and its checkouts. `tell` says to people why it does not follow, once for each change."""

    def __init__(self, repo: GitRepo, branch: str, tell: Callable[[str], None]) -> None:
        self._repo = repo
        self._branch = branch
        self._tell = tell
        self._move = MainMove(repo, branch)
        self._last = Follow.LEVEL
        self._apart: tuple[Oid, Oid] = ("", "")

    def look(self, main: Oid) -> Follow:
        """How it stands to the remote's `main` (empty: never seen)."""
        follow = self._judge(self._repo.refs.read(main_ref(self._branch)), main)
        if follow is not self._last and follow in TOLD:
            self._tell(TOLD[follow].format(branch=self._branch))
        self._last = follow
        return follow

    def follow(self, main: Oid) -> None:
        """Move it and its clean checkouts forward to `main`, if it is behind and nothing is in the way."""
        here = self._repo.refs.read(main_ref(self._branch))
        if here != main and self._repo.contains(main, here):
            self._move.move(here, main, "orchd: follow the shared remote")

    def _judge(self, here: Oid, main: Oid) -> Follow:
        if not main or here == main:
            return Follow.LEVEL
        if self._apart == (here, main) or not self._repo.contains(main, here):
            self._apart = (here, main)
            return Follow.APART
        held = self._move.judge(self._repo.tree_of(here), self._repo.tree_of(main))[0]
        return Follow.BEHIND if held is None else Follow.HELD
