"""Scenes of landing: what the last proofs find is an answer about tasks, and the rest goes on."""

from __future__ import annotations

from dataclasses import replace

from playbook import SPEC, kinds, planned, saving, scene, state_of, step, task
from rules import GATES
from session_scenes import statuses
from world import demand

from orchd.core import planner
from orchd.core.evolve import evolve
from orchd.core.statuses import is_open_question
from orchd.core.wording import word_checkpoint, word_tag
from orchd.model.action import LandSave, StartRun
from orchd.model.agent import Usage
from orchd.model.config import Config
from orchd.model.cost import Bill, Spent
from orchd.model.limits import ROOM_BYTES
from orchd.model.machine import MachineSeen
from orchd.model.message import CostBooked, GateLost, GateRan, GateStarved, GateTried, SaveHeld, TaskSeen
from orchd.model.run import CommandResult, Exit, Outcome, Phase, RunSeen
from orchd.model.save import Excluded, Hold, Merged, SaveItem, SaveStep, Target, Verdict
from orchd.model.snapshot import Plan, SaveSeen, State
from orchd.model.work import Reason, Source, Status

GREEN = (Verdict(3, True, ()),)


@scene
def what_the_last_proof_finds_outside_a_claim_is_asked_and_the_rest_is_saved_anew() -> None:
    for target in Target:
        state = saving(SaveStep.GATED, lands=3, verdicts=GREEN, target=target)
        assert state.save is not None
        gone = Excluded(state.save.items[1], Reason.CLAIM, ("b was changed",))
        plan = step(state, refused=(gone,))
        demand("given up and begun anew", kinds(plan) == ["SaveRefused", "SaveAbandoned", "SavePlanned"], target, plan)
        demand("a person is asked", is_open_question(plan.state.tasks["t1"]), plan.state.tasks["t1"])
        demand("about what was found", plan.state.tasks["t1"].detail == gone.detail, plan.state.tasks["t1"])
        save = plan.state.save
        demand("the rest goes on", save and [item.task for item in save.items] == ["t0", "t2"], save)
        demand("nothing lands now", LandSave not in {type(action) for action in plan.actions}, plan)


@scene
def when_nothing_is_left_after_the_last_proofs_orchd_rests() -> None:
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN)
    assert state.save is not None
    plan = step(state, refused=tuple(Excluded(item, Reason.PROOF, ("broken",)) for item in state.save.items))
    demand("held", statuses(plan.state) == ["held"] * 3 and plan.state.save is None, plan)
    demand("rest", not plan.actions and planner.is_idle(plan.state, Config()), plan)


@scene
def of_a_line_what_was_built_on_the_refused_is_held_with_it() -> None:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"merge-t{at}", base) for at, base in enumerate(("base", "merge-t0", "base")))
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN, items=items, start="base")
    after = step(state, refused=(Excluded(items[0], Reason.CLAIM, ("x",)),)).state
    demand("both", statuses(after)[:2] == ["held", "held"] and after.tasks["t1"].reason is Reason.BUILT_ON, after)
    demand("and nobody else", statuses(after)[2] in ("ready", "saving"), after)


@scene
def what_has_landed_or_was_overtaken_is_not_refused() -> None:
    state = saving(SaveStep.GATED, lands=3, verdicts=GREEN)
    assert state.save is not None
    refused = (Excluded(state.save.items[0], Reason.CLAIM, ("x",)),)
    demand("landed", kinds(step(state, refused=refused, landed="C")) == ["SaveLanded"])
    demand("overtaken", kinds(step(state, "moved", refused=refused))[0] == "SaveAbandoned")


FULL, FREE = MachineSeen(ROOM_BYTES - 1), MachineSeen(ROOM_BYTES)


def gate_end(code: int, *, starved: bool) -> RunSeen:
    """A run of the gates of which the first ended with a code."""
    results = tuple(CommandResult(gate.name, code, 1.0) for gate in (GATES if code == 0 else GATES[:1]))
    return RunSeen(Phase.ENDED, Exit(Outcome.EXITED, results, starved=starved))


def look_at(state: State, machine: MachineSeen, now_ms: int = 7, **runs: RunSeen) -> Plan:
    """A plan with one disk and one clock; runs are named by their attempt."""
    named = {f"@save1.3.{name[1:]}": seen for name, seen in runs.items()}
    return planned(state, save=SaveSeen("save1"), machine=machine, now_ms=now_ms, runs=named, draining=True)


def gate_starts(plan: Plan) -> list[str]:
    return [action.order.id for action in plan.actions if isinstance(action, StartRun)]


@scene
def without_room_no_gate_begins_and_the_save_waits_for_it() -> None:
    state = saving(SaveStep.MERGED)
    plan = look_at(state, FULL)
    demand("told", plan.events == (SaveHeld("save1", Hold.ROOM, ()),) and not gate_starts(plan), plan)
    demand("then it rests", not look_at(plan.state, FULL).events and planner.is_idle(plan.state, Config()), plan)
    on = look_at(plan.state, FREE)
    demand("and goes on", on.events == (SaveHeld("save1", None, ()),) and gate_starts(on) == ["@save1.3.1"], on)


@scene
def what_gates_say_without_room_counts_for_nothing_but_green() -> None:
    state = saving(SaveStep.MERGED)
    for seen, machine in ((gate_end(1, starved=True), FREE), (gate_end(1, starved=False), FULL), (RunSeen(Phase.LOST), FULL)):
        plan = look_at(state, machine, r1=seen)
        demand("no verdict", plan.events[0] == GateStarved("save1", 3, 7), plan)
    green = look_at(state, FULL, r1=gate_end(0, starved=True)).events[0]
    demand("green is green", isinstance(green, GateRan) and green.verdict.green, green)
    red = look_at(state, FREE, r1=gate_end(1, starved=False)).events[0]
    demand("with room it is heard", isinstance(red, GateTried), red)


@scene
def starved_gates_are_run_again_later_and_never_count_as_lost() -> None:
    state, now_ms = saving(SaveStep.MERGED), 1000
    for times, pause_ms in enumerate((30_000, 60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000), 1):
        state = look_at(state, FREE, now_ms, **{f"r{times}": gate_end(1, starved=True)}).state
        early = look_at(state, FREE, now_ms + pause_ms - 1)
        demand("not at once", not gate_starts(early) and early.state.save and early.state.save.hold is Hold.ROOM, early)
        now_ms += pause_ms
        plan = look_at(state, FREE, now_ms)
        demand("but later", gate_starts(plan) == [f"@save1.3.{times + 1}"], plan)
        state = plan.state
    demand("a clock that was set back stops nothing", gate_starts(look_at(state, FREE, 0)), state)
    event = look_at(state, FREE, now_ms, r10=RunSeen(Phase.LOST)).events[0]
    demand("one is lost, not ten", isinstance(event, GateLost), event)


@scene
def what_the_agents_of_a_task_cost_goes_with_its_work_to_the_checkpoint() -> None:
    bill = Bill("2026-11-27", "default", "a", "claude", "opus", told=Usage(10, 0, 5, 700))
    state = evolve(state_of(task(Status.READY, tip="tip")), [CostBooked(bill), CostBooked(bill)])
    demand("all attempts together", state.tasks["a"].spent == Spent(30, 1400, 0), state.tasks["a"])
    save = planned(state).state.save
    assert save is not None
    demand("a save takes it along", save.items[0].spent == Spent(30, 1400, 0), save)
    landed = replace(save, lands=1, chain=(Merged(save.items[0], "head", "tree"),))
    line = "Orch-Cost: a 30 tokens, 0.001400 USD, 0 unpriced"
    demand("it is told with what landed", line in word_tag(landed) and line in word_checkpoint(landed, ("A",), "1"), landed)
    free = replace(landed, chain=(Merged(replace(save.items[0], spent=None), "head", "tree"),))
    demand("a command costs nothing", "Orch-Cost" not in word_tag(free), free)
    seen = TaskSeen(SPEC, "2", Source.FILE, "", 1, 1, 0)
    waits = state_of(task(Status.WAITING, spent=Spent(30)))
    demand("a new wording keeps it", evolve(waits, [seen]).tasks["a"].spent == Spent(30))
    demand("a new generation begins anew", evolve(waits, [replace(seen, generation=2)]).tasks["a"].spent is None)
    gone = evolve(state_of(), [CostBooked(bill)])
    demand("the books are kept without the task", gone.ledger.accounts[0].micros == 700 and not gone.tasks, gone)
