"""Whatever ends attempts, and from wherever they are begun again: what lands is made by all steps, each once, in order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from playbook import look, planned, state_of
from step_scenes import NAMES, stepped

from orchd.core import duties, planner
from orchd.core.evolve import evolve
from orchd.core.steps import list_open
from orchd.model.message import AttemptStarted
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Intent, State, Verb
from orchd.model.work import Status, StepMade


def begin(state: State, main: str) -> State:
    """Start the attempt of `a`."""
    plan = planned(state, main=main)
    return evolve(state, [event for event in plan.events if isinstance(event, AttemptStarted)])


def end(state: State, done: int, how: str, known: dict[str, tuple[str, ...]]) -> State:
    """The attempt ends after so many of its steps."""
    task, lease = state.tasks["a"], state.leases["a"]
    order = duties.order_attempt(task, lease, look(state))
    names = [command.name for command in order.commands]
    done = len(names) if how == "well" else min(done, len(names) - 1)
    made, below = [], known.get(order.commit, ())
    for name in names[:done]:
        below = (*below, name)
        commit = f"{task.attempt}-{name}"
        known[commit] = below
        made.append(StepMade(name, commit))
    tip = made[-1].commit if made else order.commit
    results = tuple(CommandResult(name, 0, 1.0) for name in names[:done])
    results += () if how == "well" else (CommandResult(names[done], 1, 1.0),)
    outcome = Outcome.LOST if how == "lost" else Outcome.EXITED
    entry = Entry.ACCEPTED if how == "well" else Entry.KEPT
    kept = tuple(made[:-1] if how == "well" else made)
    returned = Returned(entry, tip, "ref", steps=kept)
    seen = RunSeen(Phase.ENDED, Exit(outcome, results, tip, fence=lease.fence), returned)
    plan = planned(state, runs={order.id: seen}, draining=True, main=task.base)
    ended = [event for event in plan.events if not isinstance(event, AttemptStarted)]
    return evolve(state, ended[:1])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_lands_is_made_by_all_steps_each_once_and_in_order(data: st.DataObject) -> None:
    known: dict[str, tuple[str, ...]] = {}
    state = state_of(replace(stepped(Status.WAITING), base=""))
    for at in range(data.draw(st.integers(1, 7))):
        before = state.tasks["a"]
        state = begin(state, f"main{at}")
        task = state.tasks["a"]
        assert task.base == (before.base if before.steps else f"main{at}")
        state = end(state, data.draw(st.integers(0, 13)), data.draw(st.sampled_from(("well", "lost", "red"))), known)
        task = state.tasks["a"]
        assert len(task.steps) <= 10
        assert all(known[one.commit][-1] == one.name for one in task.steps)
        if task.status is Status.READY:
            assert known[task.tip] == NAMES
            return
        if task.status is Status.FAILED:
            words = data.draw(st.sampled_from([(), *((name,) for name in list_open(task))]))
            intent = Intent("i", Verb.RETRY, "a", words)
            state = evolve(state, planner.hear_intents(state, look(state, intents=(intent,))))
            assert state.tasks["a"].status is Status.WAITING
