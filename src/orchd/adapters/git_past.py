"""What a prompt tells of the past: what tasks have changed that another one builds on, and what runs have printed.

Rule: it only reads, and what is gone is left out: a prompt is better without it than an attempt that does not start.
"""

from __future__ import annotations

from collections import deque

from orchd.adapters.agent_log import tell_log
from orchd.adapters.evidence import read_log
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import diff_trees
from orchd.core.inert import plain
from orchd.errors import OrchdError
from orchd.model.ids import RunId
from orchd.model.limits import CHANGED_FILES, RECALLED_LINES
from orchd.model.prompt import Ask, Finished, Need, Recalled


class GitPast:
    """Port `Past`."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo

    def recall(self, ask: Ask) -> Recalled:
        """See the port."""
        made = tuple(self._list_changed(one) if one.tip else () for one in ask.finished)
        return Recalled(tuple(map(self._list_changed, ask.needs)), tuple(map(self._read_end, ask.runs)), made)

    def _list_changed(self, need: Need | Finished) -> tuple[str, ...]:
        try:
            trees = self._repo.tree_of(need.base), self._repo.tree_of(need.tip)
            return tuple(change.path for change in diff_trees(self._repo, *trees, CHANGED_FILES).paths)
        except (OrchdError, ValueError, KeyError):
            return ()

    def _read_end(self, run: RunId) -> str:
        place = self._repo.place
        try:
            lines = deque(tell_log(place, run, read_log(place, run)), RECALLED_LINES)
        except OSError:
            return ""
        return "".join(plain(line) for line in lines)
