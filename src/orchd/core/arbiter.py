"""The arbiter: the only place that chooses what runs next. Deterministic; everything else only proposes.

What can hold a task back are the tables in `core.checks`, the order is `core.order`. A task that is held by a claim or a
limit may be passed by later ones, or all would wait for the slowest; but the place of the one that has the best score, once
it has waited long enough, is kept: nobody else gets what it needs. So a broad claim is never starved by a stream of small ones.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from orchd.core.checks import HELD, HOLDS_BACK, USED_UP, choose_checks, judge
from orchd.core.claims import literal_prefix
from orchd.core.desk import Desk, Room, lay_out
from orchd.core.graph import dependencies
from orchd.core.order import Line, Standing, by_score, find_elders, rank
from orchd.core.schedule import is_busy
from orchd.core.statuses import ACTIVE
from orchd.model.dataclass import dataclass
from orchd.model.ids import TaskId
from orchd.model.snapshot import Cause, Decision, State
from orchd.model.work import Status, Task


@dataclass(frozen=True, slots=True)
class Turn:
    """One task in the order of the arbiter: what is decided, what speaks for it, the share that its session had when it was
    asked, and whether its place is kept."""

    decision: Decision
    standing: Standing
    share: int = 0
    kept: bool = False


def decide(state: State, room: Room) -> tuple[Decision, ...]:
    """One decision for each waiting task, in the order in which they would start; last those that nothing could start."""
    return tuple(turn.decision for turn in take_turns(state, room))


def take_turns(state: State, room: Room) -> tuple[Turn, ...]:
    """The decisions, and what speaks for each task."""
    waiting = {name: task for name, task in state.tasks.items() if task.status is Status.WAITING}
    desk, checks = lay_out(state, room), choose_checks(HOLDS_BACK, room)
    free, turned_away = list[Standing](), list[Turn]()
    for one in rank(waiting, room.now_ms):
        held = judge(one.task.spec, desk, checks)
        if held is None:
            free.append(one)
        else:
            turned_away.append(Turn(held, one))
    turned_away.sort(key=lambda turn: (-turn.standing.score_ms, turn.standing.task.order))
    return (*_ask_in_line(by_score(free), desk), *turned_away)


def expand_only(tasks: Iterable[TaskId], known: Mapping[TaskId, Task]) -> frozenset[TaskId]:
    """The tasks and all that they depend on."""
    wanted: set[TaskId] = set()
    left = list(tasks)
    while left:
        task = left.pop()
        if task not in wanted:
            wanted.add(task)
            left += dependencies(known[task].spec) if task in known else ()
    return frozenset(wanted)


def _waits_for_person(task: Task, desk: Desk) -> bool:
    """Whether landing waits for a person, or what the task needs would still be held when all that goes on by itself had
    ended. Then its place is not kept: it could be for days."""
    state = desk.state
    if state.save is not None and state.save.hold is not None:
        return True
    idle = {name: lease for name, lease in state.leases.items() if not is_busy(state.tasks[name], state, desk.room.config)}
    return judge(task.spec, lay_out(replace(state, leases=idle), replace(desk.room, foreign=())), HELD) is not None


def _find_elder(ranked: Sequence[Standing], desk: Desk) -> Task | None:
    """The task whose place is kept: the first elder, unless a broader one could start now. For that one a large part of the
    repository had to become free, and when it is passed that has to happen once more."""
    elders = find_elders(ranked)
    if not elders or _waits_for_person(elders[0], desk):
        return None
    depth = _depth(elders[0])
    broader = sorted((one for one in elders if _depth(one) < depth), key=_depth)
    return next((one for one in broader if judge(one.spec, desk, USED_UP) is None), elders[0])


def _depth(task: Task) -> float:
    """How many segments of its broadest glob are fixed: the fewer, the more paths it meets."""
    return min((len(literal_prefix(claim.glob)) for claim in task.spec.claims), default=math.inf)


def _ask_in_line(ranked: Sequence[Standing], desk: Desk) -> Iterator[Turn]:
    """Each task when it is its turn; who starts takes what it needs, so the next one may find it gone. So does who only lacks
    a number, which comes in a moment."""
    running = Counter(task.spec.session for task in desk.state.tasks.values() if task.status in ACTIVE)
    line = Line(ranked, running)
    elder = _find_elder(ranked, desk)
    if elder is not None:
        desk.keep_place(elder.spec)
    checks = choose_checks(USED_UP, desk.room)
    for standing, share in line:
        spec = standing.task.spec
        decision = judge(spec, desk, checks)
        if decision is None:
            desk.start(spec)
            line.start(spec.session)
            lacks = desk.room.unnumbered.get(spec.id)
            granted = desk.grants.get(spec.id)
            free = Decision(spec.id, Cause.NONE, ports=desk.goods.given[spec.id], micros=granted.micros if granted else 0)
            decision = Decision(spec.id, Cause.NUMBERS, (), (", ".join(lacks),)) if lacks else free
        yield Turn(decision, standing, share, standing.task is elder)
