"""Chronicle: one line for each stored event, for whoever follows along."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from enum import StrEnum

from orchd.core.conflicts import MAIN, tell_paths
from orchd.core.inert import inert
from orchd.core.tables import tell_instant
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import GATE_MARK, SaveId, checkpoint_name
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    ConflictPredicted,
    Event,
    ExtensionAsked,
    ExtensionRefused,
    GateRan,
    GateStarved,
    GateTried,
    LandingAsked,
    LandingsGone,
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
    SaveRefused,
    ScreenedOut,
    SessionAdopted,
    SessionElsewhere,
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
from orchd.model.save import Excluded, GateResult
from orchd.model.snapshot import State
from orchd.model.text import day_of
from orchd.model.work import Status


class Tone(StrEnum):
    """How a line is meant."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Line:
    """`word` says what happened, `text` to whom. CALL: a person is needed."""

    tone: Tone
    word: str
    text: str


def tell_events(events: Iterable[Event], state: State) -> Iterator[Line]:
    """The lines of some events; `state` is the one after them. Control characters are made harmless."""
    for event in events:
        for line in tell(event, state):
            yield Line(line.tone, line.word, inert(line.text))


ENDS = {
    Status.READY: (Tone.PLAIN, "ready"),
    Status.UNCHANGED: (Tone.GOOD, "unchanged"),
    Status.FAILED: (Tone.BAD, "failed"),
    Status.HELD: (Tone.CALL, "held"),
    Status.CANCELLED: (Tone.PLAIN, "cancelled"),
    Status.WAITING: (Tone.PLAIN, "lost"),
}


@functools.singledispatch
def tell(event: Event, state: State) -> Iterator[Line]:
    """The lines of one event; most bookkeeping has none."""
    yield from ()


@tell.register
def _(event: ProblemsChanged, state: State) -> Iterator[Line]:
    for problem in event.problems:
        yield Line(Tone.CALL, "problem", f"{problem.file}:{problem.line}:{problem.column}: {problem.message}")


@tell.register
def _(event: TaskSeen, state: State) -> Iterator[Line]:
    again = f" (generation {event.generation})" if event.generation > 1 else ""
    yield Line(Tone.PLAIN, "seen", f"{event.spec.id}: {event.spec.title}{again}")


@tell.register
def _(event: TaskAdopted, state: State) -> Iterator[Line]:
    if event.status is Status.LANDED and (state.epoch <= 1 or not state.holdings):
        yield Line(Tone.PLAIN, "known", f"{event.spec.id}: landed with {event.checkpoint}")


@tell.register
def _(event: ProposalsHeard, state: State) -> Iterator[Line]:
    if event.taken:
        yield Line(Tone.PLAIN, "proposed", f"by {event.task}: {', '.join(event.taken)}")
    for why in event.refused:
        yield Line(Tone.CALL, "refused", f"a proposal of {event.task}: {why}")


@tell.register
def _(event: TaskWithdrawn, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "withdrawn", f"{event.task}: its file is gone or has a problem")


@tell.register
def _(event: TaskRetried, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "retry", f"{event.task}, to settle its conflict" if event.earlier else event.task)


@tell.register
def _(event: TaskAnswered, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "answered", f"{event.task}: {event.rework.answer}")


@tell.register
def _(event: TaskCancelled, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "cancelled", event.task)


@tell.register
def _(event: LeaseExpired, state: State) -> Iterator[Line]:
    yield Line(Tone.BAD, "expired", f"{event.task}: no heartbeat of its supervisor; it is ended and its work is kept")


@tell.register
def _(event: StopAsked, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "stopping", event.task)


@tell.register
def _(event: AttemptStarted, state: State) -> Iterator[Line]:
    again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
    yield Line(Tone.PLAIN, "started", f"{event.task}{again}")


@tell.register
def _(event: LeaseExtended, state: State) -> Iterator[Line]:
    yield Line(Tone.GOOD, "extended", f"{event.task} may also change {_name_globs(event.paths)}")


@tell.register
def _(event: ExtensionAsked, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "asks", f"{event.task} wants to change {_name_globs(event.extension.paths)}, too")


@tell.register
def _(event: ExtensionRefused, state: State) -> Iterator[Line]:
    yield Line(Tone.BAD, "refused", f"{event.task} does not get {_name_globs(event.refusal.paths)}: {event.refusal.why}")


@tell.register
def _(event: AttemptEnded, state: State) -> Iterator[Line]:
    tone, word = ENDS[event.status]
    why = ": ".join(str(part) for part in (event.reason, *event.detail[:1]) if part)
    yield Line(tone, word, f"{event.task}: {why}" if why else event.task)


@tell.register
def _(event: RemedyFound, state: State) -> Iterator[Line]:
    why = f"{event.task}: {event.tried.candidate.agent} failed ({event.tried.failure})"
    if event.skips:
        yield Line(Tone.BAD, "skipped", f"{event.task}: its optional step {event.skips} failed: {event.tried.what}")
    elif event.status is Status.FAILED:
        yield Line(Tone.CALL, "helpless", f"{why}; {'; '.join(event.detail)}")
    elif event.spec:
        yield Line(Tone.PLAIN, "divided", f"{why}; what is left: {', '.join(step.name for step in event.spec.steps)}")
    elif event.pick:
        waits = event.pick == event.tried.candidate and event.cools_until_ms and not event.skips
        wait = f" after {tell_instant(event.cools_until_ms)}" if waits else ""
        yield Line(Tone.PLAIN, "again", f"{why}; next is {event.pick.agent}{wait}")


@tell.register
def _(event: ConflictPredicted, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "foreseen", f"{event.task} will conflict with {event.other or MAIN} in {tell_paths(event.paths)}")


@tell.register
def _(event: SaveMerged, state: State) -> Iterator[Line]:
    yield from (_tell_excluded(gone, "conflict", Tone.CALL) for gone in event.excluded)


@tell.register
def _(event: GateRan, state: State) -> Iterator[Line]:
    guilty = [result for result in event.verdict.results if not result.green]
    names = ", ".join(_name_result(result) for result in guilty or event.verdict.results)
    tone, word = (Tone.GOOD, "green") if event.verdict.green else (Tone.BAD, "red")
    yield Line(tone, word, f"{names} on {_name_tree(event.save, event.verdict.index, state)}")
    for result in event.verdict.results:
        if result.disputed:
            yield Line(Tone.CALL, "doubt", f"gate {result.gate} was green before on what it is red on now: see `orchd gates`")


@tell.register
def _(event: GateTried, state: State) -> Iterator[Line]:
    red = ", ".join(result.gate for result in event.results if not result.green)
    yield Line(Tone.PLAIN, "again", f"{red or 'the gates'} on {_name_tree(event.save, event.index, state)}, as before")


def _name_tree(save: SaveId, index: int, state: State) -> str:
    """What a run of gates is about."""
    alone = next((task for task, one in state.screenings.items() if one.id == save), "")
    return f"{alone} by itself" if alone else f"the merged tree of {index} task(s)"


@tell.register
def _(event: ScreenedOut, state: State) -> Iterator[Line]:
    yield Line(Tone.BAD, "failed", f"{event.task}: {'; '.join(line for line in event.detail if line[:1] != GATE_MARK)}")


def _name_result(result: GateResult) -> str:
    how = "known before" if result.cached else f"{result.seconds:.1f} s{', after a retry' if result.flaky else ''}"
    return f"{result.gate} {how}"


@tell.register
def _(event: SaveGated, state: State) -> Iterator[Line]:
    yield from (_tell_excluded(gone, "failed", Tone.BAD) for gone in event.excluded)


@tell.register
def _(event: SaveRefused, state: State) -> Iterator[Line]:
    yield from (_tell_excluded(gone, "held", Tone.CALL) for gone in event.excluded)


@tell.register
def _(event: GateStarved, state: State) -> Iterator[Line]:
    yield Line(Tone.CALL, "no room", f"the gates on {_name_tree(event.save, event.index, state)} had no room on the disk")


@tell.register
def _(event: SaveHeld, state: State) -> Iterator[Line]:
    if event.hold is not None:
        yield Line(Tone.CALL, "waits", ": ".join(filter(None, (event.hold, ", ".join(event.detail)))))


@tell.register
def _(event: SaveLanded, state: State) -> Iterator[Line]:
    yield Line(Tone.GOOD, "landed", describe_landing(state) or event.commit[:12])


@tell.register
def _(event: SaveAbandoned, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "replan", "main moved or nothing was left of this save")


@tell.register
def _(event: SessionOwned, state: State) -> Iterator[Line]:
    after = f", after {event.before}" if event.before not in ("", event.owner) else ""
    yield Line(Tone.PLAIN, "owns", f"session {event.session} (epoch {event.epoch}{after})")


@tell.register
def _(event: SessionElsewhere, state: State) -> Iterator[Line]:
    kept = f"; stopped here, with their work kept: {', '.join(event.stopped)}" if event.stopped else ""
    tone = Tone.BAD if event.stopped else Tone.PLAIN
    yield Line(tone, "elsewhere", f"session {event.session}: {event.owner or 'nobody'} owns it (epoch {event.epoch}){kept}")


@tell.register
def _(event: SaveClosed, state: State) -> Iterator[Line]:
    if event.integrated:
        yield Line(Tone.GOOD, "integrated", ", ".join(event.integrated))


@tell.register
def _(event: SessionSeen, state: State) -> Iterator[Line]:
    base = f", from {event.spec.base}" if event.spec.base else ""
    yield Line(Tone.PLAIN, "session", f"{event.spec.id}: landing {event.spec.landing}{base}")


@tell.register
def _(event: SessionFileLost, state: State) -> Iterator[Line]:
    yield Line(Tone.CALL, "session", f"{event.session}: its file is gone; its last settings hold until nothing of it is open")


@tell.register
def _(event: SessionPaused, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "paused", f"session {event.session}")


@tell.register
def _(event: SessionResumed, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "resumed", f"session {event.session}")


@tell.register
def _(event: LandingAsked, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "landing", f"session {event.session}")


@tell.register
def _(event: SaveAsked, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "saving", ", ".join(event.tasks))


@tell.register
def _(event: SessionAdopted, state: State) -> Iterator[Line]:
    word, spec = "paused" if event.session.paused else "session", event.session.spec
    yield Line(Tone.PLAIN, word, f"session {spec.id}, as its owner has it: landing {spec.landing}")


@tell.register
def _(event: RequestRefused, state: State) -> Iterator[Line]:
    one = event.refused
    why = one.why or f"{one.owner} owns session {one.session}, so it can only be asked for there"
    yield Line(Tone.CALL, "refused", f"{one.verb} {one.subject}: {why}")


@tell.register
def _(event: LandingsGone, state: State) -> Iterator[Line]:
    branch = state.branch or "main"
    if event.lost:
        yield Line(Tone.CALL, "gone", f"{branch} does not contain the work of {tell_paths(event.lost)} any more")
    if event.back:
        yield Line(Tone.GOOD, "back", f"{branch} contains the work of {tell_paths(event.back)} again")
    if event.moot:
        yield Line(Tone.PLAIN, "dropped", f"the retry of {tell_paths(event.moot)}: there is nothing left to do")


@tell.register
def _(event: SessionForked, state: State) -> Iterator[Line]:
    yield Line(Tone.PLAIN, "forked", f"session {event.session} from {event.origin}")


def describe_landing(state: State) -> str:
    """The checkpoint and the tasks of the save that has just landed."""
    save = state.save
    if save is None:
        return ""
    tasks = ", ".join(link.item.task for link in save.chain[: save.lands])
    return f"{checkpoint_name(day_of(save.date_ms), save.number)}: {tasks}"


def _name_globs(paths: Iterable[PathSpec]) -> str:
    return ", ".join(path.glob for path in paths)


def _tell_excluded(gone: Excluded, word: str, tone: Tone) -> Line:
    said = (item for item in gone.detail if not item.startswith(GATE_MARK))
    return Line(tone, word, f"{gone.item.task}: {', '.join(said)}")
