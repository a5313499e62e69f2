"""Scenes of predicted conflicts: who is told, what is told, and in which order tasks are merged. The quick
pass plays them, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchd.core.briefing import tell_task
from orchd.core.conflicts import order_merges
from orchd.core.duties import list_duties
from orchd.core.evolve import evolve
from orchd.core.radar import find_conflicts, live_tips, watch_conflicts
from orchd.core.telling import tell_task as tell_story
from orchd.model.action import ReleaseLives, TellRun
from orchd.model.claim import Lease
from orchd.model.config import Config
from orchd.model.limits import SPENT_REFS
from orchd.model.run import Entry, Live, Phase, Returned, RunSeen
from orchd.model.snapshot import Conflict, Snapshot, State
from orchd.model.work import Reason, Source, Status, Task, TaskSpec


def task(name: str, order: int, status: Status = Status.READY, **more: object) -> Task:
    spec = TaskSpec(name, f"Do {name}", "make", needs=more.pop("needs", ()), priority=more.pop("priority", 0))
    tip = f"tip-{name}" if status is not Status.RUNNING else ""
    return Task(spec, status, "1", Source.FILE, order, 0, **{"attempt": 1, "started_ms": order, "tip": tip, **more})


def running(tip: str, told: Mapping[str, str] | None = None) -> RunSeen:
    return RunSeen(Phase.RUNNING, told=told or {}, live=Live(tip))


def look(tasks: Sequence[Task], meetings: Mapping[tuple[str, str], tuple[str, ...]], **runs: RunSeen) -> tuple[State, Snapshot]:
    """The state after the predictions were heard, and the snapshot."""
    state = State(tasks={one.spec.id: one for one in tasks})
    seen = {f"{name}.1.1": run for name, run in runs.items()}
    snapshot = Snapshot(0, state, Config(), "base", runs=seen, meetings={tuple(sorted(p)): q for p, q in meetings.items()})
    return evolve(state, watch_conflicts(state, snapshot)), snapshot


def notes(state: State, snapshot: Snapshot) -> list[TellRun]:
    return [note for one in state.tasks.values() for note in tell_task(one, state, snapshot)]


def the_task_that_started_later_is_told_whatever_its_place_in_the_queue():
    early = task("early", 2, Status.RUNNING, started_ms=1)
    late = task("late", 1, Status.RUNNING, started_ms=5, base="0base")
    state, snapshot = look([early, late], {("x", "y"): ("src/a.py",)}, early=running("x"), late=running("y"))
    assert state.conflicts == (Conflict("late", "early", ("src/a.py",)),)
    [note] = notes(state, snapshot)
    assert (note.run, note.name) == ("late.1.1", "conflicts.md")
    assert "`early` (Do early)" in note.text and "- `src/a.py`" in note.text and " x`" in note.text


def a_task_that_runs_is_merged_after_one_that_is_done():
    tasks = [task("done", 2, started_ms=5), task("runs", 1, Status.RUNNING, started_ms=1)]
    state, _ = look(tasks, {("tip-done", "x"): ("a",)}, runs=running("x"))
    assert state.conflicts == (Conflict("runs", "done", ("a",)),)


def what_conflicts_with_main_is_told_once_and_not_for_each_other_task():
    tasks = [task("old", 1), task("new", 2)]
    state, _ = look(tasks, {("tip-old", "base"): ("a",), ("tip-new", "tip-old"): ("a", "b")})
    assert state.conflicts == (Conflict("new", "old", ("b",)), Conflict("old", "", ("a",)))


def a_prediction_that_is_over_is_cleared_and_the_task_is_told():
    tasks = [task("one", 1), task("two", 2, Status.RUNNING)]
    state, snapshot = look(tasks, {("tip-one", "x"): ("a",)}, two=running("x"))
    [note] = notes(state, snapshot)
    told = running("z", {"conflicts.md": note.text})
    later = Snapshot(0, state, Config(), "base", runs={"two.1.1": told})
    after = evolve(state, watch_conflicts(state, later))
    assert after.conflicts == ()
    [cleared] = notes(after, later)
    assert "any more" in cleared.text
    assert (
        notes(after, Snapshot(0, after, Config(), "base", runs={"two.1.1": running("z", {"conflicts.md": cleared.text})})) == []
    )


def live_tips_are_accepted_work_and_what_running_tasks_committed():
    tasks = [
        task("ready", 4),
        task("saving", 3, Status.SAVING),
        task("held", 1, Status.HELD, reason=Reason.CLAIM),
        task("clash", 2, Status.HELD, reason=Reason.CONFLICT),
        task("landed", 5, Status.LANDED),
        task("runs", 6, Status.RUNNING),
        task("fresh", 7, Status.RUNNING),
        task("ended", 8, Status.RUNNING),
        task("refused", 9, Status.RUNNING),
    ]
    state = State(tasks={one.spec.id: one for one in tasks})
    runs = {
        "runs.1.1": running("live"),
        "fresh.1.1": RunSeen(Phase.RUNNING, live=Live(fresh="unchecked")),
        "ended.1.1": RunSeen(Phase.ENDED, returned=Returned(Entry.ACCEPTED, "taken")),
        "refused.1.1": RunSeen(Phase.ENDED, returned=Returned(Entry.REFUSED, "outside")),
    }
    tips = live_tips(state, runs)
    assert list(tips) == ["saving", "ready", "runs", "ended", "held"]
    assert (tips["runs"], tips["ended"], tips["ready"]) == ("live", "taken", "tip-ready")


def a_person_reads_it_on_both_sides():
    state, _ = look([task("one", 1), task("two", 2)], {("tip-one", "tip-two"): ("a", "b", "c", "d")})
    assert "; will conflict with two in a, b, c and 1 more" in tell_story(state.tasks["one"], state).what
    assert "will conflict with one in a, b, c and 1 more" in tell_story(state.tasks["two"], state).why


def count_held(order: Sequence[str], clashes: frozenset[frozenset[str]]) -> int:
    """Merge one after the other; who meets one that is in already is held."""
    merged: list[str] = []
    for name in order:
        if not any(frozenset((name, other)) in clashes for other in merged):
            merged.append(name)
    return len(order) - len(merged)


def one_task_in_the_way_of_many_is_held_and_not_the_many():
    tasks = [task("hub", 1, priority=9), *(task(f"leaf{at}", at + 2) for at in range(5))]
    conflicts = [Conflict(one.spec.id, "hub", ("a",)) for one in tasks[1:]]
    clashes = frozenset(frozenset((found.task, found.other)) for found in conflicts)
    order = [one.spec.id for one in order_merges(tasks, conflicts)]
    assert count_held([one.spec.id for one in tasks], clashes) == 5
    assert count_held(order, clashes) == 1


def nothing_is_predicted_of_what_nobody_means_to_land():
    state = State(tasks={"a": task("a", 1, Status.LANDED), "b": task("b", 2, Status.FAILED)})
    snapshot = Snapshot(0, state, Config(), "base", meetings={("tip-a", "tip-b"): ("x",)})
    assert list(find_conflicts(state, snapshot)) == []


def live_commits_of_what_runs_are_not_let_go():
    one = task("one", 1, Status.RUNNING)
    state = State(tasks={"one": one}, leases={"one": Lease("one", "", 1, (), 0)})
    gone = {f"gone{at}.1.1" for at in range(SPENT_REFS)}
    snapshot = Snapshot(0, state, Config(), "base", runs={"one.1.1": running("x")}, lives=frozenset({"one.1.1", *gone}))
    assert ReleaseLives(tuple(sorted(gone))) in list_duties(state, snapshot)


SCENES = (
    live_commits_of_what_runs_are_not_let_go,
    the_task_that_started_later_is_told_whatever_its_place_in_the_queue,
    a_task_that_runs_is_merged_after_one_that_is_done,
    what_conflicts_with_main_is_told_once_and_not_for_each_other_task,
    a_prediction_that_is_over_is_cleared_and_the_task_is_told,
    live_tips_are_accepted_work_and_what_running_tasks_committed,
    a_person_reads_it_on_both_sides,
    one_task_in_the_way_of_many_is_held_and_not_the_many,
    nothing_is_predicted_of_what_nobody_means_to_land,
)
