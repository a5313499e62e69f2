"""The desk of the arbiter: what it may give away in one pass, and what it has promised so far.

Rule: a check reads it, only `core.arbiter` writes to it, and it lives for one pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from orchd.core.quotas import QUOTAS
from orchd.core.statuses import ACTIVE
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.ids import TaskId
from orchd.model.snapshot import Cause, State
from orchd.model.work import TaskSpec

Pool: TypeAlias = tuple[Cause, str]
"""Tasks that share slots: the kind of limit and the name under it."""


@dataclass(frozen=True, slots=True)
class Room:
    """What limits the arbiter now: the limits of `config`; `only` these may start (None: all)."""

    config: Config
    draining: bool = False
    only: frozenset[TaskId] | None = None


@dataclass(slots=True)
class Desk:
    """`held` are the claims that are granted or keep their place, in the order in which they are asked; `taken` are the
    tasks on the slots of each pool."""

    state: State
    room: Room
    held: list[tuple[TaskId, tuple[PathSpec, ...]]] = field(default_factory=list)
    taken: dict[Pool, list[TaskId]] = field(default_factory=dict)

    def start(self, spec: TaskSpec) -> None:
        """It takes a slot of each of its pools, and its claim."""
        self.take_slots(spec)
        self.keep_place(spec)

    def keep_place(self, spec: TaskSpec) -> None:
        """Its claim counts as held for whoever comes later."""
        self.held.append((spec.id, spec.claims))

    def take_slots(self, spec: TaskSpec) -> None:
        """One of each pool that it belongs to."""
        for pool in pools_of(spec, self.room.config):
            self.taken.setdefault(pool, []).append(spec.id)


def lay_out(state: State, room: Room) -> Desk:
    """The desk before the first decision: what open tasks hold."""
    desk = Desk(state, room)
    desk.held += [(task, state.leases[task].paths) for task in sorted(state.leases)]
    for task in sorted((t for t in state.tasks.values() if t.status in ACTIVE), key=lambda task: task.order):
        desk.take_slots(task.spec)
    return desk


def pools_of(spec: TaskSpec, config: Config) -> Iterable[Pool]:
    """The pools that a task takes a slot of."""
    return [(quota.cause, name) for quota in QUOTAS if (name := quota.name_of(spec, config))]
