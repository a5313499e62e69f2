"""Scenes about agents: what counts as done, who is started, and what is recorded. On the programme of `playbook` once this
module is imported."""

from __future__ import annotations

from dataclasses import replace

from playbook import kinds, planned, scene, state_of, task
from world import demand

from orchd.core import agents
from orchd.core.evolve import evolve
from orchd.core.exit_words import tell_report
from orchd.model.action import AdmitResult, StartRun
from orchd.model.agent import AgentsSeen, Definition, Permit, Report, Rule, Tool, Watch
from orchd.model.message import AttemptEnded, TaskRetried
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import FileSeen, FilesSeen, State
from orchd.model.work import Reason, Source, Status, TaskSpec

RULES = (Rule(Permit.ALLOW, Tool.READ),)
SEEN = AgentsSeen((Definition("claude", "codex", rules=RULES),), programs=("claude",), installed=("claude",))


def working(**keys: object) -> State:
    """The task `a`, with a goal, as it runs."""
    state = state_of(task(Status.RUNNING))
    spec = replace(state.tasks["a"].spec, **{"run": "", "goal": "g", "agent": "claude", **keys})  # type: ignore[arg-type]
    return replace(state, tasks={"a": replace(state.tasks["a"], spec=spec)})


def left(report: Report, returned: Returned | None, code: int = 0) -> RunSeen:
    """What is left of it."""
    return RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("agent", code, 1.0),), "tip", report=report), returned)


@scene
def an_agent_that_did_not_say_that_it_is_done_has_failed_though_it_ended_with_0() -> None:
    plan = planned(working(), runs={"a.1.1": left(Report(), None)})
    [asked] = [action for action in plan.actions if isinstance(action, AdmitResult)]
    demand("its work is only kept", not asked.order.accept, plan)
    plan = planned(working(), runs={"a.1.1": left(Report(), Returned(Entry.KEPT, "tip", "ref"))})
    [ended] = [event for event in plan.events if isinstance(event, AttemptEnded)]
    demand("failed", (ended.status, ended.reason) == (Status.FAILED, Reason.AGENT), ended)
    demand("why", "its program did not say that it was done" in ended.detail, ended)
    plan = planned(working(), runs={"a.1.1": left(Report(), Returned(Entry.KEPT, "tip", "ref"), 1)})
    [ended] = [event for event in plan.events if isinstance(event, AttemptEnded)]
    demand("it has no steps", ended.detail[0].startswith("ended with 1"), ended)


@scene
def an_agent_that_goes_in_circles_has_not_run_out_of_its_time() -> None:
    for clock, reason in ((Watch.REPETITION, Reason.AGENT), (Watch.SILENCE, Reason.AGENT), (Watch.WALL, Reason.TIMEOUT)):
        seen = left(Report(ended_by=clock), Returned(Entry.KEPT, "tip", "ref"), -15)
        assert seen.exit is not None
        late = replace(seen, exit=replace(seen.exit, outcome=Outcome.TIMEOUT))
        [ended] = [one for one in planned(working(), runs={"a.1.1": late}).events if isinstance(one, AttemptEnded)]
        demand("the clock that it was", ended.reason is reason, clock, ended)


@scene
def what_was_refused_and_changed_nothing_is_no_success_even_where_nothing_is_fine() -> None:
    said = Report(finished=True, denied=("Bash", "Bash"))
    plan = planned(working(noop=True), runs={"a.1.1": left(said, Returned(Entry.UNCHANGED))})
    [ended] = [event for event in plan.events if isinstance(event, AttemptEnded)]
    demand("failed", (ended.status, ended.reason) == (Status.FAILED, Reason.AGENT), ended)
    demand("once each", ended.detail == ("refused to it: Bash",), ended)


@scene
def missing_evidence_is_no_success_even_where_nothing_is_fine() -> None:
    gone = Returned(Entry.UNCHANGED, reason=Reason.EVIDENCE, detail=("x is not there",))
    plan = planned(working(noop=True, evidence=("x",)), runs={"a.1.1": left(Report(finished=True), gone)})
    [ended] = [event for event in plan.events if isinstance(event, AttemptEnded)]
    demand("failed", (ended.status, ended.reason) == (Status.FAILED, Reason.EVIDENCE), ended)
    demand("and what to correct", "correct `evidence:`" in plan.state.tasks["a"].detail[-1], plan.state.tasks["a"])


@scene
def the_airlock_is_told_what_must_be_there() -> None:
    plan = planned(working(evidence=("x",)), runs={"a.1.1": left(Report(finished=True), None)})
    [asked] = [action for action in plan.actions if isinstance(action, AdmitResult)]
    demand("told", asked.order.evidence == ("x",) and asked.order.accept, plan)


@scene
def an_agent_starts_with_the_rules_of_its_definition_and_not_while_that_is_being_written() -> None:
    [start] = [one for one in planned(working(), agents=SEEN).actions if isinstance(one, StartRun)]
    job = start.order.job
    demand("job", job is not None and (job.program, job.rules) == ("codex", RULES), start)
    unsettled = replace(SEEN, unsettled=frozenset({"claude"}))
    demand("waits", not any(isinstance(one, StartRun) for one in planned(working(), agents=unsettled).actions))


@scene
def a_command_is_no_job_whatever_its_agent_is_called() -> None:
    state = state_of(task(Status.RUNNING))
    spec = replace(state.tasks["a"].spec, agent="claude")
    state = replace(state, tasks={"a": replace(state.tasks["a"], spec=spec)})
    [start] = [one for one in planned(state, agents=SEEN).actions if isinstance(one, StartRun)]
    demand("no job", start.order.job is None and start.order.commands[0].run, start)


@scene
def who_is_meant_by_nobody_any_more_starts_and_says_so() -> None:
    [start] = [one for one in planned(working(), agents=AgentsSeen()).actions if isinstance(one, StartRun)]
    demand("no program takes it", start.order.job is not None and start.order.job.program == "claude", start)


@scene
def a_task_of_an_agent_that_nobody_knows_is_a_problem_and_no_task() -> None:
    def file(name: str, agent: str) -> FileSeen:
        return FileSeen(f"{name}.yaml", TaskSpec(name, "t", "", goal="g", agent=agent), "d", Source.FILE)

    files = FilesSeen((file("good", "claude"), file("bad", "cloude")))
    plan = planned(State(), files=files, agents=SEEN)
    demand("one", set(plan.state.tasks) == {"good"}, plan.state.tasks)
    demand("told", [problem.code for problem in plan.state.problems] == ["E088"], plan.state.problems)
    unsettled = planned(State(), files=files, agents=AgentsSeen(unsettled=frozenset({"claude", "cloude"})))
    demand("waits", not unsettled.state.tasks and not unsettled.state.problems, kinds(unsettled))


@scene
def the_next_attempt_knows_the_last_ones_and_a_command_knows_none() -> None:
    for goal, known in (("g", 3), ("", 0)):
        state = working(goal=goal, **({} if goal else {"run": "make"}))
        for attempt in range(1, 6):
            ended = replace(state.tasks["a"], status=Status.FAILED, attempt=attempt, reason=Reason.AGENT, detail=("why",))
            state = evolve(replace(state, tasks={"a": ended}), [TaskRetried("a")])
        past = state.tasks["a"].setbacks
        demand("the newest", [one.attempt for one in past] == [3, 4, 5][:known], past)
        demand("why", all((one.reason, one.detail) == (Reason.AGENT, ("why",)) for one in past), past)


@scene
def what_an_agent_is_told_is_collected_when_it_starts() -> None:
    [start] = [one for one in planned(working(), agents=SEEN).actions if isinstance(one, StartRun)]
    demand("asked", [one.goal for one in start.asks] == ["g"], start)


@scene
def what_stands_against_an_agent_is_told_line_by_line() -> None:
    ended = Report(ended_by=Watch.REPETITION, last_tool="Bash ls\x1b", error="busy", status=429)
    demand("three", len(tell_report(ended)) == 3 and "\x1b" not in "".join(tell_report(ended)), tell_report(ended))
    demand("nothing", tell_report(Report(finished=True)) == ())
    demand("every clock has words", set(Watch) == set(agents_clocks()))


def agents_clocks() -> tuple[Watch, ...]:
    from orchd.core.exit_words import CLOCKS

    demand("rules of a plain program", not {Tool.WEB, Tool.DELEGATE} & {rule.tool for rule in agents.PLAIN_RULES})
    return tuple(CLOCKS)
