"""Scenes about steps that agents do: what each is told, who goes on when one fails, and from where. On the programme of
`playbook` once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import SEEN, left, working
from playbook import look, planned, scene, task
from world import demand

from orchd.core import duties
from orchd.core.aftermath import follow, measure
from orchd.core.chains import list_budgets, list_picks
from orchd.core.evolve import evolve
from orchd.core.prompting import write_prompt
from orchd.core.statuses import may_lack
from orchd.core.steps import keep_skipped, list_left, tell_steps
from orchd.core.telling import tell_task
from orchd.core.wording import word_merge
from orchd.model.action import StartRun
from orchd.model.agent import AgentsSeen, Definition, Failure, Report, Usage
from orchd.model.config import Config
from orchd.model.cost import Spent, StepSpent
from orchd.model.message import AttemptStarted, RemedyFound, TaskRetried
from orchd.model.prompt import NOTHING_RECALLED
from orchd.model.recovery import Candidate, Tried
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
    mine = second.state.tasks["a"]
    demand("only this step", [one.step for one in mine.tried] == ["write"], mine.tried)
    demand("who may be asked", mine.pick is not None and mine.pick.agent == "gemini", mine.pick)
    cold = replace(first.state, cooling={})
    again = failing(cold, "write", UNFINISHED, *MADE)
    demand("the first again", again.state.tasks["a"].pick and again.state.tasks["a"].pick.agent == "claude", again.state.tasks)


@scene
def what_is_remembered_fits_its_budget() -> None:
    state = working()
    failed = replace(state.tasks["a"], status=Status.FAILED, reason=Reason.AGENT, detail=("e" * 2000,) * 50)
    again = evolve(replace(state, tasks={"a": failed}), [TaskRetried("a")]).tasks["a"]
    demand("shortened", measure(again) < 1000, measure(again))
    demand("and so it is when it goes on by itself", measure(follow(failed, remedy())) < 1000)
    little = replace(failed, detail=("why", "more", "what"))
    kept = evolve(replace(state, tasks={"a": little}), [TaskRetried("a")]).tasks["a"].setbacks[-1].detail
    demand("what fits is whole", kept == ("why", "more", "what"), kept)


def remedy() -> RemedyFound:
    return RemedyFound("a", Tried(Candidate("p"), Failure.UNKNOWN, attempt=1), Status.WAITING)


@scene
def a_step_that_is_a_command_is_not_tried_again() -> None:
    plan = failing(stepping(), "make", None, MADE[0])
    mine = plan.state.tasks["a"]
    demand("as it is", mine.status is Status.FAILED and mine.reason is Reason.EXIT and not mine.tried, mine)


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
    picks = list_picks(waiting, agents, Config(), 7)
    demand("for both", list_budgets(waiting, picks, agents) == {"a": 60}, picks)


@scene
def who_takes_over_has_instructions_of_its_own() -> None:
    agents = replace(SEEN, good=(*SEEN.good, Definition("other", "gemini", instructions="Be other.")))
    start = started(failing(stepping(fallbacks=("other",)), "write", UNFINISHED, *MADE, agents=agents))
    demand("its own", [ask.instructions for ask in start.asks] == ["Be other."], start.asks)


@scene
def an_optional_command_is_skipped_when_it_fails_and_the_rest_goes_on_from_the_last_checkpoint() -> None:
    steps = (Step("one", "make one"), Step("two", "make two", optional=True), Step("three", "make three"))
    state = stepping(steps=steps, agent="shell")
    plan = failing(state, "two", None, StepMade("one", "c1"))
    mine = plan.state.tasks["a"]
    demand("skipped", (mine.status, mine.skipped, mine.pick) == (Status.RUNNING, ("two",), None), mine)
    start = started(plan)
    demand("the rest", ([one.name for one in start.order.commands], start.order.commit) == (["three"], "c1"), start)
    demand("said", "without its optional step `two`, which failed" in tell_task(mine, plan.state).what, mine)
    last = failing(plan.state, "three", None, StepMade("one", "c1")).state.tasks["a"]
    demand("the others are not", (last.status, last.reason) == (Status.FAILED, Reason.EXIT), last)
    again = evolve(replace(state, tasks={"a": last}), [TaskRetried("a", steps=last.steps)]).tasks["a"]
    demand("tried again", (again.skipped, list_left(again)[0].name) == ((), "two"), again)
    made = (StepMade("one", "c1"), StepMade("three", "c3"))
    demand("or still without", keep_skipped(last, made) == ("two",), last)
    behind = replace(last, spec=replace(last.spec, steps=(*steps, Step("four", "make"))), steps=made)
    again = evolve(replace(state, tasks={"a": behind}), [TaskRetried("a", steps=made)]).tasks["a"]
    demand("as it was", (again.skipped, list_left(again)[0].name) == (("two",), "four"), again)


@scene
def when_nothing_is_left_but_what_is_skipped_the_checkpoints_are_the_result() -> None:
    steps = (Step("one", "make one"), Step("two", "make two", optional=True))
    plan = failing(stepping(steps=steps, agent="shell"), "two", None, StepMade("one", "c1"))
    start = started(plan)
    demand("nothing more", ([one.run for one in start.order.commands], start.order.commit) == (["true"], "c1"), start)
    ended = Exit(Outcome.EXITED, (CommandResult("run", 0, 1.0),), "", fence=plan.state.leases["a"].fence)
    late = planned(plan.state, runs={"a.1.2": RunSeen(Phase.ENDED, ended, Returned(Entry.ACCEPTED, "c1", "ref"))})
    save = late.state.save
    demand("saved with a word", save is not None and [one.skipped for one in save.items] == [("two",)], late.state)
    demand("in its merge", save and "Orch-Skipped: two\n" in word_merge(save.items[0], "A", save), save)


@scene
def a_red_gate_skips_nothing() -> None:
    steps = (Step("one", "make one"), Step("two", "make two", optional=True))
    state = stepping(steps=steps, agent="shell")
    red = replace(state.tasks["a"], status=Status.FAILED, reason=Reason.GATE, steps=(StepMade("one", "c1"),))
    demand("as it is", not planned(replace(state, leases={}, tasks={"a": red})).events)


@scene
def an_optional_step_of_an_agent_is_skipped_when_nobody_knows_why_it_failed_and_nobody_is_left() -> None:
    steps = (Step("one", goal="do one", optional=True), Step("two", goal="do two"))
    plan = failing(stepping(steps=steps), "one", Report())
    demand("the same once more", plan.state.tasks["a"].skipped == () and started(plan), plan)
    plan = failing(plan.state, "one", Report())
    demand("then without", [one.name for one in started(plan).order.commands] == ["two"], plan)
    login = failing(stepping(steps=steps), "one", Report(status=401)).state.tasks["a"]
    demand("a login is for a person", (login.status, login.skipped) == (Status.FAILED, ()), login)
    [ask] = started(plan).asks
    told = write_prompt(ask, NOTHING_RECALLED)
    demand("and is told so", "do without it\n\n- one: do one (step one ended with 1 after 1.0 s)" in told, told)
    demand("nobody else is", "do without it" not in write_prompt(replace(ask, omitted=()), NOTHING_RECALLED))


@scene
def what_each_step_cost_is_told_over_all_attempts() -> None:
    used = Report(True, usage=Usage(10, 0, 5, 700))
    results = (CommandResult("plan", 0, 1.0, report=used), CommandResult("make", 0, 1.0), CommandResult("write", 1, 1.0))
    broken = replace(UNFINISHED, usage=Usage(1, 0, 1, 50))
    fence = stepping().leases["a"].fence
    ended = Exit(Outcome.EXITED, results, "tip", report=broken, fence=fence)
    seen = RunSeen(Phase.ENDED, ended, Returned(Entry.KEPT, "tip", "ref", steps=MADE))
    first = planned(stepping(), agents=SEEN, runs={"a.1.1": seen}).state
    parts = (StepSpent("plan", 15, 700), StepSpent("write", 2, 50))
    demand("both", first.tasks["a"].spent == Spent(17, 750, 0, parts), first.tasks["a"].spent)
    again = replace(first, tasks={"a": replace(first.tasks["a"], status=Status.RUNNING)}, leases=stepping().leases)
    more = failing(again, "write", used, *MADE).state.tasks["a"].spent
    demand("all attempts", more == Spent(32, 1450, 0, (parts[0], StepSpent("write", 17, 750))), more)
    gone = RunSeen(Phase.ENDED, Exit(Outcome.LOST, fence=fence), Returned(Entry.KEPT, steps=MADE))
    lost = planned(stepping(), agents=SEEN, runs={"a.1.1": gone}).state.tasks["a"].spent
    demand("also of one that was lost", lost == Spent(0, 0, 1, (StepSpent("write", 0, 0, 1),)), lost)
    alone = failing(working(), "agent", used).state.tasks["a"].spent
    demand("a task without steps has none", alone == Spent(15, 700), alone)


@scene
def each_step_is_told_with_its_commit() -> None:
    mine = replace(stepping(*MADE).tasks["a"], tip="c3")
    told = lambda **changes: [what for _, what in tell_steps(replace(mine, **changes))]  # noqa: E731
    demand("the last is not done", told(tip="") == ["c1", "c2", "-"], mine)
    for status, reason in ((Status.LANDED, None), (Status.HELD, Reason.CLAIM), (Status.FAILED, Reason.GATE)):
        demand("it is the result", told(status=status, reason=reason) == ["c1", "c2", "c3"], status)
    demand("not when it failed", told(status=Status.FAILED, reason=Reason.EXIT) == ["c1", "c2", "-"], mine)
    demand("nothing to land", told(status=Status.UNCHANGED, tip="") == ["c1", "c2", "c2"], mine)
    demand("a word where it is not kept", told(steps=MADE[1:]) == ["done", "c2", "-"], mine)
    demand("or was skipped", told(steps=MADE[1:], skipped=("plan",)) == ["skipped", "c2", "-"], mine)
    demand("without steps", tell_steps(working().tasks["a"]) == ())


@scene
def who_needs_an_optional_task_that_failed_starts_without_it_and_knows() -> None:
    state = working(needs=("b",))
    waiting = replace(state.tasks["a"], status=Status.WAITING)
    for optional, status, starts in ((True, Status.FAILED, 1), (False, Status.FAILED, 0), (True, Status.CANCELLED, 0)):
        other = task(status, order=2)
        other = replace(other, spec=replace(other.spec, id="b", optional=optional), tip="kept", reason=Reason.GATE)
        tasks = {"a": waiting, "b": other}
        plan = planned(replace(state, leases={}, tasks=tasks), agents=SEEN)
        starting = [one for one in plan.actions if isinstance(one, StartRun)]
        demand("only without what may be lacking", len(starting) == starts, plan.decisions)
        for start in starting:
            demand("told", [(one.task, one.tip) for one in start.asks[0].needs] == [("b", "")], start)
            demand("in words", "it failed and is not there" in write_prompt(start.asks[0], NOTHING_RECALLED), start)
            demand("shown", "without `b`" in tell_task(plan.state.tasks["a"], plan.state).what)
    demand("not before it ends", not may_lack(replace(task(Status.RUNNING), spec=replace(waiting.spec, optional=True))))


def ending(state: State, *made: StepMade, name: str = "write", idle: bool = False) -> tuple[Status, Reason | None]:
    """What the task comes to when its agent says at the step `name` that it is done."""
    said, fence = Report(finished=True), state.leases["a"].fence
    ended = Exit(Outcome.EXITED, (CommandResult(name, 0, 1.0, idle=idle),), "c2", report=said, fence=fence)
    seen = RunSeen(Phase.ENDED, ended, Returned(Entry.ACCEPTED, "c2", "ref", steps=made))
    after = planned(state, runs={"a.1.1": seen}, agents=SEEN, draining=True).state.tasks["a"]
    return (Status.READY if after.status is Status.SAVING else after.status), after.reason


@scene
def a_step_for_an_agent_is_not_done_when_nothing_has_changed() -> None:
    ready, nothing = (Status.READY, None), (Status.FAILED, Reason.NOTHING)
    demand("the last one", ending(stepping(), *MADE) == nothing)
    demand("it began there", ending(stepping(*MADE)) == nothing)
    demand("one before it", ending(stepping(), name="plan", idle=True) == nothing)
    demand("it changed something", ending(stepping(), *MADE[:1]) == ready)
    demand("nothing is allowed", ending(stepping(noop=True), *MADE) == ready)
    skippable = (*STEPS[:2], replace(STEPS[2], optional=True))
    demand("it may fail", ending(stepping(steps=skippable), *MADE) == ready)
    demand("a command may", ending(stepping(steps=STEPS[:2]), *MADE) == ready)
    orders = [
        [one.demands for one in started(planned(stepping(**keys), agents=SEEN)).order.commands]
        for keys in ({}, {"noop": True}, {"steps": skippable})
    ]
    demand("who runs them knows", orders == [[True, False, True], [False] * 3, [True, False, False]], orders)


@scene
def from_checkpoints_of_a_base_that_was_left_behind_nobody_goes_on() -> None:
    state = stepping(*MADE)
    for base, kept in (("begun", MADE), ("newer", ())):
        waiting = replace(state, tasks={"a": replace(state.tasks["a"], status=Status.WAITING)}, leases={})
        after = evolve(waiting, [AttemptStarted("a", 2, base, state.leases["a"])]).tasks["a"]
        demand("its checkpoints", (after.base, after.steps) == (base, kept), after)
