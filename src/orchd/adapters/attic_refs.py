"""The attic: refs that keep work which was not accepted, was replaced, or would be lost."""

from __future__ import annotations

import itertools

from orchd.adapters.git_repo import GitRepo
from orchd.model.ids import Oid, TaskId, attic_ref


def keep_in_attic(repo: GitRepo, task: TaskId, tip: Oid) -> str:
    """The attic ref of `task` that holds `tip`; a new one at the first free number when there is none."""
    for number in itertools.count(1):
        name = attic_ref(task, number)
        if repo.refs.read(name) == tip or repo.refs.move(name, "", tip):
            return name
    raise AssertionError
