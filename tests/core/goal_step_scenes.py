"""Scenes about steps that agents do: what each is told, who goes on when one fails, and from where. On the programme of
`playbook` once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import SEEN, left, working
from playbook import look, planned, scene
from world import demand

from orchd.core import chains, duties
from orchd.core.chains import list_budgets
from orchd.model.action import StartRun
from orchd.model.agent import AgentsSeen, Definition, Report, Usage
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Plan, State
from orchd.model.work import Reason, Status, Step, StepMade

STEPS = (Step("plan", goal="think", acceptance=("a plan",)), Step("make", "make"), Step("write", goal="write it"))
MADE = (StepMade("plan", "c1"), StepMade("make", "c2"))
UNFINISHED = Report(status=500)


def stepping(*made: StepMade, **keys: object) -> State:
    """The task `a` with steps, as it runs, after these checkpoints."""
    state = working(**{"goal": "", "steps": STEPS, **keys})
    return replace(state, tasks={"a": replace(state.tasks["a"], steps=made, base="begun")})


def failing(state: State, name: str, report: Report | None, *made: StepMade, **seen: object) -> Plan:
    """What follows when the attempt fails at the step `name`."""
    run = f"a.1.{state.tasks['a'].attempt}"
    ended = Exit(Outcome.EXITED, (CommandResult(name, 1, 1.0),), "tip", report=report, fence=state.leases["a"].fence)
    return planned(state, runs={run: RunSeen(Phase.ENDED, ended, Returned(Entry.KEPT, "tip", "ref", steps=made))}, **seen)


def started(plan: Plan) -> StartRun:
    [start] = [one for one in plan.actions if isinstance(one, StartRun)]
    return start


@scene
def each_step_with_a_goal_is_a_job_with_a_prompt_of_its_own() -> None:
    start = started(planned(stepping(acceptance=("all good",), evidence=("x",)), agents=SEEN))
    demand("jobs", [bool(one.job) for one in start.order.commands] == [True, False, True], start)
    demand("each knows its name", [one.env[0][1] for one in start.order.commands] == ["plan", "make", "write"], start)
    first, last = start.asks
    demand("its own", (first.goal, first.acceptance, first.evidence, first.finished) == ("think", ("a plan",), (), ()), first)
    demand("the whole", (last.goal, last.acceptance, last.evidence) == ("write it", ("all good",), ("x",)), last)
    demand(
        "what is done",
        [(one.name, one.what, one.tip) for one in last.finished] == [("plan", "think", ""), ("make", "make", "")],
    )


@scene
def an_attempt_after_a_failure_goes_on_at_the_last_checkpoint_by_the_next_agent_who_knows_all() -> None:
    plan = failing(stepping(fallbacks=("codex",)), "write", UNFINISHED, *MADE)
    start = started(plan)
    demand("the same plan goes on", [one.name for one in start.order.commands] == ["write"], start)
    demand("from there", start.order.commit == "c2" and start.order.job and start.order.job.program == "codex", start)
    [ask] = start.asks
    demand("what is done", [(one.base, one.tip) for one in ask.finished] == [("begun", "c1"), ("c1", "c2")], ask)
    demand("what went wrong", [(one.attempt, one.step) for one in ask.setbacks] == [(1, "write")], ask)


@scene
def attempts_count_for_each_step_and_what_was_tried_for_another_is_forgotten() -> None:
    chain = {"fallbacks": ("codex", "gemini")}
    first = failing(stepping(**chain), "plan", UNFINISHED)
    demand("next", first.state.tasks["a"].pick and first.state.tasks["a"].pick.agent == "codex", first)
    second = failing(first.state, "write", UNFINISHED, *MADE)
    task = second.state.tasks["a"]
    demand("only this step", [one.step for one in task.tried] == ["write"], task.tried)
    demand("the first is free again", task.pick is not None and task.pick.agent == "gemini", task.pick)
    cold = replace(first.state, cooling={})
    again = failing(cold, "write", UNFINISHED, *MADE)
    demand("the first again", again.state.tasks["a"].pick and again.state.tasks["a"].pick.agent == "claude", again.state.tasks)


@scene
def a_step_that_is_a_command_is_not_tried_again() -> None:
    plan = failing(stepping(), "make", None, MADE[0])
    task = plan.state.tasks["a"]
    demand("as it is", task.status is Status.FAILED and task.reason is Reason.EXIT and not task.tried, task)


@scene
def each_agent_of_a_run_is_paid_and_all_of_them_share_what_was_granted() -> None:
    state = stepping()
    spent, more = Report(True, usage=Usage(10, 0, 5, 700)), Report(status=401, usage=Usage(1, 0, 1, 40))
    results = (CommandResult("plan", 0, 1.0, report=spent), CommandResult("write", 1, 1.0))
    seen = replace(left(more, Returned(Entry.KEPT, "tip", "ref")), exit=Exit(Outcome.EXITED, results, "tip", report=more))
    plan = planned(state, runs={"a.1.1": seen})
    demand("both", [(one.runs, one.micros) for one in plan.state.ledger.accounts] == [(2, 740)], plan.state.ledger)
    lease = replace(state.leases["a"], budget_micros=90)
    order = duties.order_attempt(state.tasks["a"], lease, look(state, agents=SEEN))
    demand("shared", [one.job.budget_micros for one in order.commands if one.job] == [45, 45], order)
    waiting = replace(state, tasks={"a": replace(state.tasks["a"], status=Status.WAITING)})
    agents = AgentsSeen((Definition("claude", "codex", budget_micros=30),))
    demand("for both", list_budgets(waiting, agents) == {"a": 60}, chains)


@scene
def who_takes_over_has_instructions_of_its_own() -> None:
    agents = replace(SEEN, good=(*SEEN.good, Definition("other", "gemini", instructions="Be other.")))
    start = started(failing(stepping(fallbacks=("other",)), "write", UNFINISHED, *MADE, agents=agents))
    demand("its own", [ask.instructions for ask in start.asks] == ["Be other."], start.asks)
