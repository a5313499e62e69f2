"""What can hold a waiting task back: one row for each cause, asked in this order; the first that holds is the cause.

A new cause is a new row and a new sentence in `core.phrases`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from orchd.core.desk import Desk, Room
from orchd.core.gone import list_lost
from orchd.core.quotas import QUOTAS, Quota, always
from orchd.core.reservations import find_reserved, tell_reservation
from orchd.core.scarcity import SCARCITIES, Scarcity
from orchd.core.sessions import session_of
from orchd.core.statuses import FINISHED, SUCCEEDED, may_lack
from orchd.core.tables import tell_instant
from orchd.model.cost import Caps
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Status, TaskSpec

LOST = FINISHED - SUCCEEDED
UNFINISHED = frozenset(Status) - FINISHED


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a check holds: the tasks that hold it back, and what the sentence about it names."""

    others: tuple[TaskId, ...] = ()
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One cause. `find` gives the grounds on which it holds a task back now, or None; `matters` is whether it could hold
    anybody back in this room."""

    cause: Cause
    find: Callable[[TaskSpec, Desk], Grounds | None]
    matters: Callable[[Room], object] = always


def choose_checks(checks: Iterable[Check], room: Room) -> tuple[Check, ...]:
    """Those that could hold anybody back: most limits are not set, and thousands of tasks are asked at each look."""
    return tuple(check for check in checks if check.matters(room))


def judge(spec: TaskSpec, desk: Desk, checks: Sequence[Check]) -> Decision | None:
    """What holds one task back by these checks, given what is promised so far; None: nothing."""
    for check in checks:
        grounds = check.find(spec, desk)
        if grounds is not None:
            return Decision(spec.id, check.cause, grounds.others, grounds.detail)
    return None


def _not_asked(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return Grounds() if desk.room.only is not None and spec.id not in desk.room.only else None


def _elsewhere(spec: TaskSpec, desk: Desk) -> Grounds | None:
    why = desk.room.elsewhere.get(spec.session)
    return Grounds(detail=(spec.session, why)) if why else None


def _blocked(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return _name(tuple(task for task in _pick(spec.needs, desk.state, LOST) if not may_lack(desk.state.tasks[task])))


def _gone(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return _name(list_lost(spec.needs, desk.state.tasks, desk.room.gone))


def _needs(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return _name(_not_yet(spec.needs, spec, desk.state))


def _after(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return _name(_not_yet(spec.after, spec, desk.state))


def _paused(spec: TaskSpec, desk: Desk) -> Grounds | None:
    paused = session_of(desk.state, spec.session).paused
    return Grounds(detail=(spec.session,)) if paused else None


def _cooling(spec: TaskSpec, desk: Desk) -> Grounds | None:
    found = desk.room.resting.get(spec.id)
    return Grounds(detail=(found[0], tell_instant(found[1]))) if found else None


def _budget(spec: TaskSpec, desk: Desk) -> Grounds | None:
    """A cap stops before it is passed: what runs counts with all that it may spend."""
    rest = desk.find_rest(spec)
    return Grounds(detail=(rest.cap, "`caps:`")) if rest is not None and rest.micros <= 0 else None


def _draining(spec: TaskSpec, desk: Desk) -> Grounds | None:
    return Grounds() if desk.room.draining else None


def _refused(spec: TaskSpec, desk: Desk) -> Grounds | None:
    """While the remote refuses, it must not be in the way of others."""
    kinds = desk.room.unnumbered.get(spec.id) if desk.room.rests else None
    return Grounds(detail=(", ".join(kinds),)) if kinds else None


def _used_up(quota: Quota) -> Check:
    """All slots of a pool are taken. The pool of all tasks names nobody: whoever runs is in it."""

    def find(spec: TaskSpec, desk: Desk) -> Grounds | None:
        config = desk.room.config
        name = quota.name_of(spec, desk.room.picks.get(spec.id), config)
        limit = quota.limit_of(name, desk.state, config) if name else None
        taken = desk.taken.get((quota.cause, name), [])
        if limit is None or len(taken) - (spec.id in taken) < limit:
            return None
        others = () if quota.cause is Cause.SLOTS else tuple(one for one in taken if one != spec.id)
        return Grounds(others, (name, str(limit)))

    return Check(quota.cause, find, lambda room: quota.is_set(room.config))


def _lacking(scarcity: Scarcity) -> Check:
    """The machine has too little of something, whoever asks."""

    def find(_: TaskSpec, desk: Desk) -> Grounds | None:
        found = scarcity.find(desk)
        return Grounds(detail=found) if found else None

    return Check(scarcity.cause, find, scarcity.is_set)


def _claim(spec: TaskSpec, desk: Desk) -> Grounds | None:
    """What is on the line of its own session is no obstacle: the task starts from there."""
    beneath = session_of(desk.state, spec.session).line
    clash = desk.held.find(spec.id, spec.claims, beneath)
    return Grounds((clash.owner,), (clash.mine.glob, clash.theirs.glob)) if clash else None


def _reserved(spec: TaskSpec, desk: Desk) -> Grounds | None:
    found = find_reserved(spec.claims, spec.resources, desk.room.reservations)
    return Grounds((), (found.mine, found.theirs, tell_reservation(found.reservation))) if found else None


def _resource(spec: TaskSpec, desk: Desk) -> Grounds | None:
    found = desk.goods.find_holder(spec)
    return Grounds((found[1],), (found[0],)) if found else None


def _ports(spec: TaskSpec, desk: Desk) -> Grounds | None:
    first, last = desk.room.config.ports
    return Grounds((), (str(spec.ports), f"{first}-{last}")) if desk.goods.lacks_ports(spec) else None


def _pick(tasks: Iterable[TaskId], state: State, statuses: frozenset[Status]) -> tuple[TaskId, ...]:
    return tuple(task for task in tasks if task in state.tasks and state.tasks[task].status in statuses)


def _not_yet(tasks: tuple[TaskId, ...], spec: TaskSpec, state: State) -> tuple[TaskId, ...]:
    """Those that have not come to their end. On the line of its own session they have: it starts from there."""
    if not tasks:
        return ()
    beneath = session_of(state, spec.session).line
    return tuple(task for task in _pick(tasks, state, UNFINISHED) if task not in beneath)


def _name(tasks: tuple[TaskId, ...]) -> Grounds | None:
    return Grounds(tasks) if tasks else None


HOLDS_BACK = (
    Check(Cause.NOT_ASKED, _not_asked, lambda room: room.only is not None),
    Check(Cause.ELSEWHERE, _elsewhere, lambda room: room.elsewhere),
    Check(Cause.BLOCKED, _blocked),
    Check(Cause.GONE, _gone, lambda room: room.gone),
    Check(Cause.NEEDS, _needs),
    Check(Cause.AFTER, _after),
    Check(Cause.PAUSED, _paused),
    Check(Cause.DRAINING, _draining, lambda room: room.draining),
    Check(Cause.RESERVED, _reserved, lambda room: room.reservations),
    Check(Cause.NUMBERS_REFUSED, _refused, lambda room: room.rests),
    Check(Cause.COOLING, _cooling, lambda room: room.resting),
)
"""What nothing that the arbiter gives away could change: such a task is not in the line."""

HELD = (Check(Cause.CLAIM, _claim), Check(Cause.RESOURCE, _resource), Check(Cause.PORTS, _ports))
"""What leases hold."""

USED_UP = (
    *map(_used_up, QUOTAS),
    *map(_lacking, SCARCITIES),
    Check(Cause.BUDGET, _budget, lambda room: room.config.caps != Caps()),
    *HELD,
)
"""What others have, or get before it. What a task needs of this is kept for it when nobody may pass it any more: see
`Desk.keep_place`, which has to know a new kind of thing that can be used up."""
