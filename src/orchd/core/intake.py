"""Intake: task files become tasks, changed files become new wordings or new generations, bad ones become problems.

Rule: a file counts by its meaning (its digest), a file of the inbox by being dropped; nothing is taken twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchd.core.agents import find_agent_fault, is_agent_unclear
from orchd.core.graph import dependencies, find_graph_problems, split_duplicates
from orchd.core.ownership import list_away
from orchd.core.session_files import fill_defaults, is_unclear, tell_stuck
from orchd.core.statuses import OPEN
from orchd.model.ids import TaskId
from orchd.model.message import (
    Event,
    LandingsGone,
    ProblemsChanged,
    TaskAdopted,
    TaskSeen,
    TaskWithdrawn,
)
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen, FilesSeen, Snapshot, State
from orchd.model.work import Source, Status


def read_files(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What the task files say that the state does not know yet."""
    files, again = split_duplicates(fill_defaults(file, state.sessions) for file in snapshot.files.good)
    away = list_away(state, snapshot.shared)
    fresh = {task: file for task, file in files.items() if _is_news(file, state) and task not in away}
    unclear = {
        task: file
        for task, file in fresh.items()
        if is_unclear(file, state, snapshot.sessions) or is_agent_unclear(file.spec, snapshot.agents)
    }
    stuck = {task: tell_stuck(file) for task, file in unclear.items() if file.spec.session in snapshot.sessions.bad}
    open_yet = {*(unclear.keys() - stuck.keys()), *(snapshot.files.unsettled - state.tasks.keys())}
    unclear |= _list_waiting(fresh, open_yet)
    fresh = {task: file for task, file in fresh.items() if task not in unclear}
    stuck |= {task: fault for task, file in fresh.items() if (fault := find_agent_fault(file, snapshot.agents))}
    waiting = {i: t.spec for i, t in state.tasks.items() if i not in fresh}
    wrong = find_graph_problems(fresh, waiting, stuck) if fresh or stuck else {}
    problems = tuple(sorted({*snapshot.files.problems, *wrong.values(), *(problem for _, problem in again)}))
    if problems != state.problems:
        yield ProblemsChanged(problems)
    yield from _withdraw(state, {*(files.keys() - wrong.keys()), *away}, snapshot.files)
    new = [file for task, file in fresh.items() if task not in wrong]
    landed = [file for file in new if _has_landed(file, state, snapshot)]
    yield from _admit(state, (file for file in new if file not in landed), snapshot.now_ms)
    yield from _know(state, landed, snapshot)


def _list_waiting(fresh: Mapping[TaskId, FileSeen], unclear: set[TaskId]) -> dict[TaskId, FileSeen]:
    """Files that need, through whomever, what is not known yet: it may be there at the next look."""
    waiting = dict[TaskId, FileSeen]()
    while more := {
        task: file
        for task, file in (fresh.items() if unclear else ())
        if task not in waiting and not (unclear | waiting.keys()).isdisjoint(dependencies(file.spec))
    }:
        waiting |= more
    return waiting


def recorded_drops(state: State, files: FilesSeen) -> dict[str, tuple[Problem, ...]]:
    """The files of the inbox that can be moved away: those that became tasks, and those that never can (with the reason)."""
    first, again = split_duplicates(files.good)
    taken = {
        f.drop: () for f in first.values() if f.drop and f.spec.id in state.tasks and state.tasks[f.spec.id].drop == f.drop
    }
    refused = {file.drop: (problem,) for file, problem in again if file.drop}
    return taken | refused | dict(files.bad_drops)


def _is_news(file: FileSeen, state: State) -> bool:
    task = state.tasks.get(file.spec.id)
    if task is None:
        return True
    if task.status in OPEN:
        return False
    if file.drop:
        return file.drop != task.drop
    untouched = task.status is Status.WAITING and task.attempt == 0
    reworded = untouched and file.spec is not task.spec and file.spec != task.spec
    return reworded or file.digest != task.digest or task.status is Status.WITHDRAWN


def _withdraw(state: State, present: Iterable[TaskId], files: FilesSeen) -> Iterator[Event]:
    """An answered task needs no file any more: its result is there."""
    there = {*present, *files.unsettled}
    for name, task in state.tasks.items():
        bound = task.source is not Source.INBOX and task.rework is None
        if task.status is Status.WAITING and bound and name not in there:
            yield TaskWithdrawn(name)


def _admit(state: State, files: Iterable[FileSeen], now_ms: int) -> Iterator[Event]:
    for order, file in enumerate(files, state.next_order):
        yield TaskSeen(file.spec, file.digest, file.source, file.drop, _generation(file, state.tasks), order, now_ms)


def _has_landed(file: FileSeen, state: State, snapshot: Snapshot) -> bool:
    """Whether this very file has landed, though not here. What was asked for here counts more."""
    found, task = snapshot.past.get(file.spec.id), state.tasks.get(file.spec.id)
    return found is not None and (task is None or (found.generation > task.generation and not found.lost))


def _know(state: State, files: Sequence[FileSeen], snapshot: Snapshot) -> Iterator[Event]:
    """What has landed elsewhere, as main says. What it has lost of that is known at once, so that nothing starts without it."""
    for order, file in enumerate(files, state.next_order + len(snapshot.files.good)):
        found = snapshot.past[file.spec.id]
        yield TaskAdopted(
            file.spec,
            file.digest,
            file.source,
            Status.LANDED,
            found.generation,
            found.attempt,
            order,
            snapshot.now_ms,
            ended_ms=found.at_ms,
            checkpoint=found.checkpoint,
            commit=found.commit,
        )
    if lost := {file.spec.id for file in files if snapshot.past[file.spec.id].lost}:
        yield LandingsGone(tuple(sorted(state.gone | lost)))


def _generation(file: FileSeen, tasks: Mapping[TaskId, object]) -> int:
    task = tasks.get(file.spec.id)
    generation, status = getattr(task, "generation", 0), getattr(task, "status", None)
    return generation if status in (Status.WAITING, Status.WITHDRAWN) else generation + 1
