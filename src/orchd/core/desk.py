"""The desk of the arbiter: what it may give away in one pass, and what it has promised so far.

Rule: a check reads it, only `core.arbiter` writes to it, and it lives for one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TypeAlias

from orchd.core.costs import Grant, find_rest, find_share
from orchd.core.goods import Goods, stock
from orchd.core.held import HeldClaims
from orchd.core.quotas import QUOTAS
from orchd.core.statuses import ACTIVE
from orchd.core.waits import pending
from orchd.core.watched import current_run
from orchd.model.claim import PathSpec, Reservation
from orchd.model.config import Config
from orchd.model.cost import Bill, Caps, Rest
from orchd.model.dataclass import dataclass
from orchd.model.ids import SessionId, TaskId
from orchd.model.machine import UNSEEN_MACHINE, MachineSeen
from orchd.model.recovery import Candidate
from orchd.model.snapshot import Cause, State
from orchd.model.text import day_of
from orchd.model.work import Task, TaskSpec

Pool: TypeAlias = tuple[Cause, str]
"""Tasks that share slots: the kind of limit and the name under it."""


@dataclass(frozen=True, slots=True)
class Room:
    """What limits the arbiter at `now_ms`: the limits of `config`; `only` these may start (None: all); `reservations` stand,
    and `busy_ports` are used on this machine. `elsewhere` are the sessions of which nothing may start here, and why;
    `foreign` are claims that other clones hold; `unnumbered` are tasks that lack numbers of these kinds, and `rests` says that
    the shared remote, which gives them, does not now. `resting` are tasks whose provider is left alone, and until
    when; `budgets` what the definitions of agents allow for tasks with a goal, `picks` who does those that run or wait. The
    landings of `gone` are not in main any more."""

    config: Config
    now_ms: int = 0
    draining: bool = False
    only: frozenset[TaskId] | None = None
    reservations: tuple[Reservation, ...] = ()
    busy_ports: frozenset[int] = frozenset()
    elsewhere: Mapping[SessionId, str] = field(default_factory=dict)
    foreign: tuple[tuple[TaskId, tuple[PathSpec, ...]], ...] = ()
    machine: MachineSeen = UNSEEN_MACHINE
    unnumbered: Mapping[TaskId, tuple[str, ...]] = field(default_factory=dict)
    rests: bool = False
    resting: Mapping[TaskId, tuple[str, int]] = field(default_factory=dict)
    budgets: Mapping[TaskId, int] = field(default_factory=dict)
    picks: Mapping[TaskId, Candidate] = field(default_factory=dict)
    gone: frozenset[TaskId] = frozenset()


@dataclass(slots=True)
class Desk:
    """`held` are the claims that are granted or whose place is kept, `taken` the tasks on the slots of each pool, `workspaces`
    how many there are or will be."""

    state: State
    room: Room
    held: HeldClaims = field(default_factory=HeldClaims)
    taken: dict[Pool, list[TaskId]] = field(default_factory=dict)
    workspaces: int = 0
    goods: Goods = field(default_factory=Goods)
    grants: dict[TaskId, Grant] = field(default_factory=dict)

    def start(self, spec: TaskSpec) -> None:
        """It takes a slot of each of its pools, a workspace, its claim and its goods."""
        self.workspaces += 1
        self.take_slots(spec, pools_of(spec, self.room))
        self.held.add(spec.id, spec.claims)
        self.goods.take(spec)
        self.grant(spec)

    def keep_place(self, spec: TaskSpec) -> None:
        """Its claim, its slots and its goods count as taken for all others. Slots that anybody can use are not kept free."""
        self.take_slots(spec, [pool for pool in pools_of(spec, self.room) if pool[0] is not Cause.SLOTS])
        self.held.add(spec.id, spec.claims)
        self.goods.take(spec)

    def find_rest(self, spec: TaskSpec) -> Rest | None:
        """What a cap leaves for an agent of a task now; None: no cap is about it."""
        caps = self.room.config.caps
        if spec.id not in self.room.budgets or caps == Caps():
            return None
        bill = Bill(day_of(self.room.now_ms), spec.session, spec.id, "", "")
        return find_rest(self.state.ledger, caps, tuple(self.grants.values()), bill)

    def grant(self, spec: TaskSpec) -> None:
        """What its agent may spend at most, else a share of the caps that it has in common with others; never more than is
        left."""
        rest = self.find_rest(spec)
        if rest is not None:
            most = self.room.budgets[spec.id] or find_share(self.room.config.caps) or rest.micros
            self.grants[spec.id] = Grant(spec.session, spec.id, min(most, rest.micros))

    def take_slots(self, spec: TaskSpec, pools: Iterable[Pool]) -> None:
        """One of each pool, unless it has one."""
        for pool in pools:
            there = self.taken.setdefault(pool, [])
            if spec.id not in there:
                there.append(spec.id)


def lay_out(state: State, room: Room) -> Desk:
    """The desk before the first decision: what open tasks hold."""
    active = [task for task in state.tasks.values() if task.status in ACTIVE]
    workspaces = room.machine.workspaces.union(map(current_run, active))
    desk = Desk(state, room, workspaces=len(workspaces), goods=stock(state.leases.values(), room.config, room.busy_ports))
    desk.grants |= {one.spec.id: _grant_of(one, state) for one in active}
    asked = ((task, want.paths) for task, want in pending(state))
    granted = ((task, state.leases[task].paths) for task in sorted(state.leases))
    for name, paths in (*granted, *room.foreign, *asked):
        desk.held.add(name, paths)
    for one in sorted(active, key=lambda task: task.order):
        desk.take_slots(one.spec, pools_of(one.spec, room))
    return desk


def _grant_of(task: Task, state: State) -> Grant:
    lease = state.leases.get(task.spec.id)
    return Grant(task.spec.session, task.spec.id, lease.budget_micros if lease else 0)


def pools_of(spec: TaskSpec, room: Room) -> Iterable[Pool]:
    """The pools that a task takes a slot of: those of who really does it, not of whom it wished first."""
    pick = room.picks.get(spec.id)
    return [(quota.cause, name) for quota in QUOTAS if (name := quota.name_of(spec, pick, room.config))]
