"""The conflict radar: which live tips will not merge with each other, or with main, and who is told.

It is advice: nothing waits for it. Rule: whoever will be merged later is told, because the other one cannot know. A task that
runs is merged after one that does not; of two alike the one that started later is the later one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from orchd.core.attempts import UNSEEN
from orchd.core.conflicts import MAIN
from orchd.core.inert import inert
from orchd.core.statuses import ACTIVE
from orchd.core.watched import current_run
from orchd.model.ids import Oid, RunId, TaskId
from orchd.model.limits import DETAIL_ITEMS, RADAR_TIPS
from orchd.model.message import ConflictCleared, ConflictPredicted, Event
from orchd.model.run import Entry, RunSeen
from orchd.model.snapshot import Conflict, Meetings, Snapshot, State
from orchd.model.work import Reason, Status, Task

_DONE = frozenset({Status.READY, Status.SAVING, Status.HELD})
_LIVE = _DONE | ACTIVE


def live_tips(state: State, runs: Mapping[RunId, RunSeen]) -> dict[TaskId, Oid]:
    """The commits that main lacks and that somebody means to land: accepted work, and what running tasks have committed so
    far. At most RADAR_TIPS; what is held comes last, the others in the order of their arrival. What is held because it does
    conflict is left out: that is no prediction."""
    candidates = [task for task in state.tasks.values() if task.status in _LIVE]
    found = ((task, _tip_of(task, runs)) for task in sorted(candidates, key=_rank))
    return dict([(task.spec.id, tip) for task, tip in found if tip][:RADAR_TIPS])


def watch_conflicts(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What is predicted now and was not, and what was and is not any more."""
    now = {(found.task, found.other): found for found in find_conflicts(state, snapshot)}
    known = {(old.task, old.other): old for old in state.conflicts}
    for task, other in sorted(known.keys() - now.keys()):
        yield ConflictCleared(task, other)
    for key in sorted(now):
        if known.get(key) != now[key]:
            yield ConflictPredicted(*key, now[key].paths)


def find_conflicts(state: State, snapshot: Snapshot) -> Iterator[Conflict]:
    """All that is predicted. What a task has against main it has against whoever started later, too: that is told once."""
    if not snapshot.meetings:
        return
    tips = live_tips(state, snapshot.runs)
    against_main = {task: look_up(snapshot.meetings, snapshot.main, tip) for task, tip in tips.items()}
    for task, paths in against_main.items():
        if paths:
            yield Conflict(task, "", paths[:DETAIL_ITEMS])
    for one, other in combinations(tips, 2):
        met = look_up(snapshot.meetings, tips[one], tips[other])
        paths = tuple(path for path in met if path not in (*against_main[one], *against_main[other]))
        if paths:
            earlier, later = sorted((one, other), key=lambda name: _merging_rank(state.tasks[name]))
            yield Conflict(later, earlier, paths[:DETAIL_ITEMS])


def look_up(meetings: Meetings, one: Oid, other: Oid) -> tuple[str, ...]:
    """The paths that stand against merging two commits; none also when nobody knows."""
    return meetings.get((one, other) if one < other else (other, one), ())


def write_conflicts(task: Task, state: State, tips: Mapping[TaskId, Oid]) -> str:
    """The note for the later task; empty when there is nothing to say."""
    mine = [found for found in state.conflicts if found.task == task.spec.id]
    return "".join(_describe(found, state, tips) for found in mine)


def _describe(found: Conflict, state: State, tips: Mapping[TaskId, Oid]) -> str:
    paths = "".join(f"- `{inert(path)}`\n" for path in found.paths)
    if not found.other:
        return f"## What you committed will conflict with {MAIN}\n\n{paths}\nMain has changed there since you started.\n\n"
    other, tip = state.tasks[found.other], tips.get(found.other, "")
    look = f"`git diff {other.base} {tip}` shows its work: write yours so that both fit.\n" if tip else ""
    return (
        f"## What you committed will conflict with `{other.spec.id}` ({inert(other.spec.title)})\n\n{paths}\n"
        f"It is merged before you, and what then conflicts is held back. {look}\n"
    )


def _tip_of(task: Task, runs: Mapping[RunId, RunSeen]) -> Oid:
    if task.status in _DONE:
        return task.tip if task.reason not in (Reason.CONFLICT, Reason.BASE) else ""
    seen = runs.get(current_run(task), UNSEEN)
    if seen.returned is not None:
        return seen.returned.tip if seen.returned.entry is Entry.ACCEPTED else ""
    return seen.live.tip if seen.live is not None else ""


def _rank(task: Task) -> tuple[bool, int]:
    return task.status is Status.HELD, task.order


def _merging_rank(task: Task) -> tuple[bool, bool, int, int]:
    return task.status is Status.HELD, task.status in ACTIVE, task.started_ms, task.order
