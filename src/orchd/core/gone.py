"""Landings that are gone: the branch does not contain them any more, because somebody set it back. What needs one of them
waits, for it would start without that work.

Rule: the state knows them, so a decision asks nobody. Clients import this, so it stays light.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchd.model.ids import Oid, TaskId, number_of
from orchd.model.save import Save, Target
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

UNBEGUN = frozenset({Status.WAITING, Status.WITHDRAWN, Status.CANCELLED})
"""Where a task is that was asked for again and has not begun: until then its landing is the last that came of it."""


def list_landings(state: State) -> dict[TaskId, Oid]:
    """The commit that landed each task, as far as the branch should contain it; also of the save that has just landed."""
    landed = {name: task.commit for name, task in state.tasks.items() if task.commit and _has_landed(task)}
    return landed | (_list_saved(state.save) if state.save else {})


def find_newest(state: State) -> Oid:
    """The last landing; empty when there is none. Whatever the branch held then, this one leads to."""
    landed = (task for task in state.tasks.values() if task.status is Status.LANDED and task.commit)
    return max(((number_of(task.checkpoint), task.commit) for task in landed), default=(0, ""))[1]


def list_lost(needs: Collection[TaskId], known: Mapping[TaskId, Task], gone: Collection[TaskId]) -> tuple[TaskId, ...]:
    """Those of `needs` that are gone, and that nobody does again."""
    return tuple(name for name in needs if name in gone and name in known and known[name].status is Status.LANDED)


def find_gone(commit: Oid, state: State) -> Task | None:
    """A task that landed with `commit`, if that is gone."""
    return next((state.tasks[name] for name in sorted(state.gone) if state.tasks[name].commit == commit), None)


def is_there(task: Task, gone: Collection[TaskId]) -> bool:
    """Whether a task has landed and the branch still has it: then there is nothing to do again."""
    return task.status is Status.LANDED and task.spec.id not in gone


def tell_lost(checkpoint: str, branch: str) -> str:
    """Why a checkpoint can be neither undone nor landed again, and what brings it back."""
    return f"{branch} does not contain {checkpoint} any more: `git merge {checkpoint}` on {branch} brings it back"


def _has_landed(task: Task) -> bool:
    """Also what waits to be done again. What has begun has no checkpoint until it lands."""
    return task.status is Status.LANDED or (bool(task.checkpoint) and task.status in UNBEGUN)


def _list_saved(save: Save) -> dict[TaskId, Oid]:
    there = save.commit and save.target is Target.MAIN
    return {link.item.task: save.commit for link in save.chain[: save.lands]} if there else {}
