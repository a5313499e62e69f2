"""Events to state: the only way the state changes. Replaying the log of a repository through here gives its state.

Rule: an event holds everything its application needs; nothing is looked up outside the state.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import TypedDict, Unpack

from orchd.core.aftermath import begin_again, follow
from orchd.core.costs import add_bill, book
from orchd.core.draft import Draft, begin, finish
from orchd.core.gating import count_verdict
from orchd.core.grants import drop_want, extend, note, refuse
from orchd.core.lifecycle import move
from orchd.core.lines import note_saved, record_of, shorten_line
from orchd.core.saving import tasks_of
from orchd.core.sessions import keep_line, kept_items, split_line
from orchd.core.statuses import ACTIVE, OPEN, SCREENED
from orchd.errors import OrchdError
from orchd.model.ids import SessionId, TaskId, checkpoint_name, number_of
from orchd.model.limits import REFUSALS
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    ConflictCleared,
    ConflictPredicted,
    CostBooked,
    Event,
    ExtensionAsked,
    ExtensionRefused,
    GateLost,
    GateRan,
    GateStarved,
    GateTried,
    LandingAsked,
    LandingsGone,
    LeaderTook,
    LeaseExpired,
    LeaseExtended,
    ProblemsChanged,
    ProposalsHeard,
    RemedyFound,
    RequestRefused,
    SaveAbandoned,
    SaveAsked,
    SaveClosed,
    SaveGated,
    SaveHeld,
    SaveLanded,
    SaveMerged,
    SavePlanned,
    SaveRefused,
    ScreenedOut,
    ScreeningBegun,
    SessionAdopted,
    SessionElsewhere,
    SessionEnded,
    SessionFileLost,
    SessionForked,
    SessionOwned,
    SessionPaused,
    SessionResumed,
    SessionSeen,
    StopAsked,
    TaskAdopted,
    TaskAnswered,
    TaskCancelled,
    TaskRetried,
    TaskSeen,
    TaskWithdrawn,
)
from orchd.model.save import Excluded, SaveStep, Target, Try
from orchd.model.session import Session, SessionSpec
from orchd.model.snapshot import Conflict, State
from orchd.model.tenure import Holding
from orchd.model.text import day_of
from orchd.model.work import Reason, Status, Task


class Settings(TypedDict, total=False):
    """What may change in the record of a session without its settings."""

    file: str
    paused: bool
    asked: bool


def evolve(state: State, events: Iterable[Event]) -> State:
    """The state after `events`. Raises OrchdError for an event that the lifecycle does not allow; `state` is unchanged."""
    draft = begin(state)
    for event in events:
        apply(event, draft)
    return finish(draft)


def _change(draft: Draft, event: Event, task: TaskId, status: Status) -> Task:
    """Move a task by the table; its claim is released when it is no longer open."""
    old = draft.tasks[task]
    new = replace(old, status=move(type(event), old.status, status))
    draft.tasks[task] = new
    if status not in SCREENED:
        draft.screenings.pop(task, None)
    if status not in OPEN:
        draft.leases.pop(task, None)
    elif status not in ACTIVE and draft.leases[task].wants:
        draft.leases[task] = replace(draft.leases[task], wants=())
    return new


@functools.singledispatch
def apply(event: Event, draft: Draft) -> None:
    """Apply one event to a draft."""
    raise OrchdError(f"no rule for {type(event).__name__}", "the state was written by a newer orchd")


@apply.register
def _(event: LeaderTook, draft: Draft) -> None:
    draft.owner, draft.epoch, draft.branch = event.owner, event.epoch, event.branch or draft.branch


@apply.register
def _(event: ProblemsChanged, draft: Draft) -> None:
    draft.problems = event.problems


@apply.register
def _(event: TaskSeen, draft: Draft) -> None:
    task = event.spec.id
    old = draft.tasks.get(task)
    if old is not None:
        move(TaskSeen, old.status, Status.WAITING)
    fresh = Task(event.spec, Status.WAITING, event.digest, event.source, event.order, event.at_ms, event.drop, event.generation)
    same_generation = old is not None and old.generation == event.generation
    fresh = replace(fresh, attempt=old.attempt, lost=old.lost, spent=old.spent) if old and same_generation else fresh
    draft.tasks[task] = replace(fresh, rework=event.rework, proposer=event.proposer, depth=event.depth)
    draft.screenings.pop(task, None)
    draft.next_order = max(draft.next_order, event.order + 1)


@apply.register
def _(event: ProposalsHeard, draft: Draft) -> None:
    task = draft.tasks[event.task]
    draft.tasks[event.task] = replace(task, proposed=task.proposed + len(event.taken))


@apply.register
def _(event: TaskWithdrawn, draft: Draft) -> None:
    _change(draft, event, event.task, Status.WITHDRAWN)


@apply.register
def _(event: AttemptStarted, draft: Draft) -> None:
    """Checkpoints are of one base: from one that an answer has left behind, nobody goes on."""
    task = _change(draft, event, event.task, Status.RUNNING)
    task = replace(task, ended_ms=0, reason=None, detail=(), tip="", ref="", checkpoint="", commit="")
    draft.leases[event.task] = event.lease
    draft.next_fence = max(draft.next_fence, event.lease.fence + 1)
    draft.tasks[event.task] = replace(
        task,
        attempt=event.attempt,
        base=event.base,
        steps=task.steps if event.base == task.base else (),
        started_ms=event.lease.granted_ms,
        due=False,
        pick=event.pick,
        outlook=None,
    )
    if event.pick:
        draft.cooling.pop(event.pick.vendor, None)


@apply.register
def _(event: AttemptEnded, draft: Draft) -> None:
    task = _change(draft, event, event.task, event.status)
    draft.tasks[event.task] = replace(
        task,
        tip=event.tip,
        ref=event.ref,
        reason=event.reason,
        detail=event.detail,
        ended_ms=event.at_ms,
        lost=task.lost + (event.reason is Reason.LOST),
        rework=task.rework if event.status is Status.WAITING else None,
        earlier=task.earlier if event.status is Status.WAITING else None,
        steps=event.steps,
    )


@apply.register
def _(event: RemedyFound, draft: Draft) -> None:
    task = _change(draft, event, event.task, event.status)
    draft.tasks[event.task] = follow(task, event)
    if event.cools_until_ms:
        vendor = event.tried.candidate.vendor
        draft.cooling[vendor] = max(event.cools_until_ms, draft.cooling.get(vendor, 0))


@apply.register
def _(event: CostBooked, draft: Draft) -> None:
    if task := draft.tasks.get(event.bill.task):
        draft.tasks[event.bill.task] = replace(task, spent=add_bill(task.spent, draft.ledger, event.bill, event.prices))
    draft.ledger = book(draft.ledger, event.bill, event.prices)


@apply.register
def _(event: LeaseExpired, draft: Draft) -> None:
    draft.leases[event.task] = replace(draft.leases[event.task], expired_ms=event.at_ms)


@apply.register
def _(event: ExtensionAsked, draft: Draft) -> None:
    draft.leases[event.task] = note(draft.leases[event.task], event.extension)


@apply.register
def _(event: LeaseExtended, draft: Draft) -> None:
    lease = extend(drop_want(draft.leases[event.task], event.order), event.paths)
    task = draft.tasks[event.task]
    left = tuple(one for one in lease.refused if not set(one.paths) <= set(lease.paths))
    draft.leases[event.task] = replace(lease, refused=left)
    draft.tasks[event.task] = replace(task, spec=replace(task.spec, claims=lease.paths))


@apply.register
def _(event: ExtensionRefused, draft: Draft) -> None:
    draft.leases[event.task] = refuse(drop_want(draft.leases[event.task], event.order), event.refusal)


@apply.register
def _(event: StopAsked, draft: Draft) -> None:
    _change(draft, event, event.task, Status.STOPPING)


@apply.register
def _(event: TaskCancelled, draft: Draft) -> None:
    if draft.tasks[event.task].status is Status.INTEGRATED:
        _cut_line(draft, event)
    task = _change(draft, event, event.task, Status.CANCELLED)
    task = replace(task, reason=Reason.CANCELLED, detail=(), ended_ms=event.at_ms)
    draft.tasks[event.task] = replace(task, commit=task.commit if task.checkpoint else "", rework=None, earlier=None)


@apply.register
def _(event: TaskRetried, draft: Draft) -> None:
    draft.tasks[event.task] = begin_again(_change(draft, event, event.task, Status.WAITING), event)


@apply.register
def _(event: ConflictPredicted, draft: Draft) -> None:
    found = Conflict(event.task, event.other, event.paths)
    draft.conflicts = tuple(sorted((*_other_conflicts(event, draft), found), key=lambda one: (one.task, one.other)))


@apply.register
def _(event: ConflictCleared, draft: Draft) -> None:
    draft.conflicts = _other_conflicts(event, draft)


def _other_conflicts(event: ConflictPredicted | ConflictCleared, draft: Draft) -> tuple[Conflict, ...]:
    return tuple(one for one in draft.conflicts if (one.task, one.other) != (event.task, event.other))


@apply.register
def _(event: TaskAnswered, draft: Draft) -> None:
    task = _change(draft, event, event.task, Status.WAITING)
    spec = replace(task.spec, claims=event.claims)
    draft.tasks[event.task] = replace(task, spec=spec, rework=event.rework, reason=None, detail=(), ended_ms=0)


@apply.register
def _(event: SavePlanned, draft: Draft) -> None:
    for item in event.save.items:
        _change(draft, event, item.task, Status.SAVING)
    draft.save = event.save
    draft.next_number = event.save.number + 1


@apply.register
def _(event: SaveMerged, draft: Draft) -> None:
    _leave_out(draft, event, event.excluded)
    merged = replace(draft.open_save, step=SaveStep.MERGED, base_tree=event.base_tree)
    draft.save = replace(merged, chain=event.chain, excluded=event.excluded)
    shorten_line(draft)


@apply.register
def _(event: ScreeningBegun, draft: Draft) -> None:
    draft.screenings[event.screening.items[0].task] = event.screening


@apply.register
def _(event: ScreenedOut, draft: Draft) -> None:
    task = _change(draft, event, event.task, Status.FAILED)
    draft.tasks[event.task] = replace(task, reason=Reason.GATE, detail=event.detail)


@apply.register
def _(event: GateRan, draft: Draft) -> None:
    save = draft.find_gated(event.save)
    draft.put_gated(replace(save, verdicts=(*save.verdicts, event.verdict)))
    draft.gates = count_verdict(draft.gates, event.verdict)


@apply.register
def _(event: GateTried | GateLost, draft: Draft) -> None:
    save = draft.find_gated(event.save)
    results = event.results if isinstance(event, GateTried) else ()
    draft.put_gated(replace(save, tries=(*save.tries, Try(event.index, results))))


@apply.register
def _(event: GateStarved, draft: Draft) -> None:
    save = draft.find_gated(event.save)
    tries = (*save.tries, Try(event.index, starved=True))
    draft.put_gated(replace(save, tries=tries, starved_ms=event.at_ms))


@apply.register
def _(event: SaveHeld, draft: Draft) -> None:
    draft.put_gated(replace(draft.find_gated(event.save), hold=event.hold, hold_detail=event.detail))


@apply.register
def _(event: SaveGated, draft: Draft) -> None:
    save = draft.open_save
    _leave_out(draft, event, event.excluded)
    left_out = (*save.excluded, *event.excluded)
    draft.save = replace(save, step=SaveStep.GATED, lands=event.lands, excluded=left_out, hold=None, hold_detail=())
    shorten_line(draft)


@apply.register
def _(event: SaveRefused, draft: Draft) -> None:
    save = draft.open_save
    _leave_out(draft, event, event.excluded)
    draft.save = replace(save, excluded=(*save.excluded, *event.excluded))
    shorten_line(draft)


def _leave_out(draft: Draft, event: Event, excluded: Iterable[Excluded]) -> None:
    """A red gate is a failure of the task; everything else is for somebody to decide."""
    for gone in excluded:
        status = Status.FAILED if gone.reason is Reason.GATE else Status.HELD
        task = _change(draft, event, gone.item.task, status)
        draft.tasks[gone.item.task] = replace(task, reason=gone.reason, detail=gone.detail)


@apply.register
def _(event: SaveLanded, draft: Draft) -> None:
    draft.save = replace(draft.open_save, step=SaveStep.LANDED, commit=event.commit, hold=None, hold_detail=())


@apply.register
def _(event: SaveAbandoned, draft: Draft) -> None:
    save = draft.open_save
    kept = tuple(item.task for item in kept_items(save)) if save.start else ()
    for task in tasks_of(save):
        if task in kept:
            _change(draft, event, task, Status.INTEGRATED)
        else:
            _make_ready(draft, event, task)
    draft.save = None


@apply.register
def _(event: SaveClosed, draft: Draft) -> None:
    save = draft.open_save
    landed = {link.item.task: link.head for link in save.chain[: save.lands]}
    name = checkpoint_name(day_of(save.date_ms), save.number) if save.commit else ""
    status = Status.LANDED if save.commit else Status.UNCHANGED
    for task in tasks_of(save):
        if task not in landed:
            _make_ready(draft, event, task)
        elif save.target is Target.LINE:
            draft.tasks[task] = replace(_change(draft, event, task, Status.INTEGRATED), commit=landed[task])
            draft.leases[task] = replace(draft.leases[task], resources=(), ports=())
        else:
            draft.tasks[task] = replace(_change(draft, event, task, status), checkpoint=name, commit=save.commit)
    note_saved(draft, save, tuple(landed))
    draft.save = None


@apply.register
def _(event: SessionOwned, draft: Draft) -> None:
    draft.holdings[event.session] = Holding(event.owner, event.epoch)
    draft.next_number = max(draft.next_number, event.number)
    if event.before not in ("", event.owner):
        for name, task in draft.tasks.items():
            if task.spec.session == event.session and task.status is Status.WAITING:
                draft.tasks[name] = replace(task, attempt=task.attempt + 1)


@apply.register
def _(event: SessionElsewhere, draft: Draft) -> None:
    draft.holdings[event.session] = Holding(event.owner, event.epoch)
    for name in event.stopped:
        draft.tasks[name] = replace(_change(draft, event, name, Status.WAITING), reason=None, detail=(), commit="")
    if event.session in draft.sessions:
        draft.sessions[event.session] = keep_line(draft.sessions[event.session], ())
    if draft.save is not None and draft.save.session == event.session:
        draft.save = None


@apply.register
def _(event: TaskAdopted, draft: Draft) -> None:
    """Not by the table of moves: what the owner of a session says about its tasks counts, whatever we thought."""
    task = event.spec.id
    old = draft.tasks.get(task)
    draft.screenings.pop(task, None)
    draft.tasks[task] = Task(
        event.spec,
        event.status,
        event.digest,
        event.source,
        event.order,
        event.at_ms,
        drop=old.drop if old else "",
        generation=event.generation,
        attempt=event.attempt,
        base=old.base if old else "",
        reason=event.reason,
        detail=event.detail,
        ended_ms=event.ended_ms,
        checkpoint=event.checkpoint,
        commit=event.commit,
        proposer=event.proposer,
        depth=event.depth,
        proposed=event.proposed,
        spent=event.spent,
    )
    draft.next_order = max(draft.next_order, event.order + 1)
    draft.next_number = max(draft.next_number, number_of(event.checkpoint) + 1)


@apply.register
def _(event: SessionSeen, draft: Draft) -> None:
    old = draft.sessions.get(event.spec.id) or Session(event.spec)
    draft.sessions[event.spec.id] = replace(old, spec=event.spec, file=event.file, pinned=event.base)


@apply.register
def _(event: SessionFileLost, draft: Draft) -> None:
    _settle_session(draft, event.session, file="")


@apply.register
def _(event: SessionEnded, draft: Draft) -> None:
    draft.sessions.pop(event.session, None)


@apply.register
def _(event: SessionPaused | SessionResumed, draft: Draft) -> None:
    _settle_session(draft, event.session, paused=isinstance(event, SessionPaused))


@apply.register
def _(event: LandingAsked, draft: Draft) -> None:
    _settle_session(draft, event.session, asked=True)


@apply.register
def _(event: SaveAsked, draft: Draft) -> None:
    for task in event.tasks:
        draft.tasks[task] = replace(draft.tasks[task], due=True)


@apply.register
def _(event: SessionForked, draft: Draft) -> None:
    spec = SessionSpec(event.session, event.landing)
    draft.sessions[event.session] = Session(spec, pinned=event.base, origin=event.origin)


@apply.register
def _(event: SessionAdopted, draft: Draft) -> None:
    draft.sessions[event.session.spec.id] = event.session


@apply.register
def _(event: RequestRefused, draft: Draft) -> None:
    draft.refused = (*draft.refused, event.refused)[-REFUSALS:]


@apply.register
def _(event: LandingsGone, draft: Draft) -> None:
    draft.gone = frozenset(event.tasks)
    for name in event.moot:
        draft.tasks[name] = replace(_change(draft, event, name, Status.LANDED), reason=None)


def _settle_session(draft: Draft, name: SessionId, **changes: Unpack[Settings]) -> None:
    """Change the record of a session; one that has none gets one."""
    draft.sessions[name] = replace(record_of(draft, name), **changes)


def _make_ready(draft: Draft, event: Event, task: TaskId) -> None:
    """Back to where it waits for a save; a merge that it had is no more."""
    draft.tasks[task] = replace(_change(draft, event, task, Status.READY), commit="")


def _cut_line(draft: Draft, event: TaskCancelled) -> None:
    """Take a task out of the line. What was built on it is held; what only came after it is integrated again."""
    session = draft.sessions[draft.tasks[event.task].spec.session]
    kept, built, free = split_line(draft.tasks, session, event.task)
    for task in built:
        held = _change(draft, event, task, Status.HELD)
        draft.tasks[task] = replace(held, reason=Reason.BUILT_ON, detail=(event.task,), commit="")
    for task in free:
        _make_ready(draft, event, task)
    draft.sessions[session.spec.id] = keep_line(session, kept)
