"""Scenes about steps: where an attempt begins, what it runs, what of it is kept. On the programme of `playbook`."""

from __future__ import annotations

from dataclasses import replace

from playbook import look, planned, scene, state_of, task
from world import demand

from orchd.core import duties, planner, steps
from orchd.core.evolve import evolve
from orchd.model.action import AdmitResult
from orchd.model.message import AttemptStarted, Event, TaskRetried
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Intent, State, Verb
from orchd.model.work import Reason, Status, Step, StepMade, Task, TaskSpec

NAMES = tuple(f"s{at}" for at in range(14))
SPEC = TaskSpec("a", "A", "", steps=tuple(Step(name, f"make {name}") for name in NAMES))


def made(*places: int) -> tuple[StepMade, ...]:
    """The checkpoints of these steps."""
    return tuple(StepMade(NAMES[at], f"c{at}") for at in places)


def stepped(status: Status, *places: int, **more: object) -> Task:
    """A task with steps, and with checkpoints of these."""
    return replace(task(status), spec=SPEC, steps=made(*places), base="begun", **more)  # type: ignore[arg-type]


def ended(state: State, left: Exit, returned: Returned) -> Task:
    """What `a` is after its attempt has left this; nothing else may start meanwhile."""
    seen = {"a.1.1": RunSeen(Phase.ENDED, left, returned)}
    return evolve(state, planned(state, runs=seen, draining=True).events).tasks["a"]


def asked(state: State, *words: str) -> tuple[Event, ...]:
    """What a request for another attempt comes to."""
    return tuple(planner.hear_intents(state, look(state, intents=(Intent("i", Verb.RETRY, "a", words),))))


FAILED = Exit(Outcome.EXITED, (CommandResult("s2", 1, 1.0),), "tip")


@scene
def a_failed_attempt_leaves_checkpoints_and_another_may_begin_with_each_step_after_one() -> None:
    task = ended(state_of(stepped(Status.RUNNING)), FAILED, Returned(Entry.KEPT, "tip", "ref", steps=made(0, 1)))
    demand("checkpoints are kept", (task.status, task.steps) == (Status.FAILED, made(0, 1)), task)
    state = state_of(task)
    for step, kept in (("s0", ()), ("s1", made(0)), ("s2", made(0, 1))):
        demand("it is heard", asked(state, step) == (TaskRetried("a", steps=kept),), step)
        again = evolve(state, asked(state, step))
        started = next(event for event in planned(again).events if isinstance(event, AttemptStarted))
        demand("on the commit that it began with", started.base == ("begun" if kept else "base"), started)
        running = evolve(again, [started])
        order = duties.order_attempt(running.tasks["a"], running.leases["a"], look(running))
        demand("from the last checkpoint", order.commit == (kept[-1].commit if kept else "base"), order)
        demand("with the steps that are left", [one.name for one in order.commands] == list(NAMES[len(kept) :]), order)
        demand("each knows its name", {one.env for one in order.commands[:1]} == {(("ORCHD_STEP", step),)}, order)
    demand("nothing begins in the air", asked(state, "s3") == asked(state, "ghost") == (), state)
    demand("without a word it begins anew", asked(state) == (TaskRetried("a"),), state)
    demand("and forgets the checkpoints", evolve(state, asked(state)).tasks["a"].steps == (), state)


@scene
def a_lost_attempt_is_tried_again_from_its_last_checkpoint() -> None:
    task = ended(state_of(stepped(Status.RUNNING, 0)), Exit(Outcome.LOST), Returned(Entry.KEPT, "t", "ref", steps=made(1)))
    demand("it waits with both", (task.status, task.steps) == (Status.WAITING, made(0, 1)), task)
    demand("and goes on", (steps.find_begin(task), steps.list_left(task)[0].name) == ("c1", "s2"), task)


@scene
def a_fenced_attempt_adds_no_checkpoint() -> None:
    late = replace(FAILED, fence=77)
    task = ended(state_of(stepped(Status.RUNNING, 0)), late, Returned(Entry.KEPT, "tip", "ref", steps=made(1)))
    demand("late work is no checkpoint", (task.reason, task.steps) == (Reason.FENCED, made(0)), task)


@scene
def the_newest_ten_checkpoints_are_kept_and_only_whole_ways_are_offered() -> None:
    before = stepped(Status.FAILED, 0, 1, 2)
    joined = steps.join_steps(before, made(*range(3, 13)))
    demand("the newest ten", joined == made(*range(3, 13)), joined)
    offered = steps.list_open(replace(before, steps=joined))
    demand("the beginning, and after each that is kept", offered == (NAMES[0], *NAMES[4:14]), offered)
    twice = steps.join_steps(replace(before, steps=made(0, 1)), (StepMade("s1", "new"),))
    demand("a step made again counts once", twice == (*made(0), StepMade("s1", "new")), twice)


@scene
def the_airlock_is_told_the_base_and_the_beginning() -> None:
    for places, start in (((0,), "c0"), ((), "")):
        state = state_of(stepped(Status.RUNNING, *places))
        seen = {"a.1.1": RunSeen(Phase.ENDED, FAILED)}
        orders = [one.order for one in duties.list_duties(state, look(state, runs=seen)) if isinstance(one, AdmitResult)]
        demand("both are told", [(one.base, one.start) for one in orders] == [("begun", start)], orders)
