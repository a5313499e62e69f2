"""Predicted conflicts: how they are told, and the order of merging that leaves the fewest tasks held. Clients use it: light."""

from __future__ import annotations

import graphlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from orchd.core.inert import inert
from orchd.model.ids import TaskId
from orchd.model.snapshot import Conflict
from orchd.model.work import Task

MAIN = "main"
"""The other side where it is no task."""

_SHOWN_PATHS = 3


def order_merges(tasks: Iterable[Task], conflicts: Iterable[Conflict]) -> list[Task]:
    """What others need first; then by the number of predicted conflicts, so that one task that is in the way of many is held
    and not the many; then by priority and arrival."""
    specs = {task.spec.id: task.spec for task in tasks}
    degrees = count_conflicts(specs, conflicts)
    levels = find_levels({name: spec.needs + spec.after for name, spec in specs.items()})
    return sorted(tasks, key=lambda t: (levels[t.spec.id], degrees[t.spec.id], -t.spec.priority, t.order))


def count_conflicts(tasks: Collection[TaskId], conflicts: Iterable[Conflict]) -> Counter[TaskId]:
    """With how many others of `tasks` each of them is predicted to conflict."""
    pairs = [(found.task, found.other) for found in conflicts if found.task in tasks and found.other in tasks]
    return Counter(task for pair in pairs for task in pair)


def find_levels(edges: Mapping[TaskId, Sequence[TaskId]]) -> dict[TaskId, int]:
    """How many of these tasks must come before each, one after the other. There must be no circle among them."""
    levels: dict[TaskId, int] = {}
    within = {task: [other for other in others if other in edges] for task, others in edges.items()}
    for task in graphlib.TopologicalSorter(within).static_order():
        levels[task] = 1 + max((levels[other] for other in within[task]), default=-1)
    return levels


def tell_conflicts(task: TaskId, conflicts: Iterable[Conflict]) -> tuple[str, ...]:
    """One line for each other side."""
    mine = (found for found in conflicts if task in (found.task, found.other))
    return tuple(f"will conflict with {_name_other(found, task)} in {tell_paths(found.paths)}" for found in mine)


def tell_paths(paths: Sequence[str]) -> str:
    """The first few."""
    more = f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    return ", ".join(map(inert, paths[:_SHOWN_PATHS])) + more


def _name_other(found: Conflict, task: TaskId) -> str:
    return (found.other or MAIN) if found.task == task else found.task
