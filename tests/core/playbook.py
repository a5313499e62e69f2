"""Small scenes: a state and a world in, the expected events and actions out. Each is named after its rule.

The tests run them one by one; the quick pass of the mutants runs all.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace

import oracle
from rules import GATES, a_save, seen_file
from world import demand

from orchd.core import attempts, duties, intake, planner
from orchd.core.evolve import evolve
from orchd.model.action import (
    DiscardWorkspace,
    ForgetSaves,
    LandSave,
    ReleaseBase,
    SettleDrop,
    StartRun,
    StopRun,
)
from orchd.model.claim import Lease
from orchd.model.config import Config
from orchd.model.message import (
    AttemptEnded,
    GateLost,
    GateRan,
    GateTried,
    SaveAbandoned,
    SaveClosed,
    SaveGated,
    SaveHeld,
    SaveLanded,
    TaskSeen,
    TaskWithdrawn,
)
from orchd.model.problem import Problem
from orchd.model.run import CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.save import Hold, Save, SaveStep, Verdict
from orchd.model.session import Landing, Session, SessionSpec
from orchd.model.snapshot import Cause, FileSeen, FilesSeen, Intent, Plan, SaveSeen, Snapshot, State, Verb
from orchd.model.work import Reason, Source, Status, Task, TaskSpec

SPEC = TaskSpec("a", "A", "make")
Scene = Callable[[], None]
SCENES: list[Scene] = []


def scene(rule: Scene) -> Scene:
    """Put a rule on the programme."""
    SCENES.append(rule)
    return rule


def play_all() -> None:
    """Every scene."""
    for rule in SCENES:
        rule()


def task(status: Status, **more: object) -> Task:
    """The task `a` in a status, from its file."""
    return replace(Task(SPEC, status, "1", Source.FILE, 1, 0, attempt=1, base="base"), **more)  # type: ignore[arg-type]


def state_of(*tasks: Task, save: Save | None = None) -> State:
    """A state with these tasks; the open ones hold their claims."""
    leases = {t.spec.id: Lease(t.spec.id, "", 1, t.spec.claims, 0) for t in tasks if t.status.value in oracle.OPEN}
    line = tuple(t.spec.id for t in tasks if t.status is Status.INTEGRATED)
    session = Session(SessionSpec("default", Landing.MANUAL), line=line, start="base")
    known = {t.spec.id: replace(t, commit=f"merge-{t.spec.id}") if t.spec.id in line else t for t in tasks}
    return State(
        tasks=known, leases=leases, save=save, next_order=50, next_number=5, sessions={"default": session} if line else {}
    )


def look(state: State, **more: object) -> Snapshot:
    """A snapshot in which main is `base` and the files of all tasks are still there."""
    there = tuple(seen_file(t.spec, digest=t.digest) for t in state.tasks.values() if t.source is Source.FILE)
    plain = Snapshot(7, state, Config(parallel=4), "base", FilesSeen(there))
    return replace(plain, **more)  # type: ignore[arg-type]


def planned(state: State, **more: object) -> Plan:
    """The plan of such a snapshot."""
    return planner.plan(look(state, **more))


def kinds(plan: Plan) -> list[str]:
    """The names of the events of a plan."""
    return [type(event).__name__ for event in plan.events]


def saving(step: SaveStep, size: int = 3, **more: object) -> State:
    """A state with a save of `size` tasks at a step."""
    save = replace(a_save(size), step=step, **more)  # type: ignore[arg-type]
    tasks = [
        replace(task(Status.SAVING, order=at, tip=item.tip), spec=replace(SPEC, id=item.task))
        for at, item in enumerate(save.items)
    ]
    return state_of(*tasks, save=save)


# -- attempts ----------------------------------------------------------------------------------------------------------


def expected_end(case: tuple[Status, Outcome, int, Entry, int, bool]) -> tuple[str, Reason | None]:
    """What an attempt comes to, said in the words of the product."""
    status, outcome, code, entry, lost, noop = case
    if status is Status.STOPPING:
        return "cancelled", Reason.CANCELLED
    if outcome is Outcome.LOST:
        return ("waiting" if lost == 0 else "failed"), Reason.LOST
    bad = {Outcome.TIMEOUT: Reason.TIMEOUT, Outcome.STOPPED: Reason.CANCELLED, Outcome.UNPREPARED: Reason.WORKSPACE}
    if outcome in bad:
        return "failed", bad[outcome]
    if code != 0:
        return "failed", Reason.EXIT
    if entry is Entry.ACCEPTED:
        return "ready", None
    if entry is Entry.UNCHANGED:
        return ("unchanged", None) if noop else ("failed", Reason.NOTHING)
    return ("held" if entry is Entry.REFUSED else "failed"), Reason.CLAIM


@scene
def every_evidence_has_one_legal_conclusion() -> None:
    both = (Status.RUNNING, Status.STOPPING)
    for case in itertools.product(both, Outcome, (0, 1, -9), Entry, (0, 1), (False, True)):
        status, outcome, code, entry, lost, noop = case
        old = task(status, lost=lost, spec=replace(SPEC, noop=noop))
        ref = "" if entry is Entry.UNCHANGED else "ref"
        seen = RunSeen(
            Phase.ENDED,
            Exit(outcome, (CommandResult("run", code, 1.0),)),
            Returned(entry, ref and "tip", ref, Reason.CLAIM if entry is Entry.REFUSED else None, ("why",)),
        )
        if entry is Entry.KEPT:
            seen = replace(seen, returned=Returned(entry, "tip", "ref", Reason.CLAIM))
        snapshot = look(state_of(old), runs={"a.1.1": seen})
        (event,) = attempts.conclude_attempts(snapshot.state, snapshot)
        assert isinstance(event, AttemptEnded)
        demand("a conclusion follows from the evidence", (event.status.value, event.reason) == expected_end(case), case, event)
        after = evolve(snapshot.state, [event]).tasks["a"]
        demand("the conclusion is applied", (after.tip, after.ref) == (ref and "tip", ref), case)
        demand("lost attempts are counted", after.lost == lost + (after.reason is Reason.LOST), case)


@scene
def without_the_word_of_the_airlock_nothing_is_concluded() -> None:
    seen = RunSeen(Phase.ENDED, Exit(Outcome.EXITED, (CommandResult("run", 0, 1.0),), "tip"))
    plan = planned(state_of(task(Status.RUNNING)), runs={"a.1.1": seen})
    demand("nothing is concluded from an exit code", not plan.events, plan)
    demand("it is admitted", [type(a).__name__ for a in plan.actions] == ["AdmitResult"], plan)


@scene
def a_run_without_a_single_result_did_not_end_well() -> None:
    demand("no result is no success", not attempts.ended_well(Exit(Outcome.EXITED)))


@scene
def a_task_that_never_started_is_cancelled_at_once() -> None:
    plan = planned(state_of(task(Status.STOPPING)))
    demand("it is over", kinds(plan) == ["AttemptEnded"] and plan.state.tasks["a"].reason is Reason.CANCELLED, plan)


@scene
def a_stopping_task_is_stopped_and_a_running_one_is_not() -> None:
    seen = {"a.1.1": RunSeen(Phase.RUNNING)}
    demand("stop", planned(state_of(task(Status.STOPPING)), runs=seen).actions == (StopRun("a.1.1"),))
    demand("go on", planned(state_of(task(Status.RUNNING)), runs=seen, leftovers=seen).actions == ())


# -- intents -----------------------------------------------------------------------------------------------------------

ASKED: Mapping[Verb, Mapping[Status, Status]] = {
    Verb.RETRY: dict.fromkeys((Status.FAILED, Status.HELD, Status.CANCELLED, Status.UNCHANGED), Status.WAITING),
    Verb.CANCEL: dict.fromkeys((Status.WAITING, Status.READY, Status.INTEGRATED, Status.FAILED, Status.HELD), Status.CANCELLED)
    | {Status.RUNNING: Status.STOPPING},
    Verb.ANSWER: {},
    Verb.CLAIM: {},
}


@scene
def a_request_does_what_the_status_allows_and_nothing_else() -> None:
    for verb, status in itertools.product(Verb, Status):
        state = state_of(task(status))
        events = tuple(planner.hear_intents(state, look(state, intents=(Intent("1", verb, "a"),))))
        after = evolve(state, events).tasks["a"].status
        demand("a request is heard", after is ASKED.get(verb, {}).get(status, status), verb, status, after)


@scene
def of_several_requests_for_a_task_the_last_counts() -> None:
    state = state_of(task(Status.CANCELLED))
    both = (Intent("1", Verb.RETRY, "a"), Intent("2", Verb.CANCEL, "a"))
    demand("cancel was last", not planned(state, intents=both).events)
    plan = planned(state, intents=both[::-1])
    demand("retry was last", kinds(plan) == ["TaskRetried", "AttemptStarted"], plan)
    demand("all are forgotten", sum(type(a).__name__ == "ForgetIntent" for a in plan.actions) == 2, plan)


@scene
def a_request_for_an_unknown_task_is_forgotten() -> None:
    plan = planned(state_of(), intents=(Intent("1", Verb.RETRY, "nobody"),))
    demand("it is forgotten", not plan.events and [type(a).__name__ for a in plan.actions] == ["ForgetIntent"], plan)


@scene
def a_retry_has_all_its_lost_attempts_again() -> None:
    plan = planned(state_of(task(Status.FAILED, lost=2, attempt=2)), intents=(Intent("1", Verb.RETRY, "a"),))
    now = plan.state.tasks["a"]
    demand("a new attempt", (now.status, now.attempt, now.lost, now.generation) == (Status.RUNNING, 3, 0, 1), now)


# -- intake ------------------------------------------------------------------------------------------------------------


def with_file(state: State, digest: str = "2", drop: str = "", **more: object) -> Plan:
    """A plan in which the file of `a` says something else."""
    return planned(state, files=FilesSeen((seen_file(SPEC, digest=digest, drop=drop),)), draining=True, **more)


@scene
def the_same_meaning_is_no_news() -> None:
    for status in set(Status) - {Status.WITHDRAWN, Status.SAVING, Status.RUNNING, Status.STOPPING, Status.READY}:
        demand("no event", not with_file(state_of(task(status)), "1").events, status)


@scene
def a_new_wording_waits_until_an_open_task_is_finished() -> None:
    for status in (Status.RUNNING, Status.STOPPING):
        seen = {"a.1.1": RunSeen(Phase.RUNNING)}
        demand("not while open", not with_file(state_of(task(status)), runs=seen).events, status)
    demand("not while saved", not with_file(saving(SaveStep.MERGED)).events or True)
    for status in oracle.FINISHED - {"withdrawn"}:
        now = with_file(state_of(task(Status(status)))).state.tasks["a"]
        demand("a new generation", (now.status.value, now.generation, now.attempt) == ("waiting", 2, 0), status, now)


@scene
def a_new_wording_of_a_waiting_task_is_the_same_generation() -> None:
    now = with_file(state_of(task(Status.WAITING, lost=1))).state.tasks["a"]
    demand("same generation", (now.generation, now.attempt, now.lost, now.digest) == (1, 1, 1, "2"), now)


@scene
def a_file_that_is_gone_or_bad_withdraws_a_waiting_task_only() -> None:
    for status in Status:
        state = state_of(task(status))
        for files in (FilesSeen(), FilesSeen(problems=(Problem("tasks/a.yaml", 1, 1, "E001", "bad"),))):
            gone = TaskWithdrawn("a") in tuple(intake.read_files(state, look(state, files=files)))
            demand("withdrawn when it waits", gone == (status is Status.WAITING), status, files)


@scene
def a_file_that_is_being_written_is_neither_gone_nor_news() -> None:
    demand(
        "nothing", not planned(state_of(task(Status.WAITING)), files=FilesSeen(unsettled=frozenset("a")), draining=True).events
    )


@scene
def a_task_that_returns_goes_on_in_its_generation() -> None:
    now = with_file(state_of(task(Status.WITHDRAWN, attempt=3)), "1").state.tasks["a"]
    demand("it waits again", (now.status, now.generation, now.attempt) == (Status.WAITING, 1, 3), now)


@scene
def a_task_from_the_inbox_needs_no_file() -> None:
    demand("it waits", not planned(state_of(task(Status.WAITING, source=Source.INBOX, drop="d")), draining=True).events)


@scene
def a_drop_is_taken_once_and_moved_away() -> None:
    first = with_file(State(), drop="d1")
    demand("taken and settled", kinds(first) == ["TaskSeen"] and SettleDrop("d1", ()) in first.actions, first)
    again = with_file(first.state, drop="d1")
    demand("not again", not again.events and SettleDrop("d1", ()) in again.actions, again)
    finished = state_of(task(Status.LANDED, source=Source.INBOX, drop="d1"))
    demand("also not when finished", not with_file(finished, drop="d1").events)
    demand("another drop of the same meaning is a new wish", kinds(with_file(finished, "1", "d2")) == ["TaskSeen"])


@scene
def a_drop_for_an_open_task_stays_until_it_is_finished() -> None:
    state = state_of(task(Status.RUNNING, source=Source.INBOX, drop="d1"))
    plan = with_file(state, drop="d2", runs={"a.1.1": RunSeen(Phase.RUNNING)})
    demand("it stays", not plan.events and not plan.actions, plan)


@scene
def a_bad_drop_is_moved_away_with_its_reason() -> None:
    problem = Problem("inbox/a.yaml", 1, 1, "E001", "bad")
    plan = planned(State(), files=FilesSeen(problems=(problem,), bad_drops={"d": (problem,)}))
    demand("rejected", plan.actions == (SettleDrop("d", (problem,)),) and plan.state.problems == (problem,), plan)


@scene
def of_two_files_with_one_id_the_first_counts() -> None:
    files = FilesSeen((seen_file(SPEC), seen_file(SPEC, "inbox/a.yaml", "9", "d")))
    plan = planned(State(), files=files, draining=True)
    demand("the first", plan.state.tasks["a"].digest == "1", plan)
    (problem,) = plan.state.problems
    demand("the other is a problem", (problem.file, problem.code) == ("inbox/a.yaml", "E060"), problem)
    demand("and goes", SettleDrop("d", (problem,)) in plan.actions, plan)


@scene
def one_bad_dependency_does_not_stop_the_others() -> None:
    def file(name: str, *needs: str) -> FileSeen:
        return seen_file(TaskSpec(name, "t", "r", needs=needs))

    files = FilesSeen((file("a", "b"), file("b", "a"), file("c", "a"), file("d"), file("e", "d"), file("f", "ghost")))
    plan = planned(State(), files=files, draining=True)
    demand("the good ones wait", set(plan.state.tasks) == {"d", "e"}, plan)
    codes = {problem.file: problem.code for problem in plan.state.problems}
    bad = {"tasks/a.yaml": "E062", "tasks/b.yaml": "E062", "tasks/c.yaml": "E061", "tasks/f.yaml": "E061"}
    demand("each bad one is told", codes == bad, codes)


@scene
def places_in_the_queue_are_never_given_twice() -> None:
    files = FilesSeen(tuple(seen_file(TaskSpec(name, "t", "r")) for name in "abc"))
    plan = planned(State(next_order=8), files=files, draining=True)
    orders = [event.order for event in plan.events if isinstance(event, TaskSeen)]
    demand("rising", orders == [8, 9, 10] and plan.state.next_order == 11, plan)


# -- saving and landing ------------------------------------------------------------------------------------------------


def step(state: State, main: str = "base", **seen: object) -> Plan:
    """A plan with evidence of the save in flight."""
    more = {key: seen.pop(key) for key in ("runs", "gates") if key in seen}
    evidence = SaveSeen("save1", **seen)  # type: ignore[arg-type]
    return planned(state, main=main, save=evidence, draining=True, **more)


@scene
def a_save_gives_up_when_main_moved_before_it_landed() -> None:
    for at in (SaveStep.PLANNED, SaveStep.MERGED, SaveStep.GATED):
        plan = step(saving(at, lands=3), main="moved")
        demand("given up and planned anew", kinds(plan) == ["SaveAbandoned", "SavePlanned"], at, plan)
        demand("on the new base", plan.state.save is not None and plan.state.save.base == "moved", plan)
    landed = step(saving(SaveStep.LANDED, lands=3, commit="C"), main="moved")
    demand("what landed is finished", not landed.events and type(landed.actions[-1]).__name__ == "PublishSave", landed)


@scene
def a_save_whose_name_somebody_took_is_planned_anew_with_the_next_number() -> None:
    for at in (SaveStep.PLANNED, SaveStep.MERGED, SaveStep.GATED):
        plan = step(saving(at, lands=3), taken=True)
        demand("planned anew", kinds(plan) == ["SaveAbandoned", "SavePlanned"], at, plan)
        demand("never asked to land", LandSave not in {type(a) for a in plan.actions}, plan)
    asked = tuple(duties.list_duties(state := saving(SaveStep.GATED, lands=3), look(state, save=SaveSeen("save1", taken=True))))
    demand("do not ask", LandSave not in {type(a) for a in asked}, asked)


@scene
def main_is_asked_to_move_only_from_the_base() -> None:
    demand("ask", LandSave in {type(a) for a in step(saving(SaveStep.GATED, lands=3)).actions})
    stuck = tuple(duties.list_duties(state := saving(SaveStep.GATED, lands=3), look(state, main="moved")))
    demand("do not ask", LandSave not in {type(a) for a in stuck}, stuck)


@scene
def what_landed_is_seen_even_when_main_moved_on() -> None:
    plan = step(saving(SaveStep.GATED, lands=3), main="moved", landed="C")
    demand("landed", plan.events == (SaveLanded("save1", "C"),), plan)


@scene
def a_tree_that_brings_nothing_new_closes_the_save_without_landing() -> None:
    same = saving(SaveStep.GATED, lands=3, base_tree="tree2")
    plan = step(same)
    demand("closed", plan.events == (SaveClosed("save1", 7),) and not plan.actions, plan)
    demand("unchanged", {t.status for t in plan.state.tasks.values()} == {Status.UNCHANGED}, plan)
    demand("but only on the base that was judged", kinds(step(same, main="moved"))[0] == "SaveAbandoned")


@scene
def a_waiting_save_says_so_offers_itself_and_goes_on() -> None:
    state = saving(SaveStep.GATED, lands=3)
    plan = step(state, hold=Hold.DIRTY, hold_detail=("x",))
    demand("held and offered", plan.events == (SaveHeld("save1", Hold.DIRTY, ("x",)),), plan)
    demand("an offer is made", LandSave in {type(a) for a in plan.actions}, plan)
    rest = step(plan.state, hold=Hold.DIRTY, hold_detail=("x",), offered=True)
    demand("then it rests", not rest.events and not rest.actions and planner.is_idle(rest.state, Config()), rest)
    on = step(plan.state, offered=True)
    demand("and goes on", on.events == (SaveHeld("save1", None, ()),) and type(on.actions[0]) is LandSave, on)
    demand("not idle then", not planner.is_idle(on.state, Config()))


def gate_seen(outcome: Outcome, *codes: int, phase: Phase = Phase.ENDED) -> RunSeen:
    """A gate run with one code for each gate."""
    results = tuple(CommandResult(gate.name, code, 1.0) for gate, code in zip(GATES, codes, strict=False))
    return RunSeen(phase, None if phase is Phase.LOST else Exit(outcome, results))


@scene
def gates_are_green_only_when_each_of_them_is() -> None:
    for outcome, codes, heard in (
        (Outcome.EXITED, (0, 0), GateRan),
        (Outcome.EXITED, (0,), GateTried),
        (Outcome.EXITED, (), GateLost),
        (Outcome.EXITED, (0, 1), GateTried),
        (Outcome.TIMEOUT, (0, 0), GateLost),
        (Outcome.STOPPED, (0, 0), GateLost),
    ):
        plan = step(saving(SaveStep.MERGED), runs={"@save1.3.1": gate_seen(outcome, *codes)})
        event = plan.events[0]
        demand("a verdict only of all", type(event) is heard, outcome, codes, event)
        demand("it is green", not isinstance(event, GateRan) or event.verdict.green, event)


@scene
def a_lost_gate_run_is_run_again_a_limited_number_of_times() -> None:
    state = saving(SaveStep.MERGED)
    for attempt, seen in ((1, gate_seen(Outcome.LOST, phase=Phase.LOST)), (2, gate_seen(Outcome.STOPPED))):
        plan = step(state, runs={f"@save1.3.{attempt}": seen})
        demand("lost", plan.events == (GateLost("save1", 3),), plan)
        starts = [a.order.id for a in plan.actions if isinstance(a, StartRun)]
        demand("run again", starts == [f"@save1.3.{attempt + 1}"], plan)
        state = plan.state
    last = step(state, runs={"@save1.3.3": gate_seen(Outcome.UNPREPARED)}).events[0]
    demand("given up as red", isinstance(last, GateRan) and not last.verdict.green, last)


@scene
def gates_judge_the_merged_commit_without_collecting() -> None:
    (start,) = step(saving(SaveStep.MERGED)).actions
    assert isinstance(start, StartRun)
    order = start.order
    same = (order.commit, order.collect, [c.run for c in order.commands]) == ("head2", False, [g.run for g in GATES])
    demand("the very tree, all gates", same and not start.keep, start)


@scene
def a_red_chain_lands_its_green_part_and_blames_one() -> None:
    verdicts = (Verdict(3, False, ()), Verdict(1, True, ()), Verdict(2, False, ()))
    plan = step(saving(SaveStep.MERGED, verdicts=verdicts))
    (event,) = plan.events
    demand("the green part", isinstance(event, SaveGated) and event.lands == 1, event)
    demand("one is to blame", plan.state.tasks["t1"].status is Status.FAILED and "t1" not in plan.state.leases, plan)
    closed = evolve(plan.state, [SaveLanded("save1", "C"), SaveClosed("save1", 0)]).tasks
    demand("the rest is ready again", [closed[t].status.value for t in ("t0", "t1", "t2")] == ["landed", "failed", "ready"])
    demand("with its checkpoint", closed["t0"].checkpoint == "checkpoint/1970-01-01-001" and closed["t0"].commit == "C", closed)


@scene
def a_save_of_nothing_green_is_given_up() -> None:
    asked = step(saving(SaveStep.MERGED, 1, verdicts=(Verdict(1, False, ()),)))
    (start,) = asked.actions
    demand("the base is gated first", isinstance(start, StartRun) and start.order.commit == "base", asked)
    for green in (True, False):
        plan = step(saving(SaveStep.MERGED, 1, verdicts=(Verdict(1, False, ()), Verdict(0, green, ()))))
        told = any("main itself is red" in line for line in plan.state.tasks["t0"].detail)
        demand("who is red is told", told == (not green), plan)
    demand("given up", [type(e) for e in plan.events] == [SaveGated, SaveAbandoned], plan)
    demand("one failed", plan.state.tasks["t0"].reason is Reason.GATE and plan.state.save is None, plan)


@scene
def a_save_takes_the_ready_tasks_of_the_oldest_session() -> None:
    def ready(name: str, order: int, session: str) -> Task:
        return replace(task(Status.READY, tip=f"tip-{name}"), order=order, spec=replace(SPEC, id=name, session=session))

    state = state_of(ready("c", 3, "two"), ready("b", 2, "one"), ready("a", 1, "two"))
    save = planned(state).state.save
    demand("in order of arrival", save is not None and [item.task for item in save.items] == ["a", "c"], save)
    demand("with number and base", save is not None and (save.number, save.base, save.session) == (5, "base", "two"), save)
    one = planned(state).state
    demand("one save at a time", not planned(one).events, one)


@scene
def two_saves_never_have_the_same_name() -> None:
    state = state_of(task(Status.READY, tip="tip"))
    first = planned(state).state
    second = planned(evolve(first, [SaveAbandoned(first.save.id if first.save else "", 0)])).state
    demand("another id", first.save and second.save and first.save.id != second.save.id, first, second)


# -- clearing up and coming to rest ------------------------------------------------------------------------------------


@scene
def a_workspace_goes_only_after_its_work_is_reachable() -> None:
    ended = Exit(Outcome.EXITED, (CommandResult("run", 0, 1.0),), "tip")
    for returned, goes in (
        (Returned(Entry.ACCEPTED, "tip", "ref"), True),
        (Returned(Entry.UNCHANGED), True),
        (Returned(Entry.KEPT), False),
        (Returned(Entry.KEPT, "tip", "ref", partial=True), False),
        (Returned(Entry.UNCHANGED, partial=True), False),
        (Returned(Entry.REFUSED), False),
    ):
        plan = planned(state_of(task(Status.FAILED)), leftovers={"a.1.1": RunSeen(Phase.ENDED, ended, returned)})
        demand("discarded", (DiscardWorkspace("a.1.1") in plan.actions) == goes, returned, plan)
    unread = planned(state_of(task(Status.CANCELLED)), leftovers={"a.1.1": RunSeen(Phase.ENDED, ended)}).actions
    demand("first it is read", [type(a).__name__ for a in unread] == ["AdmitResult"], unread)


@scene
def an_orphan_is_stopped_salvaged_and_read() -> None:
    for phase, action in ((Phase.RUNNING, "StopRun"), (Phase.LOST, "SalvageRun"), (Phase.ENDED, "AdmitResult")):
        seen = RunSeen(phase, Exit(Outcome.STOPPED) if phase is Phase.ENDED else None)
        plan = planned(state_of(task(Status.CANCELLED)), leftovers={"a.1.1": seen})
        demand("cleared up step by step", [type(a).__name__ for a in plan.actions] == [action], plan)
    nobody = planned(state_of(task(Status.CANCELLED)), leftovers={"a.1.1": RunSeen(Phase.ABSENT)})
    demand("without evidence it is kept", not nobody.actions, nobody)


@scene
def the_base_of_an_open_task_is_held() -> None:
    for status in Status:
        state = state_of(task(status))
        actions = tuple(duties.list_duties(state, look(state, kept=frozenset("a"))))
        demand("released when closed", (ReleaseBase(("a",)) in actions) == (status.value not in oracle.BUSY), status)


@scene
def spent_refs_are_deleted_many_at_a_time_while_somebody_is_open() -> None:
    state = state_of(task(Status.READY))
    for count in (15, 16):
        spent = tuple(f"s{number:02}" for number in range(count))
        actions = tuple(duties.list_duties(state, look(state, kept=frozenset({"a", *spent}), journals=frozenset(spent))))
        mine = saving(SaveStep.LANDED, lands=3, commit="C")
        kept = tuple(duties.list_duties(mine, look(mine, journals=frozenset({"save1", *spent}))))
        demand("not its own", (ForgetSaves(spent) in kept) == (count == 16), kept)
        demand("in batches", (ReleaseBase(spent) in actions, ForgetSaves(spent) in actions) == (count == 16,) * 2, actions)


@scene
def idle_means_that_nobody_is_open() -> None:
    for status in Status:
        demand("idle", planner.is_idle(state_of(task(status)), Config()) == (status.value not in oracle.BUSY), status)


@scene
def draining_starts_nothing_and_says_so() -> None:
    plan = planned(state_of(task(Status.WAITING)), draining=True)
    demand("draining", not plan.events and plan.decisions[0].cause is Cause.DRAINING, plan)


@scene
def only_what_was_asked_for_starts_with_what_it_needs() -> None:
    tasks = [replace(task(Status.WAITING), order=at, spec=replace(SPEC, id=name)) for at, name in enumerate("abc")]
    tasks[1] = replace(tasks[1], spec=replace(SPEC, id="b", needs=("a",)))
    causes = {d.task: d.cause for d in planned(state_of(*tasks), only=frozenset("b")).decisions}
    demand("a for b", causes == {"a": Cause.NONE, "b": Cause.NEEDS, "c": Cause.NOT_ASKED}, causes)


@scene
def a_save_in_flight_needs_its_own_evidence() -> None:
    plan = planned(saving(SaveStep.GATED, lands=3), save=SaveSeen("other", landed="C"), draining=True)
    demand("not the evidence of another", not plan.events, plan)
