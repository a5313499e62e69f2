"""The arbiter: the only place that chooses what runs next. Deterministic; everything else only proposes.

Order is priority, then arrival. What can hold a task back is the table in `core.checks`. A task that could start but for a
claim keeps its place: later tasks may pass it only if they do not touch its claim, so a broad claim is never starved by a
stream of small ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.core.checks import KEEPS_PLACE, judge
from orchd.core.desk import Room, lay_out
from orchd.core.graph import dependencies
from orchd.model.ids import TaskId
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Status, Task


def decide(state: State, room: Room) -> tuple[Decision, ...]:
    """One decision for each waiting task, in the order in which they would start."""
    desk, decisions = lay_out(state, room), []
    for task in sorted((t for t in state.tasks.values() if t.status is Status.WAITING), key=_place_in_queue):
        decision = judge(task.spec, desk)
        if decision.cause is Cause.NONE:
            desk.start(task.spec)
        elif decision.cause in KEEPS_PLACE:
            desk.keep_place(task.spec)
        decisions.append(decision)
    return tuple(decisions)


def expand_only(tasks: Iterable[TaskId], known: Mapping[TaskId, Task]) -> frozenset[TaskId]:
    """The tasks and all that they depend on."""
    wanted: set[TaskId] = set()
    left = list(tasks)
    while left:
        task = left.pop()
        if task not in wanted:
            wanted.add(task)
            left += dependencies(known[task].spec) if task in known else ()
    return frozenset(wanted)


def _place_in_queue(task: Task) -> tuple[int, int]:
    return -task.spec.priority, task.order
