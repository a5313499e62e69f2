"""Main's tip, and the refs that hold the bases of open tasks.

Rule: a clean-up of the repository can never remove a commit that an open task was started from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.past import pick_unchanged, read_past
from orchd.errors import ConfigError
from orchd.model.ids import KEEP_PREFIX, Oid, TaskId, keep_ref
from orchd.model.snapshot import PastLanding


class GitRefs:
    """`Refs` in git. Only this daemon writes keep refs, so they are listed once."""

    def __init__(self, repo: GitRepo, branch: str) -> None:
        self._repo = repo
        self._branch = branch
        self._past: Mapping[TaskId, PastLanding] | None = None
        self._kept = {name.removeprefix(KEEP_PREFIX) for name in repo.refs.names(KEEP_PREFIX)}

    @property
    def branch(self) -> str:
        """The short name of the branch that tasks land on."""
        return self._branch

    def main(self) -> Oid:
        """The tip of the branch that tasks land on. Raises ConfigError when it does not exist."""
        tip = self._repo.refs.read(main_ref(self._branch))
        if not tip:
            raise ConfigError(
                f"there is no branch {self._branch!r}", "make a first commit on it, or name another one in the config"
            )
        return tip

    def past(self, main: Oid, paths: Mapping[TaskId, str]) -> Mapping[TaskId, PastLanding]:
        """Those tasks that checkpoints on `main` say have landed; the history is read once, when the first is asked for."""
        if paths and self._past is None:
            self._past = read_past(self._repo, main)
        return pick_unchanged(self._repo, main, self._past, paths) if self._past else {}

    def kept(self) -> frozenset[TaskId]:
        """Tasks whose base is held."""
        return frozenset(self._kept)

    def keep(self, task: TaskId, base: Oid) -> None:
        """Hold `base` for `task`, whatever was held before."""
        self._repo.refs.force(keep_ref(task), base)
        self._kept.add(task)

    def release(self, tasks: Iterable[TaskId]) -> None:
        """Delete keep refs, all in one process."""
        gone = set(tasks) & self._kept
        self._repo.refs.delete(map(keep_ref, sorted(gone)))
        self._kept -= gone


def main_ref(branch: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{branch}"
