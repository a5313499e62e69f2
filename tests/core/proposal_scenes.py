"""Scenes about tasks that tasks propose. On the programme of `playbook` once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import left, working
from playbook import planned, scene, state_of, task
from world import demand

from orchd.core.proposing import find_most
from orchd.model.action import StartRun
from orchd.model.agent import AgentsSeen, Definition, Report
from orchd.model.config import Config
from orchd.model.message import ProposalsHeard, TaskSeen
from orchd.model.recovery import Candidate
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Proposal, Returned, RunSeen
from orchd.model.snapshot import FileSeen, FilesSeen, Plan, State
from orchd.model.work import Source, Status, TaskSpec

FEW = Config(proposals=2)
GOOD = Returned(Entry.ACCEPTED, "tip", "ref")


def proposal(name: str, **keys: object) -> Proposal:
    spec = TaskSpec(name, name, "", goal="g", agent="auto")
    return Proposal(name, replace(spec, **keys), "d")  # type: ignore[arg-type]


def ended(state: State, *proposals: Proposal, returned: Returned = GOOD, finished: bool = True, **seen: object) -> Plan:
    """What follows when `a` has ended and proposes these."""
    run = replace(left(Report(finished=finished), returned), proposals=proposals)
    return planned(state, **{"config": FEW, "runs": {"a.1.1": run}, **seen})


def heard(plan: Plan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was taken, and the names of what was refused."""
    [event] = [event for event in plan.events if isinstance(event, ProposalsHeard)]
    return event.taken, tuple(why.partition(":")[0] for why in event.refused)


def why(plan: Plan) -> str:
    [event] = [event for event in plan.events if isinstance(event, ProposalsHeard)]
    return "; ".join(event.refused)


@scene
def nobody_proposes_where_nobody_allowed_it() -> None:
    plan = ended(working(), proposal("b"), config=Config())
    demand("no task", set(plan.state.tasks) == {"a"}, plan.state.tasks)
    demand("a clear word", "`proposals` is 0" in why(plan), plan.events)


@scene
def what_was_accepted_proposes_as_many_tasks_as_it_may_and_they_are_of_its_session() -> None:
    plan = ended(working(), *(proposal(name, priority=50) for name in "bcd"))
    demand("two", heard(plan) == (("b", "c"), ("d",)), plan.events)
    new = plan.state.tasks["b"]
    demand("by whom", (new.proposer, new.depth, plan.state.tasks["a"].proposed) == ("a", 1, 2), new)
    demand("not more urgent", new.spec.priority == plan.state.tasks["a"].spec.priority, new.spec)
    demand("its own agent", new.spec.agent == "claude", new.spec)
    orders = [event.order for event in plan.events if isinstance(event, TaskSeen)]
    demand("places of their own", len(set(orders)) == 2, orders)
    again = planned(plan.state, config=FEW, runs={"a.1.1": left(Report(finished=True), GOOD)})
    demand("once", not any(isinstance(event, ProposalsHeard) for event in again.events), again.events)


@scene
def the_number_counts_over_all_attempts() -> None:
    state = working()
    state = replace(state, tasks={"a": replace(state.tasks["a"], proposed=1)})
    demand("one is left", heard(ended(state, proposal("b"), proposal("c"))) == (("b",), ("c",)))


@scene
def what_was_proposed_proposes_nothing_below_the_depth() -> None:
    state = working()
    state = replace(state, tasks={"a": replace(state.tasks["a"], depth=1, proposer="x")})
    plan = ended(state, proposal("b"))
    demand("refused", heard(plan) == ((), ("b",)) and "`proposal_depth`" in why(plan), plan.events)
    deeper = ended(state, proposal("b"), config=replace(FEW, proposal_depth=2))
    demand("one deeper", heard(deeper) == (("b",), ()) and deeper.state.tasks["b"].depth == 2, deeper.state.tasks)


@scene
def what_was_not_accepted_proposes_nothing() -> None:
    for returned, finished in ((Returned(Entry.KEPT, "tip", "ref"), False), (Returned(Entry.REFUSED, "tip", "ref"), True)):
        plan = ended(working(), proposal("b"), returned=returned, finished=finished)
        demand("nothing", not any(isinstance(event, ProposalsHeard) for event in plan.events), plan.events)


@scene
def an_agent_proposes_goals_for_itself_only() -> None:
    wrong = (
        proposal("b", goal="", run="rm -rf .", agent="shell"),
        proposal("c", agent="root"),
        proposal("d", fallbacks=("root",)),
        proposal("e", session="other"),
        Proposal("f", why="line 3: no key"),
    )
    plan = ended(working(), *wrong, proposal("g", agent="claude"))
    demand("the good one", heard(plan) == (("g",), ("b", "c", "d", "e", "f")), plan.events)
    told = why(plan)
    demand("why", all(words in told for words in ("no commands", "for itself", "another session", "line 3: no key")), told)


@scene
def a_command_may_propose_commands_and_only_agents_that_there_are() -> None:
    state = state_of(task(Status.RUNNING))
    seen = RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("run", 0, 1.0),), "tip"), GOOD)
    seen = replace(seen, proposals=(proposal("b", goal="", run="make", agent="shell"), proposal("c", agent="nobody")))
    plan = planned(state, config=FEW, runs={"a.1.1": seen})
    demand("one", heard(plan) == (("b",), ("c",)) and plan.state.tasks["b"].spec.run == "make", plan.events)


@scene
def a_name_that_there_is_is_not_taken_and_a_need_that_there_is_not_is_told() -> None:
    file = FileSeen("b.yaml", TaskSpec("b", "t", "r"), "d", Source.FILE)
    wanted = (proposal("a"), proposal("b"), proposal("c", needs=("gone",)), proposal("d", needs=("a",)))
    plan = ended(working(), *wanted, files=FilesSeen((file,)))
    demand("one", heard(plan)[0] == ("d",) and set(heard(plan)[1]) == {"a", "b", "c"}, plan.events)


@scene
def the_definition_of_an_agent_says_how_many_and_who_may_is_told_how() -> None:
    agents = AgentsSeen((Definition("claude", "claude", max_proposals=5),), programs=("claude",), installed=("claude",))
    state = working()
    state = replace(state, tasks={"a": replace(state.tasks["a"], pick=Candidate("claude", agent="claude"))})
    demand("its own", find_most(state.tasks["a"], agents, FEW).tasks == 5)
    demand("else the common", find_most(state.tasks["a"], AgentsSeen(), FEW).tasks == 2)
    for config, told in ((FEW, True), (Config(), False)):
        [start] = [one for one in planned(working(), config=config).actions if isinstance(one, StartRun)]
        demand("told", ("proposals/" in start.order.brief) is told, start.order.brief)
    child = replace(state, tasks={"a": replace(state.tasks["a"], proposer="x", depth=1)})
    [start] = [one for one in planned(child, config=FEW).actions if isinstance(one, StartRun)]
    demand("a trailer", "\nOrch-Proposed-By: x\n" in start.order.message, start.order)
    demand("not told what it may not", "proposals/" not in start.order.brief)
