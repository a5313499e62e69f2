"""Small scenes about when finished tasks are saved, like those of the playbook."""

from __future__ import annotations

from dataclasses import replace

from playbook import SPEC, kinds, planned, scene, state_of, task
from world import demand

from orchd.core import planner
from orchd.core.evolve import evolve
from orchd.model.config import Config
from orchd.model.message import AttemptStarted, SaveAbandoned, SaveAsked
from orchd.model.save import Schedule, When
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.snapshot import Intent, State, Verb
from orchd.model.work import Status, Task

BY_HAND = Config(parallel=4, save=Schedule(When.MANUAL))
HOURLY = Config(parallel=4, save=Schedule(When.EVERY, 3600))
HOUR_MS = 3_600_000


def ready(name: str = "t", session: str = "default", *, ended_ms: int = 0, status: Status = Status.READY) -> Task:
    return replace(task(status, ended_ms=ended_ms), spec=replace(SPEC, id=name, session=session))


def saved(state: State, config: Config, **more: object) -> tuple[str, ...]:
    """The tasks that the next look saves."""
    save = planned(state, config=config, **more).state.save
    return tuple(item.task for item in save.items) if save else ()


@scene
def what_is_saved_by_hand_waits_for_a_word_and_is_no_work() -> None:
    state = state_of(ready())
    demand("not saved", saved(state, BY_HAND, now_ms=10 * HOUR_MS, until_idle=True) == ())
    demand("idle", planner.is_idle(state, BY_HAND))
    demand("nobody is woken", planned(state, config=BY_HAND).wake_ms is None)
    demand("without a schedule it is saved", saved(state, Config(parallel=4)) == ("t",))


@scene
def a_word_saves_what_is_finished_then_of_that_session_and_nothing_else() -> None:
    running = ready("c", status=Status.RUNNING)
    state = state_of(ready("a"), ready("b", "other"), running)
    asked = (Intent("1", Verb.SAVE_SESSION, "default"),)
    plan = planned(state, config=BY_HAND, intents=asked, now_ms=1000)
    demand("asked", SaveAsked("default", ("a",)) in plan.events, plan)
    demand("only that", plan.state.save and [i.task for i in plan.state.save.items] == ["a"], plan)
    demand("not what ends later", not plan.state.tasks["c"].due, plan)


@scene
def what_was_asked_for_stays_due_until_it_is_started_again() -> None:
    state = evolve(state_of(ready()), [SaveAsked("default", ("t",))])
    begun = planned(state, config=BY_HAND).state
    demand("begun", begun.save is not None, begun)
    back = evolve(begun, [SaveAbandoned(begun.save.id, 5)])  # type: ignore[union-attr]
    demand("still due", saved(back, BY_HAND) == ("t",), back)
    waiting = replace(state, tasks={"t": replace(state.tasks["t"], status=Status.WAITING)}, leases={})
    again = evolve(waiting, [AttemptStarted("t", 2, "base", state.leases["t"])])
    demand("but not the next attempt", not again.tasks["t"].due, again)


@scene
def a_word_counts_before_a_set_time() -> None:
    state = evolve(state_of(ready("a"), ready("b", ended_ms=500)), [SaveAsked("default", ("a",))])
    demand("saved", saved(state, HOURLY, now_ms=1000) == ("a",), state)


@scene
def a_set_time_gathers_all_of_a_session_from_the_first_on() -> None:
    state = state_of(ready("a", ended_ms=1000), ready("b", ended_ms=2 * HOUR_MS // 3), ready("c", "other", ended_ms=5000))
    early = planned(state, config=HOURLY, now_ms=HOUR_MS)
    demand("not yet", early.state.save is None and early.wake_ms == HOUR_MS + 1000, early)
    demand("together", saved(state, HOURLY, now_ms=HOUR_MS + 1000) == ("a", "b"))
    demand("it is work", not planner.is_idle(state, HOURLY))


@scene
def a_clock_that_was_set_back_does_not_stretch_a_time() -> None:
    demand("due", saved(state_of(ready(ended_ms=5 * HOUR_MS)), HOURLY, now_ms=HOUR_MS) == ("t",))


@scene
def who_ends_when_nothing_is_left_waits_for_no_time() -> None:
    demand("a daemon waits", saved(state_of(ready()), HOURLY, now_ms=1000) == ())
    demand("a run does not", saved(state_of(ready()), HOURLY, now_ms=1000, until_idle=True) == ("t",))
    busy = state_of(ready(), ready("b", status=Status.RUNNING))
    demand("but while something runs", saved(busy, HOURLY, now_ms=1000, until_idle=True) == ())


@scene
def a_session_has_its_own_schedule_and_a_line_none() -> None:
    state = state_of(ready())
    own = replace(state, sessions={"default": Session(SessionSpec("default", save=Schedule()))})
    demand("the session counts", saved(own, BY_HAND) == ("t",))
    line = replace(state, sessions={"default": Session(SessionSpec("default", Landing.MANUAL, save=Schedule(When.MANUAL)))})
    demand("a line gets it at once", kinds(planned(line, config=BY_HAND))[:1] == ["SavePlanned"])
