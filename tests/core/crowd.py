"""A crowd before the arbiter: an unfair adversary keeps adding tasks for ever, and one task wants to start.

The adversary only may not make a task run longer than RUN_MS. Whatever it adds, the task starts within the bound that the
documents state: after `lead_ms` nothing that comes later gets ahead of it, and those that came before finish one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import queueing
from world import demand

from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config, Slots
from orchd.model.work import Source, Status, Task, TaskSpec

TICK_MS = 600_000
RUN_TICKS = 3
CLAIMS = (("a/**", "b/**", "c/x"), ("a/1",), ("a/2",), ("b/1",), ("c/*",), ("d/1",), ("d/2",))
CONFIG = Config(parallel=2, groups=(Slots("slow", 1),))

Roll = Callable[[int], int]


@dataclass
class Crowd:
    """The queue, and until when each running task runs."""

    roll: Roll
    now_ms: int = 0
    count: int = 0
    tasks: dict[str, Task] = field(default_factory=dict)
    until_ms: dict[str, int] = field(default_factory=dict)

    def add(self, priority: int, session: str, claims: tuple[str, ...], group: str = "") -> str:
        """One more task."""
        self.count += 1
        name = f"t{self.count}"
        paths = tuple(PathSpec(glob, Mode.WRITE) for glob in claims)
        spec = TaskSpec(name, "t", "r", session, (), (), paths, priority, group=group)
        self.tasks[name] = Task(spec, Status.WAITING, "1", Source.FILE, self.count, self.now_ms)
        return name

    def tick(self) -> None:
        """Time passes: what has run long enough ends, and the arbiter starts what may start."""
        self.now_ms += TICK_MS
        for name in [name for name, until in self.until_ms.items() if until <= self.now_ms]:
            del self.until_ms[name], self.tasks[name]
        for decision in decide(queueing.holding(self.tasks), Room(CONFIG, self.now_ms)):
            if decision.cause.value == "none":
                self.tasks[decision.task] = replace(self.tasks[decision.task], status=Status.RUNNING)
                self.until_ms[decision.task] = self.now_ms + TICK_MS * (1 + self.roll(RUN_TICKS))

    def press(self) -> None:
        """The adversary adds what hurts most: urgent tasks, each in a session of its own or in the same one."""
        for _ in range(1 + self.roll(2)):
            session = (f"s{self.count}", "mine", "theirs")[self.roll(3)]
            self.add(100 - self.roll(3), session, CLAIMS[1 + self.roll(len(CLAIMS) - 1)], ("", "slow")[self.roll(2)])


def lead_ms(priority: int) -> int:
    """What comes so much later than a task, or more, never gets ahead of it."""
    return max((100 - priority) * queueing.POINT_MS + queueing.LINKS * queueing.LINK_MS, queueing.PATIENCE_MS)


def check_start(roll: Roll, priority: int, claims: tuple[str, ...], group: str) -> None:
    """A task in a crowd starts within the bound."""
    crowd = Crowd(roll)
    for _ in range(4 + roll(8)):
        crowd.press()
        crowd.tick()
    wanted = crowd.add(priority, "mine", claims, group)
    ahead, wait = lead_ms(priority) // TICK_MS, 0
    while wait <= ahead:
        if crowd.tasks[wanted].status is not Status.WAITING:
            return
        crowd.press()
        crowd.tick()
        wait += 1
    left = sum(task.status is not Status.RUNNING for task in crowd.tasks.values()) + CONFIG.parallel
    for _ in range(left * (RUN_TICKS + 1)):
        if crowd.tasks[wanted].status is not Status.WAITING:
            return
        crowd.press()
        crowd.tick()
    demand("nothing starves", crowd.tasks[wanted].status is not Status.WAITING, crowd.tasks[wanted], crowd.now_ms)


def check_shares(roll: Roll, parallel: int, sizes: tuple[int, ...]) -> None:
    """At equal priority each start goes to a session that has the fewest running tasks, however many it has waiting."""
    crowd = Crowd(roll)
    for at, size in enumerate(sizes):
        for _ in range(size):
            crowd.now_ms += roll(2) * 1000
            crowd.add(0, f"s{at}", (f"x/{crowd.count}",))
    for _ in range(12):
        running = {f"s{at}": 0 for at in range(len(sizes))}
        for task in crowd.tasks.values():
            running[task.spec.session] += task.status is Status.RUNNING
        decisions = decide(queueing.holding(crowd.tasks), Room(Config(parallel=parallel), crowd.now_ms))
        for decision in [one for one in decisions if one.cause.value == "none"]:
            session = crowd.tasks[decision.task].spec.session
            rivals = [n for s, n in running.items() if any(t.spec.session == s for t in waiting(crowd).values())]
            demand("sessions get equal shares of the slots", running[session] == min(rivals), running, decision)
            running[session] += 1
            crowd.tasks[decision.task] = replace(crowd.tasks[decision.task], status=Status.RUNNING)
        active = [name for name, task in crowd.tasks.items() if task.status is Status.RUNNING]
        for name in active[: 1 + roll(2)]:
            del crowd.tasks[name]
        crowd.now_ms += TICK_MS


def waiting(crowd: Crowd) -> dict[str, Task]:
    return {name: task for name, task in crowd.tasks.items() if task.status is Status.WAITING}
