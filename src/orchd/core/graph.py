"""The order between tasks: duplicate ids, missing and circular dependencies, each as a problem at its place."""

from __future__ import annotations

import difflib
import graphlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from orchd.model.ids import TaskId
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen
from orchd.model.work import TaskSpec

GRAPH_CODES = {
    "E060": "two files give the same task id",
    "E061": "a dependency does not exist",
    "E062": "dependencies go in a circle",
    "E063": "the file of its session has a mistake",
}


def split_duplicates(files: Iterable[FileSeen]) -> tuple[dict[TaskId, FileSeen], list[tuple[FileSeen, Problem]]]:
    """The first file of each id, and the others with what is wrong."""
    first: dict[TaskId, FileSeen] = {}
    again: list[tuple[FileSeen, Problem]] = []
    for file in files:
        kept = first.setdefault(file.spec.id, file)
        if kept is not file:
            message = f"the id `{file.spec.id}` is taken by {kept.path}"
            again.append((file, Problem(file.path, 0, 0, "E060", message, "the id is the file name: rename one of them")))
    return first, again


def find_graph_problems(
    files: Mapping[TaskId, FileSeen], known: Mapping[TaskId, TaskSpec], stuck: Mapping[TaskId, Problem] = MappingProxyType({})
) -> dict[TaskId, Problem]:
    """What is wrong with the dependencies of `files`, given the tasks that are already `known`, and those that are `stuck`.

    A file that needs one with a problem has a problem too; nothing else is touched.
    """
    problems = {**_find_cycles(files, known), **stuck}
    names = files.keys() | known.keys()
    while True:
        good = {task: file for task, file in files.items() if task not in problems}
        fresh = {task: problem for task, file in good.items() if (problem := _find_missing(file, names, problems)) is not None}
        if not fresh:
            return problems
        problems |= fresh


def dependencies(spec: TaskSpec) -> tuple[TaskId, ...]:
    """All that must come before, whether it must succeed or only end."""
    return spec.needs + spec.after


def _find_missing(file: FileSeen, known: Collection[TaskId], problems: Mapping[TaskId, Problem]) -> Problem | None:
    for task in dependencies(file.spec):
        if task in problems:
            return _problem_at(file, task, "E061", f"`{task}` cannot be used: {problems[task].message}", f"repair {task} first")
        if task not in known:
            near = difflib.get_close_matches(task, list(known), 1)
            hint = (
                f"did you mean `{near[0]}`?"
                if near
                else "add the task, or remove this entry; it is looked at again when files change"
            )
            return _problem_at(file, task, "E061", f"there is no task `{task}`", hint)
    return None


def _find_cycles(files: Mapping[TaskId, FileSeen], known: Mapping[TaskId, TaskSpec]) -> dict[TaskId, Problem]:
    edges = {task: dependencies(spec) for task, spec in known.items()} | {t: dependencies(f.spec) for t, f in files.items()}
    problems: dict[TaskId, Problem] = {}
    for cycle in find_cycles(edges):
        shown = " -> ".join([*cycle, cycle[0]])
        for at, task in enumerate(cycle):
            if task in files:
                following = cycle[(at + 1) % len(cycle)]
                hint = "remove one of these `needs` or `after` entries"
                problems[task] = _problem_at(files[task], following, "E062", f"dependencies go in a circle: {shown}", hint)
    return problems


def find_cycles(edges: Mapping[TaskId, Sequence[TaskId]]) -> list[list[TaskId]]:
    """Circles, each as the tasks in the order in which one needs the next. Circles that share a task count once."""
    left, cycles = dict(edges), []
    while True:
        try:
            graphlib.TopologicalSorter(left).prepare()
        except graphlib.CycleError as error:
            cycle = list(reversed(error.args[1][1:]))
            cycles.append(cycle)
            left = {task: needs for task, needs in left.items() if task not in cycle}
        else:
            return cycles


def _problem_at(file: FileSeen, task: TaskId, code: str, message: str, hint: str) -> Problem:
    at = next((mention for mention in file.mentions if mention.task == task), None)
    if at is None:
        return Problem(file.path, 0, 0, code, message, hint)
    return Problem(file.path, at.line, at.column, code, message, hint, at.excerpt, len(task))
