"""What stays of a task after an attempt in vain: its next steps, and what whoever comes next is told.

Rule: a task remembers a bounded part of its past, however often it is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchd.core.steps import keep_skipped, name_next
from orchd.model.limits import MEMORY_BYTES, MEMORY_SHARE, SETBACKS, SHORT_LINE_BYTES
from orchd.model.message import RemedyFound, TaskRetried
from orchd.model.recovery import Tried
from orchd.model.work import Setback, Status, Task


def follow(task: Task, event: RemedyFound) -> Task:
    """After a remedy. What was tried for another step is over."""
    tried = (*(one for one in task.tried if one.step == event.tried.step), event.tried)
    skipped = (*task.skipped, event.skips) if event.skips else task.skipped
    setbacks = remember(task) if event.status is Status.WAITING else task.setbacks
    detail = (*task.detail, *event.detail)
    task = replace(task, spec=event.spec or task.spec, outlook=event.outlook)
    return prune(replace(task, setbacks=setbacks, tried=tried, pick=event.pick, detail=detail, skipped=skipped))


def begin_again(task: Task, event: TaskRetried) -> Task:
    """After somebody asked for another attempt."""
    again = replace(task, setbacks=remember(task), tried=(), pick=None, skipped=keep_skipped(task, event.steps))
    ended_ms = task.ended_ms if task.checkpoint else 0
    return prune(replace(again, reason=None, detail=(), ended_ms=ended_ms, lost=0, earlier=event.earlier, steps=event.steps))


def remember(task: Task) -> tuple[Setback, ...]:
    """The attempts in vain that the next agent is told of, with the one that is tried again; of commands none."""
    if not task.spec.is_for_agent or not task.attempt:
        return ()
    return (*task.setbacks, Setback(task.attempt, task.reason, task.detail, name_next(task)))[-SETBACKS:]


def prune(task: Task) -> Task:
    """The task with a memory that fits: while it is too large, the oldest attempt is shortened, the newest at last."""
    for shorter in _shorten_by_age(task):
        if measure(task) <= MEMORY_SHARE * MEMORY_BYTES:
            return task
        task = shorter
    return task


def measure(task: Task) -> int:
    """How many bytes of text it remembers of its earlier attempts."""
    lines = [line for setback in task.setbacks for line in setback.detail]
    return sum(len(text.encode()) for text in (*lines, *(one.what for one in task.tried)))


def _shorten_by_age(task: Task) -> Iterator[Task]:
    """The task with one more of its attempts shortened each time; what people and agents are told comes last."""
    for at, tried in enumerate(task.tried):
        task = replace(task, tried=(*task.tried[:at], _shorten_tried(tried), *task.tried[at + 1 :]))
        yield task
    for at, setback in enumerate(task.setbacks):
        task = replace(task, setbacks=(*task.setbacks[:at], _shorten_setback(setback), *task.setbacks[at + 1 :]))
        yield task


def _shorten_tried(tried: Tried) -> Tried:
    return replace(tried, what=_cut(tried.what))


def _shorten_setback(setback: Setback) -> Setback:
    """Its first line, its last one (a run, where a gate was red) and how many there were between."""
    first, *more = setback.detail or ("",)
    left = (f"({len(more) - 1} lines left out)",) if len(more) > 1 else ()
    return replace(setback, detail=tuple(map(_cut, (first, *left, *more[-1:]))))


def _cut(line: str) -> str:
    whole = line.encode()
    return line if len(whole) <= SHORT_LINE_BYTES else f"{whole[:SHORT_LINE_BYTES].decode(errors='ignore')} ..."
