"""The arbiter: the only place that chooses what runs next. Deterministic; everything else only proposes.

Order is priority, then arrival. A task that could start but for a claim or a slot keeps its place: later tasks may pass it
only if they do not touch its claim, so a broad claim is never starved by a stream of small ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchd.core.claims import find_clash
from orchd.core.graph import dependencies
from orchd.core.statuses import ACTIVE, FINISHED, SUCCEEDED
from orchd.model.claim import PathSpec
from orchd.model.ids import TaskId
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Status, Task


@dataclass(frozen=True, slots=True)
class Room:
    """What limits the arbiter now: `parallel` tasks at the same time; `only` these may start (None: all)."""

    parallel: int
    draining: bool = False
    only: frozenset[TaskId] | None = None


def decide(state: State, room: Room) -> tuple[Decision, ...]:
    """One decision for each waiting task, in the order in which they would start."""
    free = room.parallel - sum(task.status in ACTIVE for task in state.tasks.values())
    held = [(task, state.leases[task].paths) for task in sorted(state.leases)]
    decisions = []
    for task in sorted((t for t in state.tasks.values() if t.status is Status.WAITING), key=_place_in_queue):
        decision = _held_back(task, state, room) or _held_up(task, held, free)
        if decision.cause in (Cause.NONE, Cause.CLAIM):
            held.append((task.spec.id, task.spec.claims))
        free -= decision.cause is Cause.NONE
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


LOST = FINISHED - SUCCEEDED
UNFINISHED = frozenset(Status) - FINISHED


def _place_in_queue(task: Task) -> tuple[int, int]:
    return -task.spec.priority, task.order


def _held_back(task: Task, state: State, room: Room) -> Decision | None:
    """What no slot and no claim could change."""
    spec = task.spec
    if room.only is not None and spec.id not in room.only:
        return Decision(spec.id, Cause.NOT_ASKED)
    waits = _pick(spec.needs, state, LOST)
    if waits:
        return Decision(spec.id, Cause.BLOCKED, waits)
    waits = _pick(spec.needs, state, UNFINISHED)
    if waits:
        return Decision(spec.id, Cause.NEEDS, waits)
    waits = _pick(spec.after, state, UNFINISHED)
    if waits:
        return Decision(spec.id, Cause.AFTER, waits)
    return Decision(spec.id, Cause.DRAINING) if room.draining else None


def _pick(tasks: Iterable[TaskId], state: State, statuses: frozenset[Status]) -> tuple[TaskId, ...]:
    return tuple(task for task in tasks if task in state.tasks and state.tasks[task].status in statuses)


def _held_up(task: Task, held: Iterable[tuple[TaskId, tuple[PathSpec, ...]]], free: int) -> Decision:
    if free <= 0:
        return Decision(task.spec.id, Cause.SLOTS)
    for owner, paths in held:
        clash = find_clash(task.spec.claims, paths)
        if clash:
            return Decision(task.spec.id, Cause.CLAIM, (owner,), (clash[0].glob, clash[1].glob))
    return Decision(task.spec.id, Cause.NONE)
