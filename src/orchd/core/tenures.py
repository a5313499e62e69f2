"""Tenures: whose session it is where clones share a remote, when we may act for it, and what we publish about it.

Rule: we start and land only for a session that is securely ours, that is for a part of the time after which others may take
it over; and whoever lands moves main and the tenure in one push, so an owner that was replaced cannot land whatever it thinks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from orchd.core.evolve import evolve
from orchd.core.ownership import is_foreign
from orchd.core.requests import list_wanted
from orchd.core.sessions import SETTLED, keep_line, session_of
from orchd.core.statuses import FINISHED, OPEN
from orchd.model.cost import Spent
from orchd.model.ids import Oid, SessionId
from orchd.model.limits import RENEW_SHARE
from orchd.model.message import (
    Event,
    SaveClosed,
    SaveLanded,
    SessionAdopted,
    SessionElsewhere,
    SessionOwned,
    TaskAdopted,
)
from orchd.model.save import Save, SaveStep
from orchd.model.session import Session, SessionSpec
from orchd.model.snapshot import Snapshot, State
from orchd.model.tenure import Bid, Holding, SharedSeen, Tenure, TenureSeen
from orchd.model.work import Status, Task

TO_BE_SEALED = "0" * 40
"""Stands for the id of the checkpoint commit in a tenure that is pushed together with it."""


def hear_owners(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What the shared remote says about owners, and the records that other owners published."""
    shared = snapshot.shared
    for seen in (shared.tenures[session] for session in sorted(shared.tenures)) if shared else ():
        events = tuple(_hear(seen, state, shared)) if shared else ()
        yield from events
        state = evolve(state, events) if events else state


def _hear(seen: TenureSeen, state: State, shared: SharedSeen) -> Iterator[Event]:
    tenure, holding, me = seen.tenure, state.holdings.get(seen.tenure.session), shared.me
    news = holding != Holding(tenure.owner, tenure.epoch)
    if tenure.owner == me:
        if news:
            before = holding.owner if holding else ""
            yield SessionOwned(tenure.session, me, tenure.epoch, before, tenure.number)
    elif not (holding == Holding(me, tenure.epoch) or _has_landed(state.save, tenure.session)):
        if news:
            open_here = tuple(t.spec.id for t in state.tasks.values() if t.spec.session == tenure.session and t.status in OPEN)
            yield SessionElsewhere(tenure.session, tenure.owner, tenure.epoch, open_here)
        if news or tenure.owner:
            yield from _adopt(tenure, state, shared)
            yield from _adopt_settings(tenure, state)


def _has_landed(save: Save | None, session: SessionId) -> bool:
    """Whether a save of this session has landed and is not closed: it is finished first, whoever owns the session now."""
    return save is not None and save.session == session and save.step is SaveStep.LANDED


def _adopt(tenure: Tenure, state: State, shared: SharedSeen) -> Iterator[TaskAdopted]:
    """The published records that say something else than ours. A task of the same name in a session that is not another
    clone's is another task: somebody here wants it."""
    order = state.next_order
    for record in tenure.tasks:
        old = state.tasks.get(record.spec.id)
        if old is not None and old.spec.session != tenure.session and not is_foreign(old.spec.session, shared):
            continue
        event = _adoption(record, old, old.order if old else order, tenure.owner)
        if old is None or not _says(old, event):
            yield event
            order += old is None


def _adoption(record: Task, old: Task | None, order: int, owner: str) -> TaskAdopted:
    """What is not finished waits. Our own counters never go back: they name runs and their evidence in this clone."""
    theirs, ours = (record.generation, record.attempt), (old.generation, old.attempt) if old else (0, 0)
    generation, attempt = max(theirs, ours)
    done = record.status in FINISHED
    work = (f"its work is on {record.ref} in the clone of {owner}",) if record.ref else ()
    return TaskAdopted(
        record.spec,
        record.digest,
        record.source,
        record.status if done else Status.WAITING,
        generation,
        attempt,
        order,
        old.seen_ms if old else record.seen_ms,
        record.reason if done else None,
        record.detail + work if done else (),
        record.ended_ms if done else 0,
        record.checkpoint,
        record.commit,
        record.proposer,
        record.depth,
        record.proposed,
        max(_list_spent(generation, record, old), key=lambda one: one.tokens, default=None),
    )


def _list_spent(generation: int, *known: Task | None) -> Iterator[Spent]:
    """What both clones know that this generation has cost. The larger sum has the other in it: an owner goes on from what was
    published."""
    yield from (task.spent for task in known if task and task.spent and task.generation == generation)


def _adopt_settings(tenure: Tenure, state: State) -> Iterator[SessionAdopted]:
    """That it is paused, and the rules of a session that no file here describes, as long as anything goes by them."""
    old, theirs = session_of(state, tenure.session), tenure.settings
    wanted = replace(old, paused=theirs is not None and theirs.paused)
    goes_on = theirs is not None and (_marks(theirs) or any(task.status not in SETTLED for task in tenure.tasks))
    if theirs is not None and goes_on and not old.file:
        wanted = replace(wanted, spec=theirs.spec, pinned=theirs.pinned, origin=theirs.origin)
    if wanted != old:
        yield SessionAdopted(keep_line(wanted, ()))


def _marks(settings: Session | None) -> tuple[str, ...]:
    """What a session got from people, and from no file."""
    return () if settings is None else (*(("paused",) if settings.paused else ()), *filter(None, (settings.origin,)))


def _says(old: Task, event: TaskAdopted) -> bool:
    """Whether our record already says what the event would make of it (or is open, and this is not the time)."""
    mine = (old.spec, old.digest, old.source, old.status, old.generation, old.attempt)
    ends = (old.reason, old.detail, old.ended_ms, old.checkpoint, old.commit, old.spent)
    theirs = (event.spec, event.digest, event.source, event.status, event.generation, event.attempt)
    return (*mine, *ends) == (*theirs, event.reason, event.detail, event.ended_ms, event.checkpoint, event.commit, event.spent)


def list_bids(state: State, snapshot: Snapshot) -> Iterator[Bid]:
    """The tenures that we should take, renew or give back now."""
    shared = snapshot.shared
    if shared is None or shared.busy or not shared.answered:
        return
    marked = {name for name, session in state.sessions.items() if _marks(session)}
    for session in sorted({*(task.spec.session for task in state.tasks.values()), *marked, *list_wanted(snapshot)}):
        seen = shared.tenures.get(session)
        wanted = _claim_ours(session, seen, state, snapshot) if _is_ours(seen) else _claim_free(session, seen, state, snapshot)
        if wanted is not None:
            yield Bid(seen.version if seen else "", wanted)


def _is_ours(seen: TenureSeen | None) -> bool:
    return seen is not None and seen.ours and bool(seen.tenure.owner)


def _claim_ours(session: SessionId, seen: TenureSeen | None, state: State, snapshot: Snapshot) -> Tenure | None:
    """A renewal, when it is time or when the records changed; nothing for a session in which all is done."""
    assert seen is not None
    tasks = [task for task in state.tasks.values() if task.spec.session == session]
    present = _write(seen.tenure, state)
    if snapshot.draining and not any(task.status in OPEN for task in tasks):
        return replace(present, owner="")
    due = seen.age_seconds >= RENEW_SHARE * seen.tenure.takeover_seconds and _has_work(tasks)
    fresh = (present.tasks, present.settings) != (seen.tenure.tasks, seen.tenure.settings)
    return present if due or fresh else None


def _claim_free(session: SessionId, seen: TenureSeen | None, state: State, snapshot: Snapshot) -> Tenure | None:
    """A session that nobody owns, or whose owner shows no sign of life, or that an earlier process of this clone had."""
    assert snapshot.shared is not None
    me, limit_seconds = snapshot.shared.me, snapshot.config.takeover_seconds
    old = seen.tenure if seen else Tenure(session, "", 0)
    free = old.owner == "" or (seen is not None and seen.age_seconds >= old.takeover_seconds)
    if not _is_wanted(old, state, snapshot) or not (old.owner == me or (free and not snapshot.draining)):
        return None
    return _write(replace(old, owner=me, epoch=old.epoch + 1, takeover_seconds=limit_seconds), state)


def _is_wanted(tenure: Tenure, state: State, snapshot: Snapshot) -> bool:
    """A session has work, or something is asked of it, or only we know that it is paused, goes on, or was forked."""
    name, ours = tenure.session, snapshot.shared is not None and tenure.owner in ("", snapshot.shared.me)
    untold = ours and _marks(state.sessions.get(name)) != _marks(tenure.settings)
    return untold or name in list_wanted(snapshot) or _has_work(t for t in state.tasks.values() if t.spec.session == name)


def _has_work(tasks: Iterable[Task]) -> bool:
    return any(task.status not in FINISHED for task in tasks)


def _write(tenure: Tenure, state: State) -> Tenure:
    """The tenure with the present records. A task that it says has landed (it was moved together with main) stays so, though
    the save that landed it may not be closed here yet: whoever takes over would land it again. A later attempt is what a
    person asked for because main had lost that landing."""
    tasks = sorted((t for t in state.tasks.values() if t.spec.session == tenure.session), key=lambda task: task.spec.id)
    landed = {(t.spec.id, t.generation): t for t in tenure.tasks if t.status is Status.LANDED}
    known = ((task, landed.get((task.spec.id, task.generation))) for task in tasks)
    records = tuple(said if said and said.attempt >= task.attempt else publish_task(task) for task, said in known)
    session = state.sessions.get(tenure.session)
    settings = replace(session, file="", line=(), start="", asked=False) if session else None
    if settings == Session(SessionSpec(tenure.session)):
        settings = None
    return replace(tenure, number=max(tenure.number, state.next_number), tasks=records, settings=settings)


def publish_task(task: Task) -> Task:
    """The record of a task as other clones read it: without what only means something here, and without steps on the way."""
    bare = replace(task, order=0, seen_ms=0, drop="", lost=0, base="", started_ms=0, rework=None, earlier=None)
    if task.status is Status.LANDED:
        return replace(bare, tip="", ref="")
    if task.status in FINISHED:
        return bare
    status = Status.RUNNING if task.status in OPEN else Status.WAITING
    return replace(bare, status=status, tip="", ref="", reason=None, detail=(), ended_ms=0, checkpoint="", commit="")


def seal(tenure: Tenure, commit: Oid) -> Tenure:
    """The tenure of a landing, once the checkpoint commit is known."""
    tasks = tuple(replace(task, commit=commit) if task.commit == TO_BE_SEALED else task for task in tenure.tasks)
    settings = tenure.settings
    if settings is not None and settings.pinned == TO_BE_SEALED:
        settings = replace(settings, pinned=commit)
    return replace(tenure, tasks=tasks, settings=settings)


def bid_for_landing(save: Save, state: State, snapshot: Snapshot) -> Bid | None:
    """The tenure that is pushed together with main: it already says that the tasks of the save have landed. None where this
    clone is alone."""
    seen = snapshot.shared.tenures.get(save.session) if snapshot.shared else None
    if seen is None:
        return None
    after = evolve(state, [SaveLanded(save.id, TO_BE_SEALED), SaveClosed(save.id, snapshot.now_ms)])
    return Bid(seen.version, _write(seen.tenure, after))
