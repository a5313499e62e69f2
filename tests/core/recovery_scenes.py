"""Scenes about agents that fail: who goes on, who waits, who is left alone, and what a cap does. On the programme of `playbook`
once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import left, working
from playbook import planned, scene, state_of, task
from world import demand

from orchd.core.chains import tell_chain
from orchd.core.planner import is_worth_waiting
from orchd.core.vigil import begin_vigil, find_expired, hear
from orchd.model.action import StartRun
from orchd.model.agent import AUTO, AgentsSeen, Clocks, Definition, Failure, Price, Report, Tally, Usage, Watch
from orchd.model.claim import PathSpec
from orchd.model.config import Agent, Config, Slots
from orchd.model.cost import Account, Caps, Ledger
from orchd.model.message import AttemptStarted
from orchd.model.recovery import Candidate
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Cause, FileSeen, FilesSeen, Plan, State
from orchd.model.work import Answer, Earlier, Rework, Source, Status

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
def nothing_starts_that_could_pass_a_cap_and_what_starts_gets_its_share_or_the_rest() -> None:
    waiting = working()
    waiting = replace(waiting, leases={}, tasks={"a": replace(waiting.tasks["a"], status=Status.WAITING)})
    spent = replace(waiting, ledger=Ledger((Account("1970-01-01", "default", "b", "x", "m", micros=60),)))
    held = planned(spent, config=Config(caps=Caps(day_micros=60)))
    demand("held", held.decisions[0].cause is Cause.BUDGET and not held.events, held.decisions)
    free = planned(spent, config=Config(caps=Caps(day_micros=100)))
    demand("its share", free.state.leases["a"].budget_micros == 25, free.state.leases)
    [start] = [one for one in free.actions if isinstance(one, StartRun)]
    demand("is its budget", start.order.job is not None and start.order.job.budget_micros == 25, start)


def crowd(*agents: str, running: Candidate | None = None) -> State:
    """A task with a goal for each agent, all waiting but the first where `running` does it."""
    tasks = {}
    for at, (name, agent) in enumerate(zip("abcd", agents, strict=False)):
        one = task(Status.RUNNING if running and not at else Status.WAITING, order=at)
        spec = replace(one.spec, id=name, run="", goal="g", agent=agent, fallbacks=("second",), claims=(PathSpec(name),))
        tasks[name] = replace(one, spec=spec, pick=running if running and not at else None)
    state = state_of(*tasks.values())
    return replace(state, tasks=tasks)


def causes(plan: Plan) -> dict[str, Cause]:
    return {one.task: one.cause for one in plan.decisions}


PAIR = AgentsSeen(
    (Definition("first", "claude", provider="maker"), Definition("second", "codex", provider="other")),
    programs=("claude", "codex"),
    installed=("claude", "codex"),
)


@scene
def slots_are_those_of_who_really_works() -> None:
    limit = Config(agents=(Agent("second", 1),), parallel=9)
    plan = planned(crowd("first", "second", running=Candidate("codex", agent="second")), config=limit, agents=PAIR)
    demand("the fallback has the slot", causes(plan) == {"b": Cause.AGENT}, plan.decisions)
    plan = planned(crowd("first", "second", running=Candidate("claude", agent="first")), config=limit, agents=PAIR)
    demand("the first has not", causes(plan) == {"b": Cause.NONE}, plan.decisions)


@scene
def the_provider_of_a_definition_has_its_limit_also_for_a_fallback() -> None:
    limit = Config(providers=(Slots("maker", 1), Slots("other", 1)), parallel=9)
    plan = planned(crowd("first", "first", "second"), config=limit, agents=PAIR)
    demand("one each", causes(plan) == {"a": Cause.NONE, "b": Cause.PROVIDER, "c": Cause.NONE}, plan.decisions)
    cooling = replace(crowd("first", "second"), cooling={"maker": 90_000})
    plan = planned(cooling, config=limit, agents=PAIR)
    demand("who goes elsewhere counts there", causes(plan) == {"a": Cause.NONE, "b": Cause.PROVIDER}, plan.decisions)


@scene
def whoever_auto_is_has_a_name_and_the_limit_of_that_name() -> None:
    coder = AgentsSeen((Definition("coder", "claude", capabilities=("implement",)),), installed=("claude",))
    plan = planned(crowd(AUTO, AUTO), config=Config(agents=(Agent("coder", 1),), parallel=9), agents=coder)
    demand("its name", causes(plan) == {"a": Cause.NONE, "b": Cause.AGENT}, plan.decisions)
    bare = AgentsSeen((Definition("claude", "claude"),), installed=("claude",))
    [start] = [one for one in planned(crowd(AUTO), agents=bare).actions if isinstance(one, StartRun)]
    demand("no way around a definition", start.order.job is not None and not start.order.job.rules, start)
    wrong = AgentsSeen(bad=frozenset({"claude"}), programs=("claude",), installed=("claude",))
    [start] = [one for one in planned(crowd(AUTO), agents=wrong).actions if isinstance(one, StartRun)]
    demand("also not around one with a mistake", start.order.job is not None and start.order.job.program == AUTO, start)


@scene
def an_agent_without_a_budget_leaves_the_others_their_share() -> None:
    plan = planned(crowd("first", "first", "first"), config=Config(caps=Caps(0, 80, 100, 2), parallel=9), agents=PAIR)
    given = [event.lease.budget_micros for event in plan.events if isinstance(event, AttemptStarted)]
    demand("a part of the smaller cap each, and no more than there is", given == [40, 40], given)
    demand("the next waits", causes(plan)["c"] is Cause.BUDGET, plan.decisions)
    alone = planned(crowd("first"), config=Config(caps=Caps(70)), agents=PAIR)
    given = [event.lease.budget_micros for event in alone.events if isinstance(event, AttemptStarted)]
    demand("a cap on the task is its own", given == [70], given)


@scene
def a_run_waits_for_a_provider_that_comes_back_soon_and_for_nobody_else() -> None:
    waits = replace(crowd("second"), cooling={"other": 90_000})
    plan = planned(waits, agents=PAIR)
    demand("known", plan.warm_ms == 90_000, plan)
    demand("soon", is_worth_waiting(90_000, Config(wait_seconds=90), 0))
    demand("late", not is_worth_waiting(90_001, Config(wait_seconds=90), 0))
    demand("nobody", not is_worth_waiting(None, Config(), 0))
    demand("paused for another reason", planned(waits, agents=PAIR, draining=True).warm_ms is None)


@scene
def auto_is_only_who_can_be_used_and_waits_while_they_are_asked() -> None:
    good = (Definition("a", "codex", capabilities=("implement",)), Definition("b", "claude", capabilities=("implement",)))
    seen = AgentsSeen(good, programs=("claude", "codex"), installed=("codex", "claude"), unfit=(("codex", "codex lacks --x"),))
    [start] = [one for one in planned(crowd(AUTO), agents=seen).actions if isinstance(one, StartRun)]
    demand("who is fine", start.order.job is not None and start.order.job.program == "claude", start)
    spec = crowd(AUTO).tasks["a"].spec
    demand("told", tell_chain(spec, seen)[0] == "`auto` is `b` (claude)", tell_chain(spec, seen))
    nobody = replace(seen, installed=("codex",), unfit=(*seen.unfit, ("claude", "claude is not there")))
    demand("why nobody", tell_chain(spec, nobody)[0] == "`auto` is nobody: codex lacks --x, claude is not there")
    asked = replace(seen, unasked=frozenset({"codex"}))
    file = FileSeen("n.yaml", replace(spec, id="n", fallbacks=()), "d", Source.FILE)
    for agents, known in ((asked, False), (seen, True)):
        plan = planned(State(), files=FilesSeen((file,)), agents=agents)
        demand("taken in when they have answered", ("n" in plan.state.tasks) is known, plan.state)
    named = replace(file, spec=replace(file.spec, agent="b"))
    demand("a name waits for nobody", "n" in planned(State(), files=FilesSeen((named,)), agents=asked).state.tasks)


@scene
def who_is_not_installed_is_passed_over_and_that_is_told() -> None:
    seen = replace(PAIR, installed=("codex",), unfit=(("claude", "claude is not installed"),))
    [start] = [one for one in planned(crowd("first"), agents=seen).actions if isinstance(one, StartRun)]
    demand("the next", start.order.job is not None and start.order.job.program == "codex", start)
    spec = crowd("first").tasks["a"].spec
    demand("told", tell_chain(spec, seen) == ("agent `first` is passed over: claude is not installed",), tell_chain(spec, seen))
    barred = replace(PAIR.good[0], capabilities=("implement",), objection="claude cannot do that")
    odd = replace(PAIR, good=(barred, PAIR.good[1]))
    [start] = [one for one in planned(crowd("first"), agents=odd).actions if isinstance(one, StartRun)]
    demand("nor whose rules cannot be held", start.order.job is not None and start.order.job.program == "codex", start)
    demand("and why", tell_chain(spec, odd) == ("agent `first` is passed over: claude cannot do that",), tell_chain(spec, odd))
    demand("nor is it anybody", tell_chain(replace(spec, agent=AUTO), odd)[0] == "`auto` is `claude` (claude)")
    none = replace(PAIR, installed=())
    [start] = [one for one in planned(crowd("first"), agents=none).actions if isinstance(one, StartRun)]
    demand("nobody: the first says it", start.order.job is not None and start.order.job.program == "claude", start)
    demand("a command has no chain", not tell_chain(replace(spec, goal=""), seen))


def lost(state: State) -> Plan:
    """What follows when nothing is left of the attempt that runs."""
    [run] = [f"a.1.{one.attempt}" for one in state.tasks.values()]
    return planned(state, runs={run: RunSeen(Phase.ENDED, Exit(Outcome.LOST, fence=state.leases["a"].fence), KEPT)})


@scene
def a_lost_attempt_of_an_agent_counts_like_every_other() -> None:
    state, started = working(fallbacks=("codex",)), 1
    while state.tasks["a"].status is Status.RUNNING:
        state = lost(state).state
        started += state.tasks["a"].status is Status.RUNNING
    demand("three in all", (started, state.tasks["a"].status) == (3, Status.FAILED), state.tasks["a"])
    asked = replace(working().tasks["a"], earlier=Earlier("tip", "base", ()))
    again = lost(replace(working(), tasks={"a": asked})).state.tasks["a"]
    demand("what a person answered is not forgotten", again.earlier == asked.earlier, again)


@scene
def what_told_nothing_of_its_money_was_not_free() -> None:
    killed, refused = Report(conversation="c", error="killed"), Report(status=401, error="no")
    for report, unpriced in ((killed, 1), (Report(tools=1), 1), (refused, 0), (replace(killed, usage=Usage(1, 0, 1, 5)), 0)):
        plan = after(report, working())
        demand("as unknown", [one.unpriced for one in plan.state.ledger.accounts] == [unpriced], report, plan.state.ledger)
    told = Exit(Outcome.LOST, report=replace(killed, usage=Usage(1, 0, 1, 5)), fence=working().leases["a"].fence)
    plan = planned(working(), runs={"a.1.1": RunSeen(Phase.ENDED, told, KEPT)})
    demand("what it had told counts", [(a.micros, a.unpriced) for a in plan.state.ledger.accounts] == [(5, 0)])
    demand("and says nothing of its end", not [one for one in plan.events if "say" in str(getattr(one, "detail", ""))])
    demand("so is a lost one", [one.unpriced for one in lost(working()).state.ledger.accounts] == [1])
    answered = replace(working().tasks["a"], rework=Rework(Answer.WIDEN, "tip", "base", "ref"))
    demand("not an answer", not lost(replace(working(), tasks={"a": answered})).state.ledger.accounts)


@scene
def who_used_up_its_tokens_is_followed_by_one_that_holds_more() -> None:
    small, large = Price("s*", 1, 1, 1, "d", 100), Price("l", 1, 1, 1, "d", 200)
    good = (Definition("first", "claude", "", "small", max_tokens=1000), Definition("second", "codex", "", "large"))
    seen = AgentsSeen(
        (*good, Definition("third", "codex", "", "l")), programs=("claude", "codex"), installed=("claude", "codex")
    )
    tired = Report(usage=Usage(800, 0, 100), error="odd")
    pick = Candidate("claude", "small", context_tokens=100, agent="first", budget_tokens=1000)
    state = working(agent="first", fallbacks=("second", "third"))
    state = replace(state, tasks={"a": replace(state.tasks["a"], pick=pick)})
    plan = after(tired, state, agents=seen, config=Config(prices=(small, large)))
    [tried] = plan.state.tasks["a"].tried
    demand("its class", tried.failure is Failure.TOKEN_EXHAUSTED, tried)
    [start] = [one for one in plan.actions if isinstance(one, StartRun)]
    demand("more room, not only another", start.order.job is not None and start.order.job.model == "l", start)
    plenty = after(replace(tired, usage=Usage(800, 0, 99)), state, agents=seen, config=Config(prices=(small, large)))
    demand("below nine tenths it was something else", plenty.state.tasks["a"].tried[0].failure is Failure.UNKNOWN)


@scene
def an_agent_is_told_how_many_tokens_it_may_use() -> None:
    good = AgentsSeen((Definition("first", "claude", max_tokens=7),), programs=("claude",), installed=("claude",))
    [start] = [one for one in planned(crowd("first"), agents=good).actions if isinstance(one, StartRun)]
    demand("told", start.order.job is not None and start.order.job.clocks.tokens == 7, start)


@scene
def an_agent_is_ended_when_its_money_is_spent_as_it_says_or_by_its_price() -> None:
    price, dollar = Price("m*", 10**6, 10**6, 10**6, "d"), 10**6
    good = AgentsSeen(
        (Definition("first", "aider", model="m1", budget_micros=dollar),), programs=("aider",), installed=("aider",)
    )
    [start] = [
        one for one in planned(crowd("first"), agents=good, config=Config(prices=(price,))).actions if isinstance(one, StartRun)
    ]
    clocks = start.order.job.clocks if start.order.job else Clocks()
    demand("told", (clocks.micros, clocks.price) == (dollar, price), clocks)
    [tried] = after(Report(ended_by=Watch.MONEY), working()).state.tasks["a"].tried
    demand("why is told", "as much money as it was allowed" in tried.what, tried)
    rows = (
        ("by its price", Usage(10**6 - 9, 0, 9), Watch.MONEY),
        ("not before", Usage(10**6 - 10, 0, 9), None),
        ("as it says", Usage(1, 0, 1, dollar), Watch.MONEY),
        ("whatever its price", Usage(10**9, 0, 1, 1), None),
        ("that it was free is not believed", Usage(10**9, 0, 1, 0), Watch.MONEY),
    )
    for why, used, ends in rows:
        vigil = hear(begin_vigil(0.0), Report(usage=used), 0.0)
        demand(why, find_expired(vigil, clocks, 0.0) is ends, used)
        demand("who has finished is not ended", find_expired(hear(vigil, Report(True, usage=used), 0.0), clocks, 0.0) is None)
        demand("nor who may spend any amount", find_expired(vigil, replace(clocks, micros=0), 0.0) is None)
        again = Report(usage=used + used, tally=Tally(own=used))
        demand("what it used before is not of this run", hear(vigil, again, 0.0).used == used)
    vigil = hear(begin_vigil(0.0), Report(usage=rows[0][1]), 0.0)
    demand("nobody knows a price", find_expired(vigil, replace(clocks, price=None), 0.0) is None)
    failed = after(Report(ended_by=Watch.MONEY), working(fallbacks=("codex",))).state.tasks["a"]
    demand("a person decides", failed.status is Status.FAILED and "raise the budget" in failed.detail[-1], failed)
    once = planned(working(), runs={"a.1.1": left(Report(ended_by=Watch.PROGRESS), Returned(Entry.KEPT, "tip", "ref"))})
    slow = once.state.tasks["a"]
    demand("the setting of that clock is named", "`limits: progress`" in slow.detail[-1], slow)
