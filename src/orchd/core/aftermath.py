"""What stays of a task after an attempt in vain: its next steps, and what whoever comes next is told.

Rule: a task remembers a bounded part of its past, however often it is tried.
"""

from __future__ import annotations

from dataclasses import replace

from orchd.core.steps import keep_skipped, name_next
from orchd.model.limits import SETBACKS
from orchd.model.message import RemedyFound, TaskRetried
from orchd.model.work import Setback, Status, Task


def follow(task: Task, event: RemedyFound) -> Task:
    """After a remedy. What was tried for another step is over."""
    tried = (*(one for one in task.tried if one.step == event.tried.step), event.tried)
    skipped = (*task.skipped, event.skips) if event.skips else task.skipped
    setbacks = remember(task) if event.status is Status.WAITING else task.setbacks
    detail = (*task.detail, *event.detail)
    task = replace(task, spec=event.spec or task.spec, outlook=event.outlook)
    return replace(task, setbacks=setbacks, tried=tried, pick=event.pick, detail=detail, skipped=skipped)


def begin_again(task: Task, event: TaskRetried) -> Task:
    """After somebody asked for another attempt."""
    again = replace(task, setbacks=remember(task), tried=(), pick=None, skipped=keep_skipped(task, event.steps))
    return replace(again, reason=None, detail=(), ended_ms=0, lost=0, earlier=event.earlier, steps=event.steps)


def remember(task: Task) -> tuple[Setback, ...]:
    """The attempts in vain that the next agent is told of, with the one that is tried again; of commands none."""
    if not task.spec.is_for_agent or not task.attempt:
        return ()
    return (*task.setbacks, Setback(task.attempt, task.reason, task.detail, name_next(task)))[-SETBACKS:]
