"""Who waits for whom: the requests of running tasks that were let in and not answered yet. Clients import this, so it stays
light; how requests are answered is `core.extensions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchd.core.claims import find_clash
from orchd.core.inert import inert
from orchd.core.reservations import find_reserved, tell_reservation
from orchd.model.claim import Extension, Lease, PathSpec, Refusal, Reservation
from orchd.model.ids import TaskId
from orchd.model.snapshot import State
from orchd.model.work import Status


def pending(state: State) -> list[tuple[TaskId, Extension]]:
    """The requests of running tasks that wait, the oldest first."""
    running = [(n, lease) for n, lease in state.leases.items() if lease.wants and state.tasks[n].status is Status.RUNNING]
    return sorted(((name, want) for name, lease in running for want in lease.wants), key=lambda one: (one[1].order, one[0]))


def find_holders(task: TaskId, paths: Sequence[PathSpec], leases: Mapping[TaskId, Lease]) -> tuple[TaskId, ...]:
    """Who else holds something that `paths` meet."""
    return tuple(name for name in sorted(leases) if name != task and find_clash(paths, leases[name].paths) is not None)


def draw_waits(waits: Iterable[tuple[TaskId, Extension]], leases: Mapping[TaskId, Lease]) -> dict[TaskId, tuple[TaskId, ...]]:
    """Who waits for whom."""
    drawn: dict[TaskId, tuple[TaskId, ...]] = {}
    for task, want in waits:
        drawn[task] = (*drawn.get(task, ()), *find_holders(task, want.paths, leases))
    return drawn


def tell_wait(task: TaskId, want: Extension, state: State, kept: Iterable[Reservation]) -> str:
    """For whom a request waits, as half a sentence."""
    reserved = find_reserved(want.paths, (), kept)
    holders = find_holders(task, want.paths, state.leases)
    who = [*(f"{name} ({state.tasks[name].status})" for name in holders)]
    if reserved is not None:
        who.append(f"what {tell_reservation(reserved.reservation)}")
    return ", ".join(who) or "the next look"


def tell_more(task: TaskId, state: State, kept: Sequence[Reservation]) -> tuple[str, ...]:
    """What a running task wants besides what it holds, and who wants what it holds; half sentences."""
    lease = state.leases.get(task)
    if lease is None:
        return ()
    waits = tuple(f"it wants {_name_globs(want)} and waits for {tell_wait(task, want, state, kept)}" for want in lease.wants)
    overlaps = [one for one in kept if find_reserved(lease.paths, lease.resources, (one,))]
    return (*waits, *(f"it had before what {tell_reservation(one)}" for one in overlaps))


def tell_refused(task: TaskId, state: State) -> tuple[str, ...]:
    """What a task asked for besides and was refused, and why; a sentence each."""
    refused = state.leases[task].refused if task in state.leases else ()
    return tuple(f"it asked for {_name_globs(one)} and was refused: {inert(one.why)}" for one in refused)


def _name_globs(asked: Extension | Refusal) -> str:
    return ", ".join(f"`{inert(path.glob)}`" for path in asked.paths)
