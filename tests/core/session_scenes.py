"""Small scenes about sessions, like those of the playbook."""

from __future__ import annotations

from dataclasses import replace

from playbook import SPEC, kinds, look, planned, saving, scene, state_of, task
from rules import seen_file
from world import demand

from orchd.core import planner
from orchd.core.evolve import evolve
from orchd.core.session_files import fill_defaults
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.message import (
    ProblemsChanged,
    SaveClosed,
    SaveMerged,
    SessionSeen,
)
from orchd.model.save import Excluded, Hold, Merged, SaveItem, SaveStep, Target
from orchd.model.session import Landing, Session, SessionFileSeen, SessionSpec, SessionsSeen, TaskDefaults
from orchd.model.snapshot import ChainSeen, FilesSeen, Intent, SaveSeen, State, Verb
from orchd.model.work import Reason, Status, TaskSpec

MANUAL = SessionSpec("default", Landing.MANUAL)


def line_of(*bases: str) -> State:
    """A session whose line holds the tasks t0, t1, ...; each was started from the base named here."""
    tasks = [
        replace(task(Status.INTEGRATED, order=at, tip=f"tip{at}", base=base), spec=replace(SPEC, id=f"t{at}"))
        for at, base in enumerate(bases)
    ]
    return state_of(*tasks)


def statuses(state: State) -> list[str]:
    return [t.status.value for t in state.tasks.values()]


def ask(state: State, verb: Verb, subject: str, *words: str) -> State:
    """The state after a request."""
    return evolve(state, planner.hear_intents(state, look(state, intents=(Intent("1", verb, subject, words),))))


@scene
def taking_a_task_out_of_a_line_holds_what_was_built_on_it_and_nothing_else() -> None:
    after = ask(line_of("base", "base", "merge-t1", "base"), Verb.CANCEL, "t1")
    demand("cut", statuses(after) == ["integrated", "cancelled", "held", "ready"], after)
    demand("the line is shorter", after.sessions["default"].line == ("t0",), after)
    demand("a lost merge is forgotten", not after.tasks["t3"].commit, after)
    reason = after.tasks["t2"].reason
    demand("why", reason and reason.value == "built-on" and after.tasks["t2"].detail == ("t1",), after)


@scene
def what_is_on_a_line_stands_in_the_way_of_other_sessions_only() -> None:
    state = line_of("base")
    spec = replace(SPEC, id="new", claims=state.leases["t0"].paths)
    mine, other = (replace(task(Status.WAITING, order=9), spec=replace(spec, session=one)) for one in ("default", "other"))
    told = [planned(replace(state, tasks={**state.tasks, "new": one})).decisions for one in (mine, other)]
    causes = [[one.cause.value for one in decisions] for decisions in told]
    demand("not its own, but the others", causes == [["none"], ["claim"]], told)


@scene
def cancelling_a_session_cancels_all_of_its_line() -> None:
    after = ask(line_of("base", "merge-t0", "base"), Verb.CANCEL_SESSION, "default")
    demand("all", statuses(after) == ["cancelled"] * 3 and not after.sessions["default"].line, after)


@scene
def retrying_a_session_leaves_what_was_cancelled() -> None:
    several = (Status.FAILED, Status.HELD, Status.CANCELLED, Status.LANDED)
    tasks = [replace(task(one, order=at), spec=replace(SPEC, id=f"t{at}")) for at, one in enumerate(several)]
    after = ask(state_of(*tasks), Verb.RETRY_SESSION, "default")
    demand("failed and held", statuses(after) == ["waiting", "waiting", "cancelled", "landed"], after)


@scene
def a_save_that_may_have_reached_main_is_not_given_up() -> None:
    for step in (SaveStep.PLANNED, SaveStep.MERGED, SaveStep.GATED, SaveStep.LANDED):
        state = saving(step, size=1, lands=1)
        after = ask(state, Verb.CANCEL_SESSION, "default")
        given_up = step in (SaveStep.PLANNED, SaveStep.MERGED)
        demand("given up", statuses(after) == (["cancelled"] if given_up else ["saving"]), step, after)


@scene
def a_pin_goes_on_to_what_was_landed() -> None:
    state = saving(SaveStep.LANDED, size=1, lands=1, commit="C")
    state = replace(state, sessions={"default": Session(SessionSpec("default", base="v1"), "f", pinned="P")})
    after = evolve(state, [SaveClosed(state.save.id, 5)])  # type: ignore[union-attr]
    demand("the pin", after.sessions["default"].pinned == "C", after)


@scene
def a_pin_goes_on_to_the_main_that_its_line_conflicted_with() -> None:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"merge-t{at}", "base") for at in range(2))
    for reason, pin in ((Reason.CONFLICT, "main"), (Reason.CLAIM, "P")):
        state = saving(SaveStep.PLANNED, items=items, start="P", base="main")
        state = replace(state, sessions={"default": Session(SessionSpec("default"), pinned="P")})
        out = Excluded(items[1], reason, ("x",))
        after = evolve(state, [SaveMerged("save1", "tree", (Merged(items[0], "head", "tree1"),), (out,))])
        demand("the pin", after.sessions["default"].pinned == pin, (reason, after.sessions))


@scene
def a_landing_line_holds_what_was_built_on_the_culprit() -> None:
    state = line_of("base", "merge-t0", "merge-t1", "base")
    plan = planned(replace(state, sessions={"default": replace(state.sessions["default"], asked=True)}))
    demand("it lands as a whole", kinds(plan) == ["SavePlanned"] and len(plan.state.save.items) == 4, plan)  # type: ignore[union-attr]
    demand("it stays asked for until it has landed", plan.state.sessions["default"].asked, plan)
    demand("its links are what lands", [i.tip for i in plan.state.save.items] == [f"merge-t{at}" for at in range(4)], plan)  # type: ignore[union-attr]


def landing_line(*bases: str) -> State:
    """A line that somebody wants landed, with its save just planned."""
    state = line_of(*bases)
    return planned(replace(state, sessions={"default": replace(state.sessions["default"], asked=True)})).state


@scene
def a_landing_that_main_overtook_is_tried_again() -> None:
    state = landing_line("base", "merge-t0")
    plan = planned(state, main="moved", save=SaveSeen(state.save.id))  # type: ignore[union-attr]
    demand("given up and planned anew", kinds(plan) == ["SaveAbandoned", "SavePlanned"], plan)
    demand("on the present main", plan.state.save is not None and plan.state.save.base == "moved", plan)


@scene
def a_line_that_is_cut_is_still_to_land() -> None:
    state = line_of("base", "base")
    wanted = replace(state.sessions["default"], asked=True)
    for paused in (True, False):
        after = ask(replace(state, sessions={"default": replace(wanted, paused=paused)}), Verb.CANCEL, "t1")
        demand("still asked for", after.sessions["default"].asked and after.sessions["default"].line == ("t0",), after)


@scene
def a_second_request_to_land_does_not_outlive_the_landing() -> None:
    state = ask(landing_line("base"), Verb.LAND_SESSION, "default")
    items = state.save.items  # type: ignore[union-attr]
    chain = tuple(Merged(item, "h", "t") for item in items)
    save = replace(state.save, step=SaveStep.LANDED, chain=chain, lands=1, commit="C")  # type: ignore[type-var]
    after = evolve(replace(state, save=save), [SaveClosed(save.id, 5)])
    demand("landed", statuses(after) == ["landed"], after)
    demand("what comes later is asked for anew", not after.sessions.get("default", Session(MANUAL)).asked, after)
    demand("so it is when all was taken out", not ask(line_of("base"), Verb.CANCEL, "t0").sessions["default"].asked)


@scene
def a_paused_session_takes_its_save_back_unless_it_may_have_reached_main() -> None:
    for step, hold, main, back in (
        (SaveStep.PLANNED, None, "base", True),
        (SaveStep.MERGED, None, "base", True),
        (SaveStep.GATED, None, "base", False),
        (SaveStep.GATED, Hold.DIRTY, "base", True),
        (SaveStep.GATED, Hold.DIRTY, "moved", False),
        (SaveStep.LANDED, None, "moved", False),
    ):
        state = saving(step, size=1, lands=1, hold=hold, commit="C" if step is SaveStep.LANDED else "")
        seen = SaveSeen("save1", hold=hold, landed="C" if main == "moved" else "")
        requests = (Intent("1", Verb.PAUSE_SESSION, "default"),)
        plan = planned(state, save=seen, main=main, intents=requests)
        demand("taken back", ("SaveAbandoned" in kinds(plan)) == back, step, hold, main, plan)
        demand("it waits then", not back or (statuses(plan.state) == ["ready"] and plan.state.save is None), plan)


@scene
def what_goes_to_a_line_goes_on_while_its_session_is_paused() -> None:
    state = replace(saving(SaveStep.PLANNED, target=Target.LINE), sessions={"default": Session(MANUAL, paused=True)})
    demand("it goes on", not kinds(planned(state, save=SaveSeen("save1"))), state)


@scene
def a_task_that_only_waits_for_the_checkout_can_be_cancelled() -> None:
    state = saving(SaveStep.GATED, size=1, lands=1, hold=Hold.DIRTY)
    demand("cancelled", statuses(ask(state, Verb.CANCEL, next(iter(state.tasks)))) == ["cancelled"])


@scene
def defaults_fill_in_what_a_file_does_not_say() -> None:
    defaults = TaskDefaults(60.0, 5, (PathSpec("x/**"),), ("a", "setup"), ("web",), noop=True, resources=("db",))
    sessions = {"default": Session(SessionSpec("default", defaults=defaults))}
    spec = TaskSpec("a", "A", "make", needs=("z",))
    filled = fill_defaults(seen_file(spec), sessions).spec
    said = (filled.timeout_seconds, filled.priority, filled.claims, filled.after, filled.labels, filled.noop, filled.resources)
    demand("filled", said == (60.0, 5, (PathSpec("x/**"),), ("setup",), ("web",), True, ("db",)), filled)
    own = ("timeout", "priority", "claims", "after", "labels", "noop")
    demand("what it says holds", fill_defaults(replace(seen_file(spec), own=own), sessions).spec == spec)
    demand("needs are no afters", not fill_defaults(seen_file(replace(spec, needs=("setup",))), sessions).spec.after)


@scene
def a_task_that_waits_follows_the_defaults_of_its_session_and_a_finished_one_does_not() -> None:
    cases = ((Status.WAITING, 0, True), (Status.WAITING, 1, False), (Status.LANDED, 1, False), (Status.RUNNING, 1, False))
    for status, attempt, news in cases:
        state = replace(state_of(task(status, attempt=attempt)), sessions={"default": Session(MANUAL, file="f")})
        defaults = replace(MANUAL, defaults=TaskDefaults(priority=3))
        seen = SessionsSeen((SessionFileSeen("f", defaults),))
        events = planned(state, sessions=seen, draining=True).events
        demand("reworded", any(type(e).__name__ == "TaskSeen" for e in events) == news, status, events)


@scene
def a_session_that_was_never_understood_holds_its_new_tasks_back() -> None:
    files = FilesSeen((seen_file(SPEC),))
    for seen, taken in ((SessionsSeen(bad=frozenset({"default"})), False), (SessionsSeen(), True)):
        events = planned(state_of(), files=files, sessions=seen).events
        demand("taken in", ("TaskSeen" in {type(e).__name__ for e in events}) == taken, events)
        told = {problem.code for e in events if isinstance(e, ProblemsChanged) for problem in e.problems}
        demand("and told so", told == (set() if taken else {"E063"}), events)
    waits = planned(state_of(task(Status.WAITING, attempt=0)), sessions=SessionsSeen(bad=frozenset({"default"})), draining=True)
    demand("what waited before goes on", "TaskWithdrawn" not in kinds(waits), waits)
    state, other = state_of(task(Status.WAITING, attempt=0)), FilesSeen((seen_file(SPEC, digest="new"),))
    reworded = planned(state, files=other, sessions=SessionsSeen(bad=frozenset({"default"})), draining=True)
    demand("but not by words that were taken back", "TaskWithdrawn" in kinds(reworded), reworded)
    known = replace(state_of(), sessions={"default": Session(MANUAL, file="f")})
    events = planned(known, files=files, sessions=SessionsSeen(bad=frozenset({"default"}))).events
    demand("the last good settings hold", "TaskSeen" in {type(e).__name__ for e in events}, events)


@scene
def a_base_is_changed_only_when_nothing_is_under_way() -> None:
    old = Session(replace(MANUAL, base="v1"), "f", pinned="P1")
    seen = SessionsSeen((SessionFileSeen("f", replace(MANUAL, base="v2"), "P2"),))
    for status, pin in ((Status.FAILED, "P1"), (Status.RUNNING, "P1"), (Status.LANDED, "P2")):
        state = replace(state_of(task(status)), sessions={"default": old})
        demand("the pin", planned(state, sessions=seen, draining=True).state.sessions["default"].pinned == pin, status)
    again = evolve(State(), [SessionSeen(replace(MANUAL, base="v1"), "f", "P1")])
    same = SessionsSeen((SessionFileSeen("f", replace(MANUAL, base="v1"), "P9"),))
    demand("a branch that moves moves no pin", not planned(again, sessions=same).events)


@scene
def a_session_that_lands_on_completion_waits_for_each_of_its_tasks() -> None:
    line = line_of("base", "base")
    session = replace(line.sessions["default"], spec=replace(MANUAL, landing=Landing.ON_COMPLETE))
    for status, lands in ((Status.WAITING, False), (Status.FAILED, False), (Status.LANDED, True), (Status.CANCELLED, True)):
        other = replace(task(status, order=9), spec=replace(SPEC, id="other"))
        state = replace(line, tasks={**line.tasks, "other": other}, sessions={"default": session})
        due = planner.begin_save(state, look(state, main="base", draining=True))
        demand("only when all have ended well", bool(list(due)) == lands, status)


@scene
def what_falls_out_of_a_landing_line_is_on_it_no_more_before_anybody_starts() -> None:
    state = line_of("base", "base", "base")
    [began] = planner.begin_save(
        replace(state, sessions={"default": replace(state.sessions["default"], asked=True)}),
        look(state, main="base", draining=True),
    )
    saving_now = evolve(state, [began])
    assert saving_now.save is not None
    first, second, _ = saving_now.save.items
    out = Excluded(second, Reason.CONFLICT, ("x",))
    after = evolve(saving_now, [SaveMerged(saving_now.save.id, "tree", (Merged(first, "head", "tree1"),), (out,))])
    demand("nobody starts from it", after.sessions["default"].line == ("t0",), after.sessions)


@scene
def a_fork_needs_a_new_name() -> None:
    words = ("C", "checkpoint/1", "manual")
    demand("new", ask(State(), Verb.FORK_SESSION, "f", *words).sessions["f"].pinned == "C")
    demand("taken", not ask(state_of(task(Status.LANDED)), Verb.FORK_SESSION, "default", *words).sessions)
    demand("half a request", not ask(State(), Verb.FORK_SESSION, "f", "C").sessions)


@scene
def only_ready_work_of_a_paused_session_is_no_work() -> None:
    paused = {"default": Session(SessionSpec("default"), paused=True)}
    for status in (Status.READY, Status.RUNNING, Status.SAVING):
        state = replace(state_of(task(status)), sessions=paused)
        demand("idle", planner.is_idle(state, Config()) == (status is Status.READY), status)
        demand("nothing is saved", "SavePlanned" not in kinds(planned(state)), status)
    apart = {"default": Session(MANUAL, paused=True)}
    demand("a line grows", kinds(planned(replace(state_of(task(Status.READY)), sessions=apart))) == ["SavePlanned"])


@scene
def nothing_starts_from_newer_than_what_a_save_to_the_line_goes_to() -> None:
    item = SaveItem("t0", 1, 1, "tip0", "old")
    state = saving(SaveStep.MERGED, size=1, target=Target.LINE, base="old", items=(item,), chain=(Merged(item, "h", "t"),))
    state = replace(state, sessions={"default": Session(MANUAL)})
    waiting = replace(task(Status.WAITING, order=9), spec=replace(SPEC, id="b", claims=(PathSpec("b"),)))
    held = {"t0": replace(state.leases["t0"], paths=(PathSpec("a"),))}
    state = replace(state, tasks={**state.tasks, "b": waiting}, leases=held)
    started = planned(state).state.tasks["b"]
    demand("from the base of the save", started.base == "old", started)


@scene
def a_paused_session_does_not_land_though_it_was_asked_to() -> None:
    state = line_of("base")
    asked = replace(state.sessions["default"], asked=True)
    for paused in (True, False):
        plan = planned(replace(state, sessions={"default": replace(asked, paused=paused)}))
        demand("it waits", ("SavePlanned" in kinds(plan)) != paused, paused, plan)


@scene
def what_an_earlier_policy_left_on_a_line_keeps_its_session_apart() -> None:
    state, ready = line_of("base"), replace(task(Status.READY, order=9), spec=replace(SPEC, id="b"))
    left = Session(SessionSpec("default"), line=("t0",), start="base", paused=True)
    state = replace(state, tasks={**state.tasks, "b": ready}, leases={**state.leases, "b": state.leases["t0"]})
    save = planned(replace(state, sessions={"default": left})).state.save
    demand("to the line", save is not None and save.target is Target.LINE, save)


@scene
def what_was_built_on_a_culprit_is_held_at_once() -> None:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"merge-t{at}", base) for at, base in enumerate(("base", "merge-t0", "base")))
    state = saving(SaveStep.PLANNED, items=items, start="base")
    seen = ChainSeen("tree", (), (Excluded(items[0], Reason.CONFLICT, ("x",)),))
    after = planned(state, save=SaveSeen("save1", seen), draining=True).state
    demand("held", statuses(after)[:2] == ["held", "held"] and statuses(after)[2] in ("ready", "saving"), after)


@scene
def a_session_runs_no_more_than_it_may() -> None:
    running = replace(task(Status.RUNNING), spec=replace(SPEC, id="r", claims=(PathSpec("r"),)))
    waiting = replace(task(Status.WAITING, order=2), spec=replace(SPEC, claims=(PathSpec("w"),)))
    for limit, cause in ((1, "session"), (2, "none"), (0, "none")):
        sessions = {"default": Session(SessionSpec("default", parallel=limit), "f")}
        plan = planned(replace(state_of(running, waiting), sessions=sessions))
        demand("the limit", plan.decisions[0].cause.value == cause, limit, plan.decisions)


@scene
def the_line_of_another_session_is_no_landing() -> None:
    for session, cause in (("default", "none"), ("other", "needs")):
        spec = replace(SPEC, session=session, needs=("t0",), claims=(PathSpec("w"),))
        state = line_of("base")
        held = {"t0": replace(state.leases["t0"], paths=(PathSpec("v"),))}
        state = replace(state, tasks={**state.tasks, "a": replace(task(Status.WAITING, order=9), spec=spec)}, leases=held)
        demand("who sees it", planned(state).decisions[0].cause.value == cause, session)
