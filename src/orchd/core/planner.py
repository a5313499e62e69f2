"""plan(): one look at the world in, what follows from it out. Pure; run on an unchanged world it yields nothing.

Stages run in order, each on the state that the one before left: what main lost, intents, files, attempts, finished tasks
by themselves, the save in flight, the owners of sessions, predicted conflicts, the next save, the arbiter. Each concludes
events from evidence. The actions are then derived from the state alone (core.duties), so that an action whose effect was
lost is simply asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from orchd.core import session_wishes
from orchd.core.answers import hear_answer
from orchd.core.arbiter import decide
from orchd.core.attempts import conclude_attempts
from orchd.core.chains import choose, warms_at
from orchd.core.duties import list_duties
from orchd.core.evolve import evolve
from orchd.core.extensions import answer_requests, hear_request
from orchd.core.gone import is_there
from orchd.core.intake import read_files
from orchd.core.landing import advance_save, begin_save, hear_gone
from orchd.core.leases import expire_leases
from orchd.core.lifecycle import allows
from orchd.core.numbering import list_lacking
from orchd.core.preview import room_of
from orchd.core.proposing import hear_proposals
from orchd.core.radar import watch_conflicts
from orchd.core.remedies import book_costs, book_taken, find_remedies
from orchd.core.requests import Hearing, find_hearing, refuse_requests
from orchd.core.restoring import hear_restore
from orchd.core.saving import wakes_at
from orchd.core.schedule import is_busy
from orchd.core.screening import screen_tasks
from orchd.core.screens import is_held, is_screening
from orchd.core.session_files import read_sessions
from orchd.core.session_wishes import ALL, concerns, spell_out
from orchd.core.sessions import find_start, is_touched, may_be_given_up
from orchd.core.statuses import ACTIVE
from orchd.core.steps import cut_before, find_begin
from orchd.core.tenures import hear_owners
from orchd.model.action import AskNumbers
from orchd.model.claim import Lease
from orchd.model.config import Config
from orchd.model.message import (
    AttemptStarted,
    Event,
    SaveAbandoned,
    StopAsked,
    TaskCancelled,
    TaskRetried,
)
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
    warm_ms = warms_at(decisions, state.cooling)
    wake_ms = min((at for at in (wakes_at(state, snapshot), warm_ms) if at is not None), default=None)
    lacking = list_lacking(decisions, state, snapshot)
    actions = (*list_duties(state, snapshot), *((AskNumbers(lacking),) if lacking else ()))
    return Plan(state, tuple(events), decisions, actions, wake_ms, warm_ms)


def is_worth_waiting(warm_ms: int | None, config: Config, now_ms: int) -> bool:
    """Whether somebody who ends when nothing is left to do waits for a provider: only when it has told that it will be soon."""
    return warm_ms is not None and warm_ms - now_ms <= config.wait_seconds * 1000


def is_idle(state: State, config: Config) -> bool:
    """Whether nothing is left that orchd could do by itself: nobody is open, or only a person, or room on the disk, lets what
    is left go on."""
    if is_screening(state):
        return False
    held = state.save is not None and state.save.hold is not None
    able = (task for name, task in state.tasks.items() if not held and not is_held(name, state))
    return not any(task.status in ACTIVE for task in state.tasks.values()) and not any(
        is_busy(task, state, config) for task in able
    )


def hear_intents(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Requests of people. One that the lifecycle does not allow (any more) is dropped.

    Of several on one topic the last counts: a request is heard again when forgetting it was lost, and two that take each
    other back would then never come to rest.
    """
    heard = (intent for intent in snapshot.intents if find_hearing(intent, snapshot) is Hearing.NOW)
    asked = (one for intent in heard for one in spell_out(intent, state))
    for intent in {_topic(intent): intent for intent in asked}.values():
        events = tuple(WISHES[intent.verb](intent, state, snapshot))
        yield from events
        state = evolve(state, events) if events else state


def _start(state: State, snapshot: Snapshot, decision: Decision, fence: int) -> AttemptStarted:
    task = state.tasks[decision.task]
    spec = task.spec
    lease = Lease(spec.id, state.owner, state.epoch, spec.claims, snapshot.now_ms, spec.resources, decision.ports, fence)
    lease = replace(lease, budget_micros=decision.micros) if decision.micros else lease
    again = task.rework.base if task.rework else task.base if find_begin(task) else ""
    base = again or find_start(state, spec.session, snapshot.main)
    pick = None if task.rework else choose(task, snapshot.agents, snapshot.config, state.cooling, snapshot.now_ms)
    return AttemptStarted(decision.task, task.attempt + 1, base, lease, pick)


def _topic(intent: Intent) -> tuple[str, ...]:
    """What a request is about: of verbs with one topic the last counts, all others stand for themselves."""
    topic = TOPICS.get(intent.verb)
    return (intent.subject, topic) if topic else (intent.subject, intent.verb, *intent.words)


def _retry(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    task = state.tasks.get(intent.subject)
    step = next((word for word in intent.words if word != ALL), "")
    steps = cut_before(task, step) if task and step else ()
    heard = task if task and concerns(intent, task) and steps is not None and not is_there(task, state.gone) else None
    return _first_allowed(heard, TaskRetried(intent.subject, steps=steps or ()))


def _cancel(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """A save that works on the task, or on the line that it is on, is given up first, unless it may have reached main."""
    name, save = intent.subject, state.save
    task = state.tasks.get(name)
    if not concerns(intent, task):
        return
    if task and save and is_touched(save, task) and may_be_given_up(save, snapshot.main):
        given_up = SaveAbandoned(save.id, snapshot.now_ms)
        yield given_up
        task = evolve(state, [given_up]).tasks[name]
    yield from _first_allowed(task, StopAsked(name), TaskCancelled(name, snapshot.now_ms))


def _answer(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    task = state.tasks.get(intent.subject)
    answered = hear_answer(task, intent.words) if task else None
    yield from (answered,) if answered else ()


def _first_allowed(task: Task | None, *wishes: Event) -> Iterator[Event]:
    """The first wish that the lifecycle of `task` allows, if any."""
    yield from [event for event in wishes if task and allows(type(event), task.status)][:1]


TOPICS: Mapping[Verb, str] = {
    Verb.RETRY: "task",
    Verb.CANCEL: "task",
    Verb.ANSWER: "task",
    Verb.PAUSE_SESSION: "pause",
    Verb.RESUME_SESSION: "pause",
}
"""Verbs that take each other back."""

WISHES: Mapping[Verb, Callable[[Intent, State, Snapshot], Iterator[Event]]] = {
    Verb.RETRY: _retry,
    Verb.CANCEL: _cancel,
    Verb.ANSWER: _answer,
    Verb.CLAIM: hear_request,
    Verb.PAUSE_SESSION: session_wishes.pause,
    Verb.RESUME_SESSION: session_wishes.resume,
    Verb.LAND_SESSION: session_wishes.land,
    Verb.FORK_SESSION: session_wishes.fork,
    Verb.SAVE_SESSION: session_wishes.save,
    Verb.RESTORE: hear_restore,
}

STAGES: tuple[Stage, ...] = (
    hear_gone,
    hear_intents,
    refuse_requests,
    read_sessions,
    read_files,
    expire_leases,
    conclude_attempts,
    hear_proposals,
    book_costs,
    screen_tasks,
    advance_save,
    find_remedies,
    hear_owners,
    book_taken,
    watch_conflicts,
    begin_save,
    answer_requests,
)
