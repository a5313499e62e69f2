"""Attempts: from the evidence of a run and of the airlock to what the attempt came to.

Rule: never conclude from the exit code alone that something was done; READY needs work that came through the airlock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchd.core.exit_words import tell_exit, tell_expiry, tell_report
from orchd.core.statuses import ACTIVE, QUESTIONS
from orchd.core.steps import find_failed, join_steps, list_left, must_change
from orchd.core.watched import current_run
from orchd.model.agent import Watch
from orchd.model.claim import Lease
from orchd.model.limits import LOST_RETRIES
from orchd.model.message import AttemptEnded, Event
from orchd.model.run import AGENT, RUN, CommandResult, Entry, Exit, Outcome, Phase, Returned, RunSeen
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Answer, Reason, Status, Task

UNSEEN = RunSeen(Phase.ABSENT)

FAILED_OUTCOMES = {
    Outcome.TIMEOUT: Reason.TIMEOUT,
    Outcome.UNPREPARED: Reason.WORKSPACE,
    Outcome.STOPPED: Reason.CANCELLED,
    Outcome.LOST: Reason.LOST,
}

NOTHING_LEFT = "what a person answered ({answer}) left nothing of its result to land"

OWN_CLOCKS = frozenset(Watch) - {Watch.WALL}
"""Who is ended by one of these has done something wrong; a longer time limit does not help."""


def conclude_attempts(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """One event for each open attempt whose evidence is complete."""
    for task in state.tasks.values():
        if task.status in ACTIVE:
            seen = snapshot.runs.get(current_run(task), UNSEEN)
            if seen.exit and seen.returned:
                yield _conclude(task, state.leases[task.spec.id], seen.exit, seen.returned, snapshot.now_ms)
            elif task.status is Status.STOPPING and seen.phase is Phase.ABSENT:
                yield _ended(task, Status.CANCELLED, _untouched(task), snapshot.now_ms, Reason.CANCELLED)


def ended_well(seen: Exit) -> bool:
    """Whether every command ended by itself with exit code 0, and at least one was run; an agent must have said that its
    turn is over, too, because most programs end with 0 whatever happened, and have changed something in its step."""
    said = seen.report is None or seen.report.finished
    good = all(result.code == 0 and not result.idle for result in seen.results)
    return said and seen.outcome is Outcome.EXITED and bool(seen.results) and good


def _conclude(task: Task, lease: Lease, left: Exit, returned: Returned, now_ms: int) -> AttemptEnded:
    seen = Exit(Outcome.LOST, fence=left.fence) if lease.expired_ms else left
    returned = replace(returned, detail=tell_expiry(lease) + returned.detail)
    if task.status is Status.STOPPING:
        return _ended(task, Status.CANCELLED, returned, now_ms, Reason.CANCELLED, returned.detail)
    if seen.fence != lease.fence:
        return _ended(task, Status.FAILED, returned, now_ms, Reason.FENCED, returned.detail)
    if seen.outcome is Outcome.LOST and task.lost + 1 < LOST_RETRIES and not _has_remedies(task):
        return _ended(task, Status.WAITING, returned, now_ms, Reason.LOST, returned.detail)
    if not ended_well(seen):
        detail = tuple(dict.fromkeys(_describe_exit(seen) + returned.detail))
        return _ended(task, Status.FAILED, returned, now_ms, _name_reason(seen), detail)
    if returned.entry is Entry.ACCEPTED and _ended_idle(task, returned):
        detail = (f"step {task.spec.steps[-1].name} has changed nothing", *returned.detail)
        return _ended(task, Status.FAILED, returned, now_ms, Reason.NOTHING, detail)
    if returned.entry is Entry.ACCEPTED:
        return _ended(task, Status.READY, returned, now_ms, None, returned.detail)
    if returned.entry is Entry.UNCHANGED and seen.report and seen.report.denied:
        return _ended(task, Status.FAILED, returned, now_ms, Reason.AGENT, (*tell_report(seen.report), *returned.detail))
    if returned.entry is Entry.UNCHANGED:
        failed = returned.reason or (None if task.spec.noop or task.rework else Reason.NOTHING)
        detail = (*_tell_nothing_left(task), *returned.detail)
        return _ended(task, Status.FAILED if failed else Status.UNCHANGED, returned, now_ms, failed, detail)
    asks = returned.entry is Entry.REFUSED and returned.reason in QUESTIONS
    status = Status.HELD if asks else Status.FAILED
    return _ended(task, status, returned, now_ms, returned.reason or Reason.POLICY, returned.detail)


def _tell_nothing_left(task: Task) -> tuple[str, ...]:
    """Where a person decided that nothing of the result lands, that is no idle task, but what they wanted."""
    said = task.rework.answer if task.rework else Answer.RESTORE
    return () if said is Answer.RESTORE else (NOTHING_LEFT.format(answer=said),)


def _ended_idle(task: Task, returned: Returned) -> bool:
    """Whether the last step is one for an agent, and nothing came after the checkpoint before it."""
    kept = join_steps(task, returned.steps)
    return must_change(list_left(task)[-1], task.spec) and bool(kept) and kept[-1].commit == returned.tip


def _has_remedies(task: Task) -> bool:
    """Whether what follows a lost attempt is decided, and counted, as that of an agent. What a person answered stays a wish."""
    return bool(find_failed(task, "").goal) and task.rework is None and task.earlier is None


def _name_reason(seen: Exit) -> Reason:
    """Why a run that did not end well did not."""
    if any(result.idle for result in seen.results):
        return Reason.NOTHING
    if seen.report is not None and (seen.report.ended_by in OWN_CLOCKS or seen.outcome in (Outcome.EXITED, Outcome.UNPREPARED)):
        return Reason.AGENT
    return FAILED_OUTCOMES.get(seen.outcome, Reason.EXIT)


def _untouched(task: Task) -> Returned:
    """What an attempt leaves that never began."""
    again = task.rework
    return Returned(Entry.KEPT, again.tip, again.ref) if again else Returned(Entry.UNCHANGED)


def _describe_exit(seen: Exit) -> tuple[str, ...]:
    last = seen.results[-1:]
    if last and last[0].idle:
        return (f"{_name_step(last[0])}has changed nothing", *(tell_report(seen.report) if seen.report else ()))
    lines = tuple(f"{_name_step(r)}{tell_exit(r.code)} after {r.seconds:.1f} s" for r in last if not r.timed_out)
    lines += tuple(f"{_name_step(r)}still running after {r.seconds:.0f} s" for r in last if r.timed_out)
    lines += tell_report(seen.report) if seen.report and seen.outcome is not Outcome.LOST else ()
    return lines + ((seen.detail,) if seen.detail else ())


def _name_step(result: CommandResult) -> str:
    return "" if result.name in (RUN, AGENT) else f"step {result.name} "


def _ended(
    task: Task, status: Status, returned: Returned, now_ms: int, reason: Reason | None = None, detail: tuple[str, ...] = ()
) -> AttemptEnded:
    made = () if reason is Reason.FENCED else returned.steps
    steps = join_steps(task, made)
    return AttemptEnded(task.spec.id, task.attempt, status, returned.tip, returned.ref, reason, detail, now_ms, steps)
