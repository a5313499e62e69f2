"""Main's tip, what main has lost, and the refs that hold the bases of open tasks.

Rule: a clean-up of the repository can never remove a commit that an open task was started from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.past import Past, pick_unchanged, read_on, read_past
from orchd.adapters.place import refuse_shallow
from orchd.core.gone import find_newest, list_landings
from orchd.errors import ConfigError
from orchd.model.ids import KEEP_PREFIX, Oid, TaskId, keep_ref
from orchd.model.snapshot import PastLanding, State


class GitRefs:
    """`Refs` in git. Only this daemon writes keep refs, so they are listed once."""

    def __init__(self, repo: GitRepo, branch: str) -> None:
        self._repo = repo
        self._branch = branch
        self._main: Oid = ""
        self._gone = frozenset[TaskId]()
        self._past: Past = {}
        self._read: Oid = ""
        self._lost = frozenset[TaskId]()
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
        """See the port; the history is read when the first is asked for, and later only what main has got since."""
        if paths and main != self._read:
            refuse_shallow(self._repo.place)
            grew = self._read and self._repo.contains(main, self._read)
            self._past = read_on(self._repo, self._past, main, self._read) if grew else read_past(self._repo, main)
            self._read = main
        found = pick_unchanged(self._repo, main, self._past, paths) if self._past else {}
        self._lost = frozenset(task for task, one in found.items() if one.lost)
        return found

    def gone(self, main: Oid, state: State) -> frozenset[TaskId]:
        """The tasks of `state` whose landing `main` does not contain; looked for when main has moved. What it had lost before
        this state knew of it is known from `past`."""
        self._gone |= self._lost & state.tasks.keys()
        if main != self._main:
            before = self._main or find_newest(state)
            grew = not before or (before in self._repo.library and self._repo.contains(main, before))
            landed = list_landings(state)
            asked = (self._gone if self._main else state.gone) & landed.keys() if grew else landed.keys()
            self._gone = self._find_gone(main, {task: landed[task] for task in asked}) if asked else frozenset()
            self._main = main
        return self._gone

    def _find_gone(self, main: Oid, landed: Mapping[TaskId, Oid]) -> frozenset[TaskId]:
        """One walk for all. What is not even an object any more is nowhere."""
        known = {commit for commit in landed.values() if commit in self._repo.library}
        asked = "".join(f"{commit}\n" for commit in (f"^{main}", *sorted(known)))
        outside = self._repo.git.run("rev-list", "--stdin", stdin=asked.encode()).decode().split() if known else ()
        lost = (set(landed.values()) - known) | known.intersection(outside)
        return frozenset(task for task, commit in landed.items() if commit in lost)

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
