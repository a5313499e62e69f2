"""The order in which waiting tasks are asked whether they can start.

Everything that speaks for a task is told as waiting time: what it has waited, its priority, the chain of tasks behind it.
As all tasks wait at the same pace, who came more than a fixed time later can never go before it, whatever its priority:
nothing starves. Between sessions the fewer running tasks decide, so a session's share does not depend on its number of tasks.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from operator import attrgetter

from orchd.core.graph import dependencies
from orchd.model.dataclass import dataclass
from orchd.model.ids import SessionId, TaskId
from orchd.model.limits import AGEING_SECONDS, CHAIN_LINKS, LINK_SECONDS, PATIENCE_SECONDS
from orchd.model.work import Task

POINT_MS = int(AGEING_SECONDS * 1000)
LINK_MS = int(LINK_SECONDS * 1000)
PATIENCE_MS = int(PATIENCE_SECONDS * 1000)


@dataclass(frozen=True, slots=True)
class Standing:
    """A waiting task and what speaks for it: its priority or that of the most urgent task behind it, how long it has waited,
    and the longest chain of waiting tasks behind it. `score_ms` is all of that as waiting time."""

    task: Task
    priority: int
    waited_ms: int
    chain: int
    score_ms: int


def rank(waiting: Mapping[TaskId, Task], now_ms: int) -> Iterator[Standing]:
    """The standing of each waiting task."""
    chains, priorities = _look_behind(waiting)
    for name, task in waiting.items():
        priority = priorities.get(name, task.spec.priority)
        yield _stand(task, priority, max(0, now_ms - task.seen_ms), min(chains[name], CHAIN_LINKS))


def by_score(standings: Iterable[Standing]) -> list[Standing]:
    """The best score first; of equals whoever came first. Two sorts by a number are quicker than one by a pair."""
    return sorted(sorted(standings, key=attrgetter("task.order")), key=attrgetter("score_ms"), reverse=True)


def find_elders(ranked: Iterable[Standing]) -> list[Task]:
    """Those of `by_score` that nobody else may pass: first the one with the best score, once that is worth more than the
    patience, then the others that are as patient and came before its patience ended."""
    due = [one.task for one in ranked if one.score_ms >= PATIENCE_MS]
    return [task for task in due if task.seen_ms < due[0].seen_ms + PATIENCE_MS]


class Line:
    """The tasks that could start now, which come `by_score`. Within a session the best score goes first. Between sessions: the
    highest priority; then the session with the fewest running tasks; then the best score. The first task of a session of
    which nothing runs is lifted by what it has waited, so that no priority keeps a session out for ever."""

    def __init__(self, ranked: Sequence[Standing], running: Counter[SessionId]) -> None:
        self._shares = running.copy()
        self._queues = _queue_sessions(ranked)
        self._heap: list[tuple[int, int, int, int, SessionId]] = []
        for session in self._queues:
            self._step_up(session)

    def __iter__(self) -> Iterator[tuple[Standing, int]]:
        """Each task when it is its turn, with the share of its session: how many of its tasks run or were started."""
        while self._heap:
            session = heapq.heappop(self._heap)[-1]
            standing, _ = self._queues[session].pop()
            yield standing, self._shares[session]
            if self._queues[session]:
                self._step_up(session)

    def start(self, session: SessionId) -> None:
        """A task of the session was started: its share grows."""
        self._shares[session] += 1

    def _step_up(self, session: SessionId) -> None:
        """The next task of the session takes its place among those of the others."""
        standing, priority = self._queues[session][-1]
        share = self._shares[session]
        level_ms = priority * POINT_MS + (0 if share else standing.waited_ms)
        heapq.heappush(self._heap, (-level_ms, share, -standing.score_ms, standing.task.order, session))


def _queue_sessions(ranked: Sequence[Standing]) -> dict[SessionId, list[tuple[Standing, int]]]:
    """Each session's tasks, the next one last, each with the highest priority among it and those behind it: a task that its
    age put in front of a more urgent one does not keep that one waiting."""
    sessions: dict[SessionId, list[Standing]] = defaultdict(list)
    for one in reversed(ranked):
        sessions[one.task.spec.session].append(one)
    return {
        session: list(zip(line, accumulate((one.priority for one in line), max), strict=True))
        for session, line in sessions.items()
    }


def _stand(task: Task, priority: int, waited_ms: int, chain: int) -> Standing:
    return Standing(task, priority, waited_ms, chain, priority * POINT_MS + waited_ms + chain * LINK_MS)


def _look_behind(waiting: Mapping[TaskId, Task]) -> tuple[Counter[TaskId], dict[TaskId, int]]:
    """The longest chain behind each task, and the highest priority among it and those, for tasks that wait for others or that
    others wait for. From the ends of the chains forward, without recursion; a circle (which `core.graph` keeps out) has no end
    and counts for nothing."""
    asked = ((name, dependencies(task.spec)) for name, task in waiting.items())
    before = {name: [one for one in dict.fromkeys(names) if one in waiting] for name, names in asked if names}
    behind = Counter(one for names in before.values() for one in names)
    chains: Counter[TaskId] = Counter()
    priorities = {name: waiting[name].spec.priority for name in before.keys() | behind.keys()}
    ready = [name for name in before if not behind[name]]
    while ready:
        name = ready.pop()
        for one in before.get(name, ()):
            chains[one] = max(chains[one], chains[name] + 1)
            priorities[one] = max(priorities[one], priorities[name])
            behind[one] -= 1
            if not behind[one]:
                ready.append(one)
    return chains, priorities
