"""Remedies, carried out: from the failed attempt of an agent to the event that lets its task go on or says what to change.

Rule: a command is never tried again, only skipped where its step is optional; an agent only as `core.recovery` allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchd.core.attempts import UNSEEN
from orchd.core.chains import chosen_spec, list_candidates
from orchd.core.exit_words import CLOCKS
from orchd.core.failures import UNTOLD, Facts, name_failure
from orchd.core.parts import divide, find_parts
from orchd.core.recovery import COOLS, cools_until, find_remedy
from orchd.core.statuses import ACTIVE
from orchd.core.steps import find_begin, find_failed, list_reports, name_next
from orchd.core.watched import current_run
from orchd.model.agent import Failure, Report
from orchd.model.cost import Bill
from orchd.model.message import CostBooked, Event, RemedyFound
from orchd.model.recovery import Candidate, Case, Decompose, Escalate, Resume, Retry, Tried, Wait
from orchd.model.run import Exit, Outcome, Phase, RunSeen
from orchd.model.snapshot import Snapshot, State
from orchd.model.text import day_of
from orchd.model.work import SHELL, Reason, Status, Step, Task

RECOVERABLE = frozenset({Reason.EXIT, Reason.TIMEOUT, Reason.NOTHING, Reason.LOST, Reason.GATE, Reason.AGENT, Reason.EVIDENCE})
"""What an agent can do better at, or another one. The other reasons are about the result, or about a person."""


COMMANDS = frozenset({Reason.EXIT, Reason.TIMEOUT})
"""What a command itself came to."""


def find_remedies(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What follows each attempt that has failed and has not been followed up yet."""
    for task in state.tasks.values():
        if task.status is Status.FAILED and _may_go_on(task) and not _is_followed(task):
            seen = snapshot.runs.get(current_run(task))
            left = seen.exit if seen else None
            step = find_failed(task, left.results[-1].name if left and left.results else "")
            if step.goal:
                yield _follow_up(task, step, seen or UNSEEN, state, snapshot)
            elif step.optional and task.reason in COMMANDS:
                yield _go_on_without(task, step, snapshot.now_ms)


def book_costs(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What the agents cost whose attempts were concluded in this look, whatever they came to."""
    for name, before in snapshot.state.tasks.items():
        if before.spec.is_for_agent and before.status in ACTIVE and state.tasks[name].status not in ACTIVE:
            run = snapshot.runs.get(current_run(before))
            left = run.exit if run else None
            lost = left is not None and left.outcome is Outcome.LOST and before.rework is None
            # Of a lost attempt nothing may be left: it has cost something all the same.
            unheard = (("", UNTOLD),) if lost else ()
            for step, report in list_reports(left) or unheard:
                at = step or name_next(state.tasks[name])
                bill = _bill(before, report, snapshot)
                yield CostBooked(replace(bill, step=at if before.spec.steps else ""), snapshot.config.prices)


def book_taken(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What attempts cost that are ended because another clone has taken their session: nobody hears their end."""
    for name, before in snapshot.state.tasks.items():
        run, goes_on = snapshot.runs.get(current_run(before)), state.tasks[name].status in ACTIVE
        if before.spec.is_for_agent and before.status in ACTIVE and not goes_on and run and run.phase is Phase.RUNNING:
            yield CostBooked(_bill(before, UNTOLD, snapshot), snapshot.config.prices)


def _is_untold(report: Report) -> bool:
    """Whether it ended before it told what it used, although it had begun."""
    used = report.usage
    silent = used.cost_micros is None and not used.input_tokens and not used.output_tokens
    begun = report == UNTOLD or report.conversation or report.tools or report.ended_by
    return silent and not report.finished and bool(begun)


def _may_go_on(task: Task) -> bool:
    able = task.spec.is_for_agent or any(step.optional for step in task.spec.steps)
    return able and task.reason in RECOVERABLE


def _is_followed(task: Task) -> bool:
    return bool(task.tried) and task.tried[-1].attempt == task.attempt


def _follow_up(task: Task, step: Step, seen: RunSeen, state: State, snapshot: Snapshot) -> RemedyFound:
    chain = list_candidates(task.spec, snapshot.agents, snapshot.config)
    named = step.name if task.spec.steps else ""
    tried = _tell_tried(task, task.pick or chain[0], seen.exit, snapshot.now_ms)
    tried = replace(tried, step=named, begin=find_begin(task))
    history = (*(one for one in task.tried if one.step == named), tried)
    cools_ms = cools_until(history, snapshot.now_ms) if tried.failure in COOLS else 0
    cooling = {**state.cooling, tried.candidate.vendor: cools_ms} if cools_ms else state.cooling
    case = Case(history, chain, snapshot.now_ms, cooling, find_parts(step, seen.asked), step.depth, step.optional)
    case = replace(case, cause=_find_cause(task, seen.exit))
    found = RemedyFound(task.spec.id, tried, Status.FAILED, tried.candidate, cools_ms)
    match find_remedy(case):
        case Retry(candidate) | Wait(candidate):
            return replace(found, status=Status.WAITING, pick=candidate)
        case Escalate(outlook, setting):
            return replace(found, detail=(f"{outlook}: {setting}",), outlook=outlook)
        case Decompose(parts):
            return replace(found, status=Status.WAITING, spec=divide(task.spec, step, parts))
        case Resume():
            return replace(found, status=Status.WAITING, skips=named)


def _go_on_without(task: Task, step: Step, now_ms: int) -> RemedyFound:
    """An optional step that is a command."""
    what = next(iter(task.detail), "")
    tried = Tried(Candidate(SHELL, agent=SHELL), Failure.UNKNOWN, now_ms, what=what, attempt=task.attempt, step=step.name)
    tried = replace(tried, begin=find_begin(task))
    return RemedyFound(task.spec.id, tried, Status.WAITING, task.pick, skips=step.name)


def _tell_tried(task: Task, candidate: Candidate, left: Exit | None, now_ms: int) -> Tried:
    report = left.report if left and left.report else UNTOLD
    failure = name_failure(_gather(task, candidate, left))
    tokens = report.usage.input_tokens + report.usage.output_tokens
    ended = CLOCKS[report.ended_by] if report.ended_by else ""
    what = report.error or ended or next(iter(task.detail), "")
    return Tried(candidate, failure, now_ms, bool(task.tip), tokens, report.until_ms, what, task.attempt)


def _find_cause(task: Task, left: Exit | None) -> str:
    clock = left.report.ended_by if left and left.report else None
    return clock or task.reason or ""


def _gather(task: Task, candidate: Candidate, left: Exit | None) -> Facts:
    """The facts about the attempt that has just failed. A red gate comes later than its run, which is not seen any more."""
    return Facts(
        candidate.program,
        left.report if left and left.report else UNTOLD,
        left.results[-1].code if left and left.results else None,
        lost=task.reason is Reason.LOST,
        late=task.reason is Reason.TIMEOUT,
        unfit=left is not None and left.outcome is Outcome.UNPREPARED,
        gate=", ".join(task.detail) if task.reason is Reason.GATE else "",
        tokens=candidate.budget_tokens,
        printed=left.detail if left else "",
    )


def _bill(task: Task, report: Report, snapshot: Snapshot) -> Bill:
    """The day is that on which it ended."""
    spec, day = chosen_spec(task), day_of(snapshot.now_ms)
    model, untold = report.model or spec.model, _is_untold(report)
    return Bill(day, spec.session, spec.id, spec.agent, model, report.conversation, report.usage, untold)
