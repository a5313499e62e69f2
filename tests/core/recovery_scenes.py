"""Scenes about agents that fail: who goes on, who waits, who is left alone, and what a cap does. On the programme of `playbook`
once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import left, working
from playbook import planned, scene, state_of, task
from world import demand

from orchd.model.action import StartRun
from orchd.model.agent import Report, Usage
from orchd.model.config import Config
from orchd.model.cost import Account, Caps, Ledger
from orchd.model.message import AttemptStarted
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Cause, Plan, State
from orchd.model.work import Status

KEPT = Returned(Entry.UNCHANGED)


def after(report: Report, state: State, **seen: object) -> Plan:
    """What follows when its agent has failed like this."""
    return planned(state, runs={"a.1.1": left(report, KEPT)}, **seen)


@scene
def the_next_of_the_chain_goes_on_at_once_and_the_provider_that_refused_is_left_alone() -> None:
    plan = after(Report(status=429, until_ms=90_000), working(fallbacks=("codex",)))
    [start] = [one for one in plan.actions if isinstance(one, StartRun)]
    demand("by the other", start.order.job is not None and start.order.job.program == "codex", start)
    demand("and is told", [one.attempt for one in plan.state.tasks["a"].setbacks] == [1], plan.state.tasks["a"].setbacks)
    demand("the first cools", plan.state.cooling == {"claude": 90_000}, plan.state.cooling)


@scene
def who_has_nobody_else_waits_and_is_woken() -> None:
    plan = after(Report(status=503, until_ms=90_000), working())
    demand("waits", plan.decisions[0].cause is Cause.COOLING, plan.decisions)
    demand("woken", plan.wake_ms == 90_000, plan.wake_ms)
    later = planned(plan.state, now_ms=90_000)
    demand("goes on", [type(event) for event in later.events] == [AttemptStarted] and not later.state.cooling, later)


@scene
def a_login_is_never_tried_again_and_it_is_said_what_to_change() -> None:
    failed = after(Report(status=401), working(fallbacks=("codex",))).state.tasks["a"]
    demand("failed", failed.status is Status.FAILED and "sign in with `claude`" in failed.detail[-1], failed)


@scene
def a_command_is_never_tried_again() -> None:
    seen = RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("run", 1, 1.0),), "tip"), KEPT)
    plan = planned(state_of(task(Status.RUNNING)), runs={"a.1.1": seen})
    demand("as before", plan.state.tasks["a"].status is Status.FAILED and not plan.state.tasks["a"].tried, plan)


@scene
def what_a_run_cost_is_booked_once_whatever_it_came_to() -> None:
    plan = after(Report(status=401, usage=Usage(10, 0, 5, 700)), working())
    demand("booked", [one.micros for one in plan.state.ledger.accounts] == [700], plan.state.ledger)
    again = planned(plan.state, runs={"a.1.1": left(Report(usage=Usage(10, 0, 5, 700)), KEPT)})
    demand("once", again.state.ledger == plan.state.ledger, again.state.ledger)


@scene
def nothing_starts_that_could_pass_a_cap_and_what_starts_gets_the_rest() -> None:
    waiting = working()
    waiting = replace(waiting, leases={}, tasks={"a": replace(waiting.tasks["a"], status=Status.WAITING)})
    spent = replace(waiting, ledger=Ledger((Account("1970-01-01", "default", "b", "x", "m", micros=60),)))
    held = planned(spent, config=Config(caps=Caps(day_micros=60)))
    demand("held", held.decisions[0].cause is Cause.BUDGET and not held.events, held.decisions)
    free = planned(spent, config=Config(caps=Caps(day_micros=100)))
    demand("the rest", free.state.leases["a"].budget_micros == 40, free.state.leases)
    [start] = [one for one in free.actions if isinstance(one, StartRun)]
    demand("is its budget", start.order.job is not None and start.order.job.budget_micros == 40, start)
