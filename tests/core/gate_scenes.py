"""Scenes of gates: a red one is asked again, what was green before is not run, doubts are told."""

from __future__ import annotations

from dataclasses import replace

import rules
from playbook import SPEC, kinds, saving, scene, state_of, step, task
from rules import GATES
from world import demand

from orchd.core import gating
from orchd.core.evolve import evolve
from orchd.model.action import KeepResults, StartRun
from orchd.model.message import GateRan, GateTried
from orchd.model.run import CommandResult, Exit, Outcome, Phase, RunSeen
from orchd.model.save import GateResult, SaveStep, Target, Try, Verdict
from orchd.model.snapshot import GatesSeen
from orchd.model.work import Reason, Status, Task


def gate_seen(*codes: int) -> RunSeen:
    """A gate run with one code for each gate."""
    results = (CommandResult(gate.name, code, 1.0) for gate, code in zip(GATES, codes, strict=False))
    return RunSeen(Phase.ENDED, Exit(Outcome.EXITED, tuple(results)))


@scene
def a_red_gate_is_asked_again_on_the_same_tree_and_green_then_is_a_flake() -> None:
    first = step(saving(SaveStep.MERGED), runs={"@save1.3.1": gate_seen(0, 1)})
    [again] = [action.order for action in first.actions if isinstance(action, StartRun)]
    alone = tuple(replace(gate, inputs=("src/**",)) for gate in GATES)
    apart = step(saving(SaveStep.MERGED, gates=alone), runs={"@save1.3.1": gate_seen(0, 1)})
    [lint] = [action.order for action in apart.actions if isinstance(action, StartRun)]
    demand("only what was red, where each stands for itself", [c.name for c in lint.commands] == [GATES[1].name], lint)
    names = [gate.name for gate in GATES]
    demand("with what may prepare it", (again.id, [c.name for c in again.commands]) == ("@save1.3.2", names), again)
    for code, green in ((0, True), (1, False)):
        seen = gate_seen(0, code)
        event = step(first.state, runs={"@save1.3.2": seen}).events[0]
        demand("the second word counts", isinstance(event, GateRan) and event.verdict.green == green, event)
        assert isinstance(event, GateRan)
        demand("the log is that of the last run", event.verdict.attempt == 2, event)
        demand("a flake is called one", [r.flaky for r in event.verdict.results] == [False, green], event)
        tally = evolve(first.state, [event]).gates[GATES[1].name]
        demand("and counted", (tally.green, tally.red, tally.flaky) == (int(green), int(not green), int(green)), tally)
    late = Exit(Outcome.TIMEOUT, (CommandResult(GATES[0].name, 0, 1.0, timed_out=True),))
    event = step(saving(SaveStep.MERGED), runs={"@save1.3.1": RunSeen(Phase.ENDED, late)}).events[0]
    demand("late is red, whatever the code", isinstance(event, GateTried) and not event.results[0].green, event)
    stern = tuple(replace(gate, retries=0) for gate in GATES)
    event = step(saving(SaveStep.MERGED, gates=stern), runs={"@save1.3.1": gate_seen(0, 1)}).events[0]
    demand("without retries the first word counts", isinstance(event, GateRan) and not event.verdict.green, event)


@scene
def what_was_green_before_is_not_run_again_and_a_doubt_is_told() -> None:
    both = tuple(GateResult(gate.name, True, 0, 7.0) for gate in GATES)
    state = saving(SaveStep.MERGED)
    assert state.save is not None
    planned = step(state, gates=GatesSeen({3: both}))
    event = planned.events[0]
    assert isinstance(event, GateRan)
    demand("known", event.verdict.green and all(result.cached for result in event.verdict.results), event)
    demand("no run is named", event.verdict.attempt == 0, event)
    tally = planned.state.gates[GATES[0].name]
    demand("time was saved", (tally.cached, tally.saved_seconds, tally.green) == (1, 7.0, 0), tally)
    demand("nothing runs", not any(isinstance(action, StartRun) for action in planned.actions), planned)
    half = step(state, gates=GatesSeen({3: both[:1]}))
    [start] = [action.order for action in half.actions if isinstance(action, StartRun)]
    names = [gate.name for gate in GATES]
    demand("what may prepare the other is run too", [command.name for command in start.commands] == names, start)
    alone = tuple(replace(gate, inputs=("src/**",)) for gate in GATES)
    half = step(saving(SaveStep.MERGED, gates=alone), gates=GatesSeen({3: both[:1]}))
    [start] = [action.order for action in half.actions if isinstance(action, StartRun)]
    demand("one that stands for itself is not", [command.name for command in start.commands] == names[1:], start)
    first = gating.open_gates(state.save, 3, {3: both[1:]})
    demand("what comes after is not", [gate.name for gate in first] == names[:1], first)
    saves = [replace(state.save, id=f"s{number}", gates=alone) for number in range(1000)]
    audited = [(save, gate) for save in saves for gate in gating.open_gates(save, 3, {3: both})]
    demand("two in a hundred are run all the same", 0.01 < len(audited) / 2000 < 0.03, len(audited))
    save, gate = next((save, gate) for save, gate in audited if gate == alone[1])
    red = Try(3, (GateResult(gate.name, False, 1, 1.0),))
    verdict = gating.judge(replace(save, tries=(red,)), 3, {3: both}, red)
    demand("it is red and disputed", verdict and not verdict.green and verdict.results[-1].disputed, verdict)


@scene
def results_are_stored_until_they_are() -> None:
    verdicts = (Verdict(3, True, ()),)
    for kept in (False, True):
        planned = step(saving(SaveStep.MERGED, verdicts=verdicts), gates=GatesSeen({}, kept))
        asked = any(isinstance(action, KeepResults) for action in planned.actions)
        demand("only what is not there", asked is not kept, kept)


@scene
def a_save_ends_only_when_its_results_are_stored_for_the_next_one() -> None:
    verdicts = (Verdict(3, True, ()),)
    for target in Target:
        for kept in (False, True):
            state = saving(SaveStep.GATED, verdicts=verdicts, lands=3, target=target, commit="C")
            planned = step(state, landed="C", published=True, gates=GatesSeen({}, kept))
            demand("what was found is not lost", ("SaveClosed" in kinds(planned)) is kept, target, kept, planned.events)


@scene
def many_red_tasks_make_the_next_save_ask_one_by_one() -> None:
    def ended(number: int, *, red: bool) -> Task:
        status, reason = (Status.FAILED, Reason.GATE) if red else (Status.LANDED, None)
        return replace(task(status, reason=reason, ended_ms=number), spec=replace(SPEC, id=f"t{number}"))

    for red, judged, expected in ((2, 8, True), (1, 8, False), (2, 7, False), (0, 20, False)):
        tasks = [ended(at, red=at < red) for at in range(judged)]
        demand("from a quarter on", gating.expects_red(state_of(*tasks)) == expected, red, judged)
    old = [ended(at, red=True) for at in range(10)] + [ended(at, red=False) for at in range(10, 30)]
    demand("only the last ones count", not gating.expects_red(state_of(*old)))


@scene
def gates_that_could_not_be_run_on_main_either_do_not_call_it_red() -> None:
    lost = GateResult(GATES[0].name, green=False, code=-1, seconds=0.0)
    red = replace(lost, code=1, seconds=1.0)
    for result, told in ((lost, gating.UNHEARD_BEFORE), (red, gating.RED_BEFORE)):
        verdicts = tuple(Verdict(index, green=False, results=(result,)) for index in (1, 0))
        [gone] = gating.blame(replace(saving(SaveStep.MERGED).save, verdicts=verdicts))  # type: ignore[type-var]
        demand("what is known", told in gone.detail, gone)


@scene
def a_gate_that_is_green_once_and_red_in_the_way_of_another_ends_the_asking() -> None:
    save = saving(SaveStep.MERGED).save
    assert save is not None
    half = Try(3, (GateResult(GATES[0].name, True, 0, 1.0), GateResult(GATES[1].name, False, 1, 1.0)))
    stuck = Try(3, (GateResult(GATES[0].name, False, 1, 1.0),))
    verdicts = [gating.judge(replace(save, tries=(half, *(stuck,) * count)), 3, {}) for count in range(40)]
    demand("asked a limited number of times", verdicts[0] is None and verdicts[-1] is not None, verdicts)
    assert verdicts[-1] is not None
    demand("and not green", not verdicts[-1].green, verdicts[-1])
    both = tuple(GateResult(gate.name, True, 0, 7.0) for gate in GATES)
    verdict = gating.judge(replace(save, tries=(stuck, stuck)), 3, {3: both[:1]})
    demand(
        "what is red now is not believed to be green", verdict and not verdict.green and verdict.results[0].disputed, verdict
    )


@scene
def what_an_earlier_orchd_asked_elsewhere_counts_in_the_search() -> None:
    save = replace(rules.a_save(16), width=2)
    for green, red in ((5, 10), (0, 2), (14, 16), (3, 4)):
        said = ((16, False), (green, True), (red, False))
        verdicts = tuple(Verdict(index, word, (GateResult(GATES[0].name, word, 0, 1.0),)) for index, word in said)
        probes = gating.next_probes(replace(save, verdicts=verdicts))
        demand("the search goes on between them", all(green < probe < red for probe in probes), probes)
        demand("as long as it has to", bool(probes) == (red - green > 1), probes)


@scene
def the_search_keeps_to_the_runs_that_the_design_allows() -> None:
    rules.check_cost_of_search()
