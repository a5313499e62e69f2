"""Scenes of tasks that are judged by themselves before they may come into a save."""

from __future__ import annotations

from dataclasses import replace

from gate_scenes import gate_seen
from landing_scenes import FREE, FULL, gate_end
from playbook import SPEC, kinds, planned, saving, scene, state_of, task
from rules import GATES
from world import demand

from orchd.core import gating
from orchd.core.evolve import evolve
from orchd.core.planner import is_idle
from orchd.core.telling import Scene, list_needs, tell_task
from orchd.model.action import KeepResults, StartRun, StopRun
from orchd.model.agent import AgentsSeen
from orchd.model.claim import Lease
from orchd.model.config import Config
from orchd.model.message import TaskSeen
from orchd.model.run import Phase, RunOrder, RunSeen
from orchd.model.save import GatePhase, GateResult, SaveStep
from orchd.model.session import Session, SessionSpec
from orchd.model.snapshot import GatesSeen, Intent, Plan, SaveSeen, State, Verb
from orchd.model.work import Reason, Source, Status, Task

ALONE = tuple(replace(gate, phase=GatePhase.TASK) for gate in GATES)
CONFIG = Config(parallel=4, gates=(*ALONE, replace(GATES[0], name="whole")))
NEW = GatesSeen()
RED, GREEN = gate_seen(0, 1), gate_seen(0, 0)


def done(name: str = "a", **more: object) -> Task:
    """A finished task."""
    return replace(task(Status.READY, tip=f"tip-{name}", ref="ref", **more), spec=replace(SPEC, id=name))


def begun(*tasks: Task, **more: object) -> State:
    """They are being judged by themselves."""
    plan = planned(state_of(*(tasks or (done(),))), config=CONFIG, **more)
    demand("each is judged, and nothing is saved", set(kinds(plan)) == {"ScreeningBegun"}, plan.events)
    demand("nothing runs before it was looked up", not started(plan), plan.actions)
    return plan.state


def started(plan: Plan) -> list[RunOrder]:
    return [action.order for action in plan.actions if isinstance(action, StartRun)]


def goes_on(state: State, *said: RunSeen, **more: object) -> Plan:
    """The next look; `said` is what the first, the second ... run of each left."""
    runs = {f"@{one.id}.1.{at}": seen for one in state.screenings.values() for at, seen in enumerate(said, 1)}
    seen = {"screenings": dict.fromkeys(state.screenings, NEW), "config": CONFIG, "runs": runs}
    return planned(state, **(seen | more))  # type: ignore[arg-type]


def saves_on(state: State, **more: object) -> Plan:
    """The next look at a save in flight."""
    assert state.save is not None
    return planned(state, save=SaveSeen(state.save.id), draining=True, **more)


@scene
def a_finished_task_is_judged_on_its_own_tip_by_the_gates_of_its_phase() -> None:
    state = begun()
    [order] = started(goes_on(state))
    names = [command.name for command in order.commands]
    demand("its own tip, its own gates", (order.commit, names) == ("tip-a", [gate.name for gate in ALONE]), order)
    demand(
        "that is work to do",
        not is_idle(replace(state, sessions={"default": Session(SessionSpec("default"), paused=True)}), CONFIG),
    )
    told = tell_task(state.tasks["a"], state, scene=Scene(config=CONFIG)).what
    demand("and it is said", "unit, lint" in told and "by itself" in told, told)
    known = GatesSeen({1: tuple(GateResult(gate.name, True, 0, 7.0) for gate in ALONE)})
    plan = goes_on(state, screenings={"a": known})
    demand("what is known is not run", kinds(plan)[0] == "GateRan" and not started(plan), plan)
    plan = planned(state_of(done()), config=replace(CONFIG, gates=GATES))
    demand("without such gates nothing is asked", kinds(plan) == ["SavePlanned"], plan.events)


@scene
def who_is_green_by_itself_comes_into_a_save_that_asks_the_same_gates_again() -> None:
    plan = goes_on(begun(), GREEN)
    demand("at once", kinds(plan) == ["GateRan", "SavePlanned"] and plan.state.save, plan.events)
    assert plan.state.save is not None
    demand("on what is to land, too", plan.state.save.gates == CONFIG.gates, plan.state.save)
    save = replace(saving(SaveStep.MERGED, gates=ALONE).save, items=plan.state.save.items, id="s")  # type: ignore[type-var]
    for kept in (False, True):
        after = saves_on(replace(plan.state, save=save), screenings={"a": GatesSeen(kept=kept)}, config=CONFIG)
        stores = [action for action in after.actions if isinstance(action, KeepResults)]
        demand("what was said is stored first", (bool(stores), bool(started(after))) == (not kept, kept), kept, after.actions)


@scene
def who_is_red_by_itself_never_comes_into_a_save_and_its_neighbours_do() -> None:
    first = goes_on(begun(), RED)
    demand("red is asked again", kinds(first) == ["GateTried"] and len(started(first)) == 1, first)
    told = tell_task(first.state.tasks["a"], first.state, scene=Scene(config=CONFIG)).why
    demand("and that is said", GATES[1].name in " ".join(told), told)
    plan = goes_on(first.state, RED, RED)
    failed = plan.state.tasks["a"]
    demand("red again is the end", kinds(plan) == ["GateRan", "ScreenedOut"], plan.events)
    demand("like a culprit", (failed.status, failed.reason) == (Status.FAILED, Reason.GATE), failed)
    demand("with its log", gating.probe_run(first.state.screenings["a"], 1) in failed.detail, failed)
    told = tell_task(failed, plan.state).what
    demand("nobody claims that it was merged", "before it was merged" in told, told)
    seen = TaskSeen(SPEC, "2", Source.FILE, "", 2, 1, 9)
    demand("a new wording is judged anew", not evolve(plan.state, [seen]).screenings, plan.state.screenings)
    old = [replace(done(f"t{at}"), status=Status.LANDED) for at in range(8)]
    out = {f"t{at}": plan.state.screenings["a"] for at in range(4)}
    tasks = [replace(one, status=Status.FAILED, reason=Reason.GATE) if one.spec.id in out else one for one in old]
    demand("saves do not become timid", not gating.expects_red(replace(state_of(*tasks), screenings=out)))
    demand("as they do for culprits", gating.expects_red(state_of(*tasks)))
    flake = goes_on(first.state, RED, GREEN)
    demand("green then is a flake", kinds(flake) == ["GateRan", "SavePlanned"], flake.events)
    demand("and counted", flake.state.gates[GATES[1].name].flaky == 1, flake.state.gates)


@scene
def an_agent_whose_result_is_red_by_itself_is_asked_again_with_what_the_gate_said() -> None:
    goal = replace(SPEC, run="", goal="make it", agent="one", fallbacks=("two",))
    state = begun(replace(done(), spec=goal))
    agents = AgentsSeen(programs=("one", "two"), installed=("one", "two"))
    state = goes_on(state, RED, agents=agents).state
    plan = goes_on(state, RED, RED, agents=agents)
    demand("the failure is followed up", kinds(plan)[:3] == ["GateRan", "ScreenedOut", "RemedyFound"], plan.events)
    again = plan.state.tasks["a"]
    demand("it goes on", again.status is not Status.FAILED and not plan.state.screenings, again)
    demand("with the log", any(line.startswith("@") for line in again.setbacks[-1].detail), again.setbacks)


@scene
def who_is_cancelled_while_it_is_judged_ends_at_once_with_its_gates() -> None:
    state = begun()
    run = gating.probe_run(state.screenings["a"], 1)
    running = {run: RunSeen(Phase.RUNNING)}
    plan = goes_on(state, runs=running, leftovers=running, intents=(Intent("1", Verb.CANCEL, "a"),))
    demand("it is over", plan.state.tasks["a"].status is Status.CANCELLED and not plan.state.screenings, plan.events)
    demand("its gates are ended", StopRun(run) in plan.actions, plan.actions)


@scene
def no_more_trees_are_gated_than_allowed_and_those_of_the_save_first() -> None:
    tasks = [replace(done(f"t{at}"), order=at) for at in range(4)]
    state = begun(*tasks)
    demand("two at a time", len(started(goes_on(state))) == 2, state)
    wide = replace(CONFIG, gates_at_once=3)
    demand("or as many as are allowed", len(started(goes_on(state, config=wide))) == 3)
    busy = saving(SaveStep.MERGED)
    both = replace(
        state,
        tasks={**state.tasks, **{f"s{name}": one for name, one in busy.tasks.items()}},
        leases={**state.leases, **{f"s{name}": Lease(f"s{name}", "", 1, (), 0) for name in busy.leases}},
        save=busy.save,
    )
    seen = {"screenings": dict.fromkeys(state.screenings, NEW), "config": replace(CONFIG, gates_at_once=1)}
    [first] = started(saves_on(both, **seen))
    demand("the save goes first", first.id == "@save1.3.1", first)
    one = gating.probe_run(state.screenings["t0"], 1)
    running = saves_on(both, **seen, runs={one: RunSeen(Phase.RUNNING)})
    demand("what runs takes room from it, too", not started(running), running.actions)


@scene
def a_run_that_is_lost_is_repeated_and_in_the_end_says_nothing_good() -> None:
    state, lost = begun(), RunSeen(Phase.LOST)
    for count in (1, 2):
        plan = goes_on(state, *[lost] * count)
        demand("it is repeated", kinds(plan) == ["GateLost"] and len(started(plan)) == 1, plan)
        state = plan.state
    plan = goes_on(state, lost, lost, lost)
    demand("three times", kinds(plan) == ["GateRan", "ScreenedOut"], plan.events)
    demand("no lost run is called red", "no evidence" in str(plan.state.tasks["a"].detail), plan.events)


@scene
def without_room_nobody_is_judged_and_that_is_said_and_nobody_waits_for_it() -> None:
    state = begun()
    held = goes_on(state, machine=FULL)
    demand("held", kinds(held) == ["SaveHeld"] and not started(held), held)
    demand("then it rests", not goes_on(held.state, machine=FULL).events and is_idle(held.state, CONFIG), held.state)
    [need] = list_needs(held.state, Scene(config=CONFIG))
    demand("a person is told", (need.subject, need.command) == ("a", "df -h"), need)
    on = goes_on(held.state, machine=FREE)
    demand("and it goes on", kinds(on) == ["SaveHeld"] and len(started(on)) == 1 and not is_idle(on.state, CONFIG), on)
    first = goes_on(state, gate_end(1, starved=True), machine=FREE)
    demand("what it said counts for nothing", kinds(first) == ["GateStarved"] and not started(first), first)
    waits = goes_on(first.state, gate_end(1, starved=True), machine=FREE)
    demand("it waits", kinds(waits) == ["SaveHeld"] and not started(waits), waits)
    again = goes_on(waits.state, gate_end(1, starved=True), machine=FREE, now_ms=31_000)
    demand("and is judged again", kinds(again) == ["SaveHeld"] and len(started(again)) == 1, again)


@scene
def who_is_done_waits_a_moment_for_who_is_still_judged() -> None:
    state = begun(done("t1", order=1, ended_ms=7), done("t2", order=2, ended_ms=7))
    first = gating.probe_run(state.screenings["t1"], 1)
    seen = {"screenings": dict.fromkeys(state.screenings, NEW), "config": CONFIG, "runs": {first: GREEN}}
    plan = planned(state, **seen)
    demand("a moment", kinds(plan) == ["GateRan"] and plan.wake_ms == 257, plan)
    plan = planned(plan.state, **seen, now_ms=300)
    demand("and no longer", "SavePlanned" in kinds(plan), plan)
