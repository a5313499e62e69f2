"""plan(): one look at the world in, what follows from it out. Pure; run on an unchanged world it yields nothing.

Stages run in order, each on the state that the one before left: intents, files, attempts, the save in flight, the owners
of sessions, predicted conflicts, the next save, the arbiter. Each concludes events from evidence. The actions are then
derived from the state alone (core.duties), so that an action whose effect was lost is simply asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from orchd.core.answers import hear_answer
from orchd.core.arbiter import decide
from orchd.core.attempts import conclude_attempts
from orchd.core.duties import list_duties
from orchd.core.evolve import evolve
from orchd.core.extensions import answer_requests, hear_request
from orchd.core.intake import read_files
from orchd.core.landing import advance_save, begin_save
from orchd.core.leases import expire_leases
from orchd.core.lifecycle import allows
from orchd.core.preview import room_of
from orchd.core.radar import watch_conflicts
from orchd.core.saving import gathers_until
from orchd.core.statuses import ACTIVE, OPEN
from orchd.core.tenures import hear_owners, is_foreign
from orchd.model.claim import Lease
from orchd.model.message import AttemptStarted, Event, StopAsked, TaskCancelled, TaskRetried
from orchd.model.snapshot import Cause, Decision, Intent, Plan, Snapshot, State, Verb
from orchd.model.work import Task

Stage = Callable[[State, Snapshot], Iterator[Event]]


def plan(snapshot: Snapshot) -> Plan:
    """The events to store, the decisions behind them, and the actions that are due."""
    state, events = snapshot.state, list[Event]()
    for stage in STAGES:
        fresh = tuple(stage(state, snapshot))
        events += fresh
        state = evolve(state, fresh) if fresh else state
    decisions = decide(state, room_of(state, snapshot))
    starting = [decision for decision in decisions if decision.cause is Cause.NONE]
    starts = tuple(_start(state, snapshot, one, fence) for fence, one in enumerate(starting, state.next_fence))
    events += starts
    state = evolve(state, starts) if starts else state
    wake_ms = gathers_until(state, snapshot.now_ms)
    return Plan(state, tuple(events), decisions, tuple(list_duties(state, snapshot)), wake_ms)


def is_idle(state: State) -> bool:
    """Whether nothing is left that orchd could do by itself: nobody is open, or only a person can let the save go on."""
    busy = ACTIVE if state.save is not None and state.save.hold is not None else OPEN
    return all(task.status not in busy for task in state.tasks.values())


def hear_intents(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Requests of people. One that the lifecycle does not allow (any more), or about a session of another clone, is dropped.

    Of several on one topic the last counts: a request is heard again when forgetting it was lost, and two that take each
    other back would then never come to rest.
    """
    for intent in {_topic(intent): intent for intent in snapshot.intents}.values():
        task = state.tasks.get(intent.subject)
        if task is not None and is_foreign(task.spec.session, snapshot.shared):
            continue
        events = tuple(WISHES[intent.verb](intent, state, snapshot))
        yield from events
        state = evolve(state, events) if events else state


def _start(state: State, snapshot: Snapshot, decision: Decision, fence: int) -> AttemptStarted:
    task = state.tasks[decision.task]
    spec = task.spec
    lease = Lease(spec.id, state.owner, state.epoch, spec.claims, snapshot.now_ms, spec.resources, decision.ports, fence)
    base = task.rework.base if task.rework else snapshot.main
    return AttemptStarted(decision.task, task.attempt + 1, base, lease)


def _topic(intent: Intent) -> tuple[str, ...]:
    """What a request is about: of the verbs in TAKES_BACK one takes the other back, all others stand for themselves."""
    return (intent.subject,) if intent.verb in TAKES_BACK else (intent.subject, intent.verb, *intent.words)


def _retry(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    return _first_allowed(state.tasks.get(intent.subject), TaskRetried(intent.subject))


def _cancel(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    task = intent.subject
    return _first_allowed(state.tasks.get(task), StopAsked(task), TaskCancelled(task, snapshot.now_ms))


def _answer(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    task = state.tasks.get(intent.subject)
    answered = hear_answer(task, intent.words) if task else None
    yield from (answered,) if answered else ()


def _first_allowed(task: Task | None, *wishes: Event) -> Iterator[Event]:
    """The first wish that the lifecycle of `task` allows, if any."""
    yield from [event for event in wishes if task and allows(type(event), task.status)][:1]


TAKES_BACK = frozenset({Verb.RETRY, Verb.CANCEL, Verb.ANSWER})

WISHES: Mapping[Verb, Callable[[Intent, State, Snapshot], Iterator[Event]]] = {
    Verb.RETRY: _retry,
    Verb.CANCEL: _cancel,
    Verb.ANSWER: _answer,
    Verb.CLAIM: hear_request,
}

STAGES: tuple[Stage, ...] = (
    hear_intents,
    read_files,
    expire_leases,
    conclude_attempts,
    advance_save,
    hear_owners,
    watch_conflicts,
    begin_save,
    answer_requests,
)
