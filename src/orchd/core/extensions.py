"""Extensions: a running task asks for more than it claimed. It is granted, waits, or is refused when waiting would never end.

A request waits for the leases that it meets. Two running tasks may each wait for what the other holds, and neither will end:
so who waits for whom is drawn before a request is let in, and one that would close a circle is refused, of several the
youngest. Rule: after every look the drawing has no circle, so each request that waits is answered when those it waits for
end. Granting is only up to leases, not to older requests that wait: they wait for somebody else, and nobody new can start on
what they want.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from orchd.core.claims import find_clash
from orchd.core.globs import complete_glob, glob_fault
from orchd.core.grants import extend, note
from orchd.core.graph import find_cycles
from orchd.core.ownership import list_foreign_claims
from orchd.core.policy import is_protected
from orchd.core.reservations import find_reserved, standing
from orchd.core.sessions import is_landing_due, session_of, works_apart
from orchd.core.waits import draw_waits, find_holders, pending
from orchd.core.watched import current_run
from orchd.model.claim import Extension, Lease, Mode, PathSpec, Refusal, Reservation
from orchd.model.ids import TaskId
from orchd.model.limits import LIST_ITEMS, REFUSALS
from orchd.model.message import (
    Event,
    ExtensionAsked,
    ExtensionRefused,
    LeaseExtended,
)
from orchd.model.snapshot import Intent, Snapshot, State
from orchd.model.work import Status

ASK = "claim"
"""The name of the request in the control folder."""


@dataclass(slots=True)
class _Drawing:
    """What is held and who waits, as it changes during one look: `waits` are the requests that were let in, `kept` is what
    people keep for themselves, `foreign` what tasks in other clones hold. Nobody waits for those: circles through several
    clones could not be seen."""

    state: State
    leases: dict[TaskId, Lease]
    kept: tuple[Reservation, ...]
    foreign: tuple[tuple[TaskId, tuple[PathSpec, ...]], ...] = ()
    waits: list[tuple[TaskId, Extension]] = field(default_factory=list)

    def judge(self, task: TaskId, want: Extension) -> tuple[Event, ...]:
        """The answer to a request, if there is one now; the drawing follows it."""
        lease = self.leases[task]
        holders = find_holders(task, want.paths, self.leases)
        if why := find_fault(lease, want.paths) or _find_foreign(want.paths, self.foreign) or _find_line(holders, self.state):
            return (ExtensionRefused(task, want.order, Refusal(want.ask, want.paths, why)),)
        free = not holders and find_reserved(want.paths, (), self.kept) is None
        leases = self.leases | {task: extend(lease, want.paths)} if free else self.leases
        waits = self.waits if free else [*self.waits, (task, want)]
        circles = find_cycles(draw_waits(waits, leases))
        if circles:
            return (ExtensionRefused(task, want.order, Refusal(want.ask, want.paths, _tell_circle(circles[0]))),)
        self.leases, self.waits = leases, waits
        return (LeaseExtended(task, want.order, want.paths),) if free else ()


def answer_requests(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What can be answered now, the oldest first; then what the control folders ask for anew."""
    kept, foreign = standing(snapshot.reservations, snapshot.now_ms), list_foreign_claims(snapshot.shared)
    drawing = _Drawing(state, dict(state.leases), kept, foreign)
    for task, want in pending(state):
        yield from drawing.judge(task, want)
    for task, path in _asked_in_folders(state, snapshot):
        want = Extension("", next_order(state), (path,))
        answers = drawing.judge(task, want)
        if not any(isinstance(one, ExtensionRefused) and _is_known(one.refusal, state.leases[task]) for one in answers):
            yield from (ExtensionAsked(task, want), *answers)
            state = replace(state, leases={**state.leases, task: note(state.leases[task], want)})


def hear_request(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[Event]:
    """A request from the command line: `mode glob` or `glob` per word. One that was answered or waits is heard once."""
    task, lease = state.tasks.get(intent.subject), state.leases.get(intent.subject)
    if task is None or lease is None or task.status is not Status.RUNNING:
        return
    paths, faults = read_request(intent.words)
    known = {want.ask for want in lease.wants} | {one.ask for one in lease.refused}
    if intent.id in known or (paths and not faults and set(paths) <= set(lease.paths)):
        return
    if faults or not paths:
        yield ExtensionRefused(intent.subject, 0, Refusal(intent.id, paths, "; ".join(faults) or "it names no path"))
    else:
        yield ExtensionAsked(intent.subject, Extension(intent.id, next_order(state), paths))


def read_request(lines: Iterable[str]) -> tuple[tuple[PathSpec, ...], tuple[str, ...]]:
    """What `mode glob` or `glob` lines ask for, and what is wrong with the others."""
    paths, faults = list[PathSpec](), list[str]()
    for line in lines:
        word, _, rest = line.partition(" ")
        mode, glob = (Mode(word), rest.strip()) if word in set(Mode) and rest.strip() else (Mode.WRITE, line)
        if fault := glob_fault(glob):
            faults.append(f"`{glob}` cannot be claimed: {fault}")
        else:
            paths.append(PathSpec(complete_glob(glob), mode))
    return tuple(dict.fromkeys(paths)), tuple(faults)


def find_fault(lease: Lease, paths: Sequence[PathSpec]) -> str:
    """Why a lease can never get `paths`; empty when it can."""
    closed = [path.glob for path in paths if path.mode is not Mode.READ and is_protected(path.glob)]
    if closed:
        return f"no task may change `{closed[0]}`: it decides what is run or trusted"
    return f"a claim has at most {LIST_ITEMS} entries" if len(extend(lease, paths).paths) > LIST_ITEMS else ""


def next_order(state: State) -> int:
    """One more than that of any request that waits."""
    return 1 + max((want.order for lease in state.leases.values() for want in lease.wants), default=0)


def _find_foreign(paths: Sequence[PathSpec], foreign: Iterable[tuple[TaskId, tuple[PathSpec, ...]]]) -> str:
    name = next((name for name, held in foreign if find_clash(paths, held) is not None), None)
    return "" if name is None else f"{name} holds some of it in another clone"


def _find_line(holders: Iterable[TaskId], state: State) -> str:
    """Who of `holders` has ended and keeps its claim until its session lands, which may wait for a person, or for the asker."""
    for task in (state.tasks[name] for name in holders):
        session = session_of(state, task.spec.session)
        if task.status in (Status.READY, Status.INTEGRATED) and works_apart(session) and not is_landing_due(state, session):
            return f"{task.spec.id} keeps it until its session {task.spec.session} lands"
    return ""


def _asked_in_folders(state: State, snapshot: Snapshot) -> Iterator[tuple[TaskId, PathSpec]]:
    """What running tasks ask for in their control folders, line by line, that they neither have nor wait for. Not more lines
    than refusals are remembered: one that was forgotten would be told again at each look."""
    for name, lease in sorted(state.leases.items()):
        task = state.tasks[name]
        seen = snapshot.runs.get(current_run(task)) if task.status is Status.RUNNING else None
        lines = seen.asked.get(ASK, ()) if seen else ()
        there = {*lease.paths, *(path for want in lease.wants for path in want.paths)}
        yield from ((name, path) for path in read_request(lines[:REFUSALS])[0] if path not in there)


def _is_known(refusal: Refusal, lease: Lease) -> bool:
    return any(one.paths == refusal.paths for one in lease.refused)


def _tell_circle(circle: Sequence[TaskId]) -> str:
    chain = "; ".join(f"{one} waits for {other}" for one, other in zip(circle, [*circle[1:], circle[0]], strict=True))
    return f"waiting would never end: {chain}"
