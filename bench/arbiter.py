"""The arbiter by itself: how long a decision takes, and how long everything takes when claims stand in each other's way.

Both are run on the pure core, without repository or processes; time in the second is virtual.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchd.core.arbiter import decide
from orchd.core.claims import find_clash
from orchd.core.desk import Room
from orchd.model.claim import Lease, PathSpec
from orchd.model.config import Config
from orchd.model.snapshot import Cause, State
from orchd.model.work import Source, Status, Task, TaskSpec
from tables import Row

HELD = 200
SESSIONS = 7
MINUTE_MS = 60_000
MINUTES = (1, 2, 3, 5, 8, 13)
"""How long the tasks of the simulation run; the arbiter does not know it, the oracle does."""

TASKS = 100
CLAIMS = 10
SHUFFLES = 60


@dataclass(frozen=True, slots=True)
class Job:
    """A task of the simulation."""

    claims: tuple[PathSpec, ...]
    minutes: int


def measure_arbiter(counts: Sequence[int], samples: int) -> Iterator[Row]:
    """Processor time of one decision over so many waiting tasks, with HELD claims held and slots free."""
    medians = {}
    for count in counts:
        state, room = make_queue(count), Room(Config(parallel=8), HELD * MINUTE_MS)
        first, *values = (time_decision(state, room) for _ in range(samples + 1))
        medians[count] = statistics.median(values)
        target = 20 if count == 1_000 else None
        yield Row(f"one decision, {count} waiting, {HELD} claims held: CPU", "ms", tuple(values), most=target)
        yield Row(f"the first decision, {count} waiting tasks never seen before: CPU", "ms", (first,))
    for fewer, more in itertools.pairwise(sorted(medians)):
        most = more * math.log(more) / (fewer * math.log(fewer))
        yield Row(f"times as long with {more} as with {fewer}", "", (medians[more] / medians[fewer],), most=most)


def time_decision(state: State, room: Room) -> float:
    """Milliseconds of processor time."""
    begin = time.process_time()
    decide(state, room)
    return (time.process_time() - begin) * 1000


def make_queue(count: int) -> State:
    """`count` waiting tasks, most of which meet one of the held claims; each has two globs of its own."""
    dice = random.Random(count)
    held = [make_task(f"held-{at}", (f"src/part-{at}/**",), at, Status.READY) for at in range(HELD)]
    tasks = {task.spec.id: task for task in held}
    leases = {task.spec.id: Lease(task.spec.id, "", 1, task.spec.claims, 0) for task in held}
    for at in range(count):
        globs = (f"src/part-{dice.randrange(HELD)}/file-{at}.py", f"tests/part-{at}/**")
        task = make_task(f"task-{at}", globs, HELD + at, Status.WAITING)
        needs = (f"task-{at - 1}",) if at % 5 == 4 else ()
        spec = replace(task.spec, session=f"session-{at % SESSIONS}", needs=needs, priority=dice.randrange(3))
        tasks[spec.id] = replace(task, spec=spec)
    return State(tasks=tasks, leases=leases)


def make_task(name: str, globs: Sequence[str], order: int, status: Status) -> Task:
    """A task that claims `globs`."""
    return Task(TaskSpec(name, "t", "r", claims=tuple(map(PathSpec, globs))), status, "", Source.FILE, order, order)


def measure_contention(seeds: int) -> Iterator[Row]:
    """The time until all of TASKS tasks on CLAIMS overlapping claims are done, as a multiple of the best schedule known."""
    for slots, (name, draw) in itertools.product((4, 8), PATTERNS.items()):
        ours, bounds = [], []
        for seed in range(seeds):
            dice = random.Random(seed)
            jobs = [Job(tuple(map(PathSpec, draw(dice))), dice.choice(MINUTES)) for _ in range(TASKS)]
            best = find_best(jobs, slots, dice)
            ours.append(simulate(jobs, slots) / best)
            bounds.append(lower_bound(jobs, slots) / best)
        yield Row(f"{name}, {slots} slots: arbiter / ideal", "", tuple(ours), most=1.15)
        yield Row("lower bound / ideal", "", tuple(bounds))


def _apart(dice: random.Random) -> tuple[str, ...]:
    return (f"area-{dice.randrange(CLAIMS)}/**",)


def _ring(dice: random.Random) -> tuple[str, ...]:
    at = dice.randrange(CLAIMS)
    return (f"area-{at}/**", f"area-{(at + 1) % CLAIMS}/**")


def _pairs(dice: random.Random) -> tuple[str, ...]:
    return tuple(f"area-{at}/**" for at in dice.sample(range(CLAIMS), 2))


def _tree(dice: random.Random) -> tuple[str, ...]:
    """Seven folders, two that hold some of them, and everything: one task in twenty wants everything, one in ten a half."""
    leaf = dice.randrange(CLAIMS - 3)
    half = "left" if leaf < 4 else "right"
    width = dice.random()
    return ("src/**",) if width < 0.05 else (f"src/{half}/**",) if width < 0.15 else (f"src/{half}/part-{leaf}/**",)


PATTERNS: Mapping[str, Callable[[random.Random], tuple[str, ...]]] = {
    "one of ten claims each": _apart,
    "ten claims in a ring, each meets two others": _ring,
    "two of ten claims each": _pairs,
    "ten claims in a tree, with `src/**`": _tree,
}


def simulate(jobs: Sequence[Job], slots: int) -> int:
    """Minutes until all are done when the arbiter decides at each end of a task; all have come at once."""
    tasks = {f"t{at}": make_task(f"t{at}", [one.glob for one in job.claims], at, Status.WAITING) for at, job in enumerate(jobs)}
    room, leases, running, now = Room(Config(parallel=slots)), dict[str, Lease](), list[tuple[int, str]](), 0
    while tasks:
        for decision in decide(State(tasks=tasks, leases=leases), replace(room, now_ms=now * MINUTE_MS)):
            if decision.cause is Cause.NONE:
                name = decision.task
                tasks[name] = replace(tasks[name], status=Status.RUNNING)
                leases[name] = Lease(name, "", 1, tasks[name].spec.claims, 0)
                heapq.heappush(running, (now + jobs[int(name[1:])].minutes, name))
        now = running[0][0]
        while running and running[0][0] == now:
            _, name = heapq.heappop(running)
            del tasks[name], leases[name]
    return now


def find_best(jobs: Sequence[Job], slots: int, dice: random.Random) -> int:
    """The oracle: the shortest of many list schedules, made with the durations known. It starts the first job of a list
    that can start, at any time; the lists are by length, by the load on what a job meets, by both, and shuffled."""
    meets = [[find_clash(one.claims, other.claims) is not None for other in jobs] for one in jobs]
    load = [sum(job.minutes for job, met in zip(jobs, row, strict=True) if met) for row in meets]
    places = range(len(jobs))
    keys: list[Callable[[int], float]] = [
        lambda at: -jobs[at].minutes,
        lambda at: -load[at],
        lambda at: -load[at] * jobs[at].minutes,
    ]
    for _ in range(SHUFFLES):
        weight = [load[at] * dice.uniform(0.7, 1.3) + jobs[at].minutes * dice.uniform(0, 3) for at in places]
        keys.append(lambda at, weight=weight: -weight[at])  # type: ignore[misc]
    return min(run_list(jobs, slots, sorted(places, key=key), meets) for key in keys)


def run_list(jobs: Sequence[Job], slots: int, order: Sequence[int], meets: Sequence[Sequence[bool]]) -> int:
    """Minutes until all are done when the first of `order` that can start is started."""
    left, running, now = list(order), list[tuple[int, int]](), 0
    while left:
        for at in list(left):
            if len(running) < slots and not any(meets[at][other] for _, other in running):
                heapq.heappush(running, (now + jobs[at].minutes, at))
                left.remove(at)
        now = running[0][0]
        while running and running[0][0] == now:
            heapq.heappop(running)
    return max([now, *(until for until, _ in running)])


def lower_bound(jobs: Sequence[Job], slots: int) -> int:
    """No schedule is shorter: the work over the slots, or all that meet on one glob, one after the other."""
    globs = {claim.glob for job in jobs for claim in job.claims}
    holders = ([job.minutes for job in jobs if any(claim.glob == glob for claim in job.claims)] for glob in globs)
    return max(math.ceil(sum(job.minutes for job in jobs) / slots), *map(sum, holders))
