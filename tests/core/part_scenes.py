"""Scenes about steps that are too large: into what they are divided, what becomes of it, and how recovery is told. On the
programme of `playbook` once this module is imported."""

from __future__ import annotations

from dataclasses import replace

from agent_scenes import SEEN, left, working
from goal_step_scenes import failing, started, stepping
from playbook import look, planned, scene, state_of, task
from world import demand

from orchd.core.briefing import tell_task as notes_for
from orchd.core.outlooks import find_outlook, tell_recovery
from orchd.core.parts import divide, find_parts, read_parts
from orchd.model.action import StartRun
from orchd.model.agent import Report
from orchd.model.recovery import Outlook, Part
from orchd.model.run import Entry, Phase, Returned, RunSeen
from orchd.model.snapshot import Plan, State
from orchd.model.work import Status, Step, StepMade

PARTS = (Part("lexer", "write the lexer"), Part("parser", "write the parser"))
LINES = ("lexer: write the lexer", "parser:write the parser ")
FULL = Report(status=413, error="prompt is too long")


def too_large(state: State, *lines: str, **seen: object) -> Plan:
    """What follows when its context was too small, and these parts were asked for."""
    run = f"a.1.{state.tasks['a'].attempt}"
    ended = left(FULL, Returned(Entry.KEPT, "tip", "ref"))
    assert ended.exit is not None
    ended = replace(ended, exit=replace(ended.exit, fence=state.leases["a"].fence), asked={"parts": lines} if lines else {})
    return planned(state, runs={run: ended}, **seen)


@scene
def a_goal_that_is_too_large_is_divided_as_its_task_declares_else_as_its_agent_proposed() -> None:
    for state, lines in ((working(), LINES), (working(parts=PARTS), ("x: y", "y: z"))):
        plan = too_large(state, *lines, agents=SEEN)
        start = started(plan)
        demand("in their order", [one.name for one in start.order.commands] == ["lexer", "parser"], start)
        demand("each is asked", [(one.goal, one.whole) for one in start.asks] == [(part.goal, "g") for part in PARTS], start)
        demand("by the same", plan.state.tasks["a"].pick == plan.state.tasks["a"].tried[-1].candidate, plan.state)
        demand("the wish is as it was", plan.state.tasks["a"].spec.goal == "g" and len(plan.state.tasks["a"].spec.steps) == 2)
    lost = too_large(working()).state.tasks["a"]
    demand("without parts it ends", (lost.status, lost.outlook) == (Status.FAILED, Outlook.UNRECOVERABLE), lost)


@scene
def a_step_that_is_divided_leaves_the_others_and_its_parts_are_tried_as_often_as_any_step() -> None:
    made = (StepMade("plan", "c1"), StepMade("make", "c2"))
    state = stepping(fallbacks=("codex",), acceptance=("all good",))
    first = failing(state, "write", Report(status=500), *made)
    state = replace(first.state, cooling={})
    plan = too_large(state, *LINES)
    mine = plan.state.tasks["a"]
    demand("in its place", [one.name for one in mine.spec.steps] == ["plan", "make", "write.lexer", "write.parser"], mine.spec)
    demand("from the checkpoint", started(plan).order.commit == "c2" and mine.tried[-1].begin == "c2", plan)
    demand("the last answers for all", started(plan).asks[-1].acceptance == ("all good",), started(plan).asks)
    again = failing(replace(plan.state, cooling={}), "write.lexer", Report(status=500)).state.tasks["a"]
    demand("counted anew", [one.step for one in again.tried] == ["write.lexer"], again.tried)
    demand("who failed before may be asked", again.pick is not None and again.pick.agent == "claude", again.pick)


@scene
def a_step_is_divided_twice_at_most() -> None:
    deep = (Step("a.b", goal="x", depth=1, whole="y"), Step("a.c", goal="x", depth=1))
    once = too_large(stepping(steps=deep), *LINES)
    names = [one.name for one in once.state.tasks["a"].spec.steps]
    demand("a second time", names == ["a.b.lexer", "a.b.parser", "a.c"], names)
    demand("its agent may not propose any more", [ask.divisible for ask in started(once).asks] == [False, False, True], once)
    twice = too_large(once.state, *LINES).state.tasks["a"]
    demand("not a third time", twice.status is Status.FAILED, twice)


@scene
def a_proposal_counts_whole_or_not_at_all() -> None:
    demand("it counts", read_parts(LINES) == (PARTS, ()), read_parts(LINES))
    bad = (("a: x", "a: y"), ("a: x", "B: y"), ("a: x", "b:"), ("a: x", "b"))
    for lines in (("one: all",), tuple(f"p{at}: x" for at in range(6)), *bad):
        parts, faults = read_parts(lines)
        demand("not at all", not parts and faults, lines)
    demand("inert", read_parts(("a: x\x1b[31m", "b: y"))[0][0].goal.isprintable(), LINES)
    demand("nothing is no fault", read_parts(()) == ((), ()))
    demand("declared goes first", find_parts(Step("s", goal="g", parts=PARTS), {"parts": ("x: y", "y: z")}) == PARTS)
    kept = divide(working().tasks["a"].spec, Step("agent", goal="g", acceptance=("good",), optional=True), PARTS).steps
    demand("what holds for it", [(one.acceptance, one.optional) for one in kept] == [((), True), (("good",), True)], kept)


@scene
def an_agent_is_told_what_its_proposal_came_to_and_a_command_can_propose_nothing() -> None:
    for lines, told in ((LINES, "lexer, parser"), (("one: all",), "2 to 5 parts")):
        state = working()
        snapshot = look(state, runs={"a.1.1": RunSeen(Phase.RUNNING, asked={"parts": lines})})
        notes = {one.name: one.text for one in notes_for(state.tasks["a"], state, snapshot)}
        demand("told", told in notes["parts.md"], notes)
    [start] = [one for one in planned(working(), agents=SEEN).actions if isinstance(one, StartRun)]
    demand("how to", "parts.ask" in start.order.brief and start.asks[0].divisible, start)
    [plain] = [one for one in planned(state_of(task(Status.RUNNING))).actions if isinstance(one, StartRun)]
    demand("not for commands", "parts.ask" not in plain.order.brief, plain)


@scene
def how_recovery_ended_is_one_word_with_the_checkpoint() -> None:
    plan = failing(stepping(fallbacks=("codex",)), "write", Report(status=500), StepMade("plan", "c1"), StepMade("make", "c2"))
    mine = plan.state.tasks["a"]
    demand("it goes on", find_outlook(mine) is None and tell_recovery(mine).startswith("goes on, from step make (c2)"), mine)
    landed = replace(mine, status=Status.LANDED)
    demand("recovered", find_outlook(landed) is Outlook.RECOVERED, landed)
    demand("in words", tell_recovery(landed) == "recovered, from step make (c2), after 1 x unavailable", tell_recovery(landed))
    demand("partial", find_outlook(replace(landed, skipped=("x",))) is Outlook.PARTIAL)
    plain = replace(landed, tried=())
    demand("nothing to tell", tell_recovery(plain) == "" and find_outlook(plain) is None, plain)
    login = failing(stepping(), "plan", Report(status=401)).state.tasks["a"]
    demand("escalated", find_outlook(login) is Outlook.ESCALATED and "its beginning" in tell_recovery(login), login)
    hopeless = failing(replace(plan.state, cooling={}), "write", Report(finished=True)).state.tasks["a"]
    demand("in vain", find_outlook(hopeless) is Outlook.RETRY_FAILED, hopeless)
