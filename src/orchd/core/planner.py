"""plan(): one look at the world in, what follows from it out. Pure; run on an unchanged world it yields nothing.

Stages run in order, each on the state that the one before left: intents, files, attempts, the save in flight, the next
save, the arbiter. Each concludes events from evidence. The actions are then derived from the state alone (core.duties),
so that an action whose effect was lost is simply asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from orchd.core.arbiter import Room, decide, expand_only
from orchd.core.attempts import conclude_attempts
from orchd.core.duties import list_duties
from orchd.core.evolve import evolve
from orchd.core.intake import read_files
from orchd.core.landing import advance_save, begin_save
from orchd.core.lifecycle import allows
from orchd.core.statuses import ACTIVE, OPEN
from orchd.model.claim import Lease
from orchd.model.ids import TaskId
from orchd.model.message import AttemptStarted, Event, StopAsked, TaskCancelled, TaskRetried
from orchd.model.snapshot import Cause, Decision, Plan, Snapshot, State, Verb

Stage = Callable[[State, Snapshot], Iterator[Event]]


def plan(snapshot: Snapshot) -> Plan:
    """The events to store, the decisions behind them, and the actions that are due."""
    state, events = snapshot.state, list[Event]()
    for stage in STAGES:
        fresh = tuple(stage(state, snapshot))
        events += fresh
        state = evolve(state, fresh) if fresh else state
    decisions = decide(state, _room(state, snapshot))
    starts = tuple(_start(state, snapshot, decision) for decision in decisions if decision.cause is Cause.NONE)
    events += starts
    state = evolve(state, starts) if starts else state
    return Plan(state, tuple(events), decisions, tuple(list_duties(state, snapshot)))


def is_idle(state: State) -> bool:
    """Whether nothing is left that orchd could do by itself: nobody is open, or only a person can let the save go on."""
    busy = ACTIVE if state.save is not None and state.save.hold is not None else OPEN
    return all(task.status not in busy for task in state.tasks.values())


def hear_intents(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Requests of people. One that the lifecycle does not allow (any more) is dropped.

    Of several for one task the last counts: a request is heard again when forgetting it was lost, and two that take each
    other back would then never come to rest.
    """
    for intent in {intent.task: intent for intent in snapshot.intents}.values():
        task = state.tasks.get(intent.task)
        wishes = WISHES[intent.verb](intent.task, snapshot.now_ms)
        yield from [event for event in wishes if task and allows(type(event), task.status)][:1]


def _room(state: State, snapshot: Snapshot) -> Room:
    only = None if snapshot.only is None else expand_only(snapshot.only, state.tasks)
    return Room(snapshot.config.parallel, snapshot.draining, only)


def _start(state: State, snapshot: Snapshot, decision: Decision) -> AttemptStarted:
    task = state.tasks[decision.task]
    lease = Lease(decision.task, state.owner, state.epoch, task.spec.claims, snapshot.now_ms)
    return AttemptStarted(decision.task, task.attempt + 1, snapshot.main, lease)


WISHES: Mapping[Verb, Callable[[TaskId, int], tuple[Event, ...]]] = {
    Verb.RETRY: lambda task, _: (TaskRetried(task),),
    Verb.CANCEL: lambda task, now_ms: (StopAsked(task), TaskCancelled(task, now_ms)),
}

STAGES: tuple[Stage, ...] = (hear_intents, read_files, conclude_attempts, advance_save, begin_save)
