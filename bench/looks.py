"""Worlds of many tasks, made of real files and real events, and the time that one look at them takes.

Rule: a look that is timed must find nothing to do, or it would not be the look of an idle daemon.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum

from orchd import assembly
from orchd.adapters.leadership import take_leadership
from orchd.core.evolve import evolve
from orchd.core.intake import read_files
from orchd.core.planner import plan
from orchd.engine.observe import Wish, observe
from orchd.model.claim import Lease
from orchd.model.ids import Oid, TaskId, task_branch, task_run
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    Event,
    SaveClosed,
    SaveGated,
    SaveLanded,
    SaveMerged,
    SavePlanned,
    TaskSeen,
)
from orchd.model.save import Merged, Save, SaveItem
from orchd.model.snapshot import State
from orchd.model.work import Reason, Status
from orchd.ports import Ports
from samples import Sample

ITEMS_PER_SAVE = 4
GENERATION = ATTEMPT = 1


class World(StrEnum):
    """What the tasks are: all landed, or all waiting for one that failed."""

    LANDED = "landed"
    BLOCKED = "blocked"


class Nobody:
    """An audience that complains: in these measurements there is nothing to tell."""

    def told(self, events: Sequence[Event], state: State) -> None:
        """Nothing."""

    def notice(self, text: str, word: str = "stop") -> None:
        """Nobody is told."""

    def trouble(self, text: str) -> None:
        """Nothing should fail."""
        raise RuntimeError(text)


@contextlib.contextmanager
def open_world(sample: Sample) -> Iterator[Ports]:
    """All adapters on the sample, as the daemon has them."""
    leader = take_leadership(sample.place)
    try:
        with assembly.open_ports(sample.place, leader, Nobody(), lambda: None) as ports:
            yield ports
    finally:
        leader.release()


def build_world(sample: Sample, world: World, count: int) -> float:
    """Files of `count` tasks, what they leave behind when they are over, and the state. Returns the seconds of the first
    look, which reads every file."""
    for number in range(count):
        needs = {"needs": ["task-0"]} if world is World.BLOCKED and number else {}
        name = f"task-{number}"
        sample.write_task(name, f"echo {number} > file-{number}", claims=[f"file-{number}"], **needs)
    _backdate(sample)
    with open_world(sample) as ports:
        begin = time.perf_counter()
        ports.files.look(ports.refs.main())
        seconds = time.perf_counter() - begin
        _store_world(ports, sample, world)
    return seconds


def _backdate(sample: Sample) -> None:
    """Make the files old, so that the first look need not wait until they have settled."""
    before = time.time() - 60
    for file in (sample.top / ".orch" / "tasks").iterdir():
        os.utime(file, (before, before))


def time_looks(ports: Ports, rounds: int) -> list[float]:
    """Milliseconds of single looks (load, observe, plan). The first one, which fills the caches, is not among them."""
    _look(ports)
    return [_look(ports) for _ in range(rounds)]


def time_first_look(ports: Ports) -> float:
    """Milliseconds of the first look of a process: the state is read, files are known by their hashes."""
    return _look(ports)


def _look(ports: Ports) -> float:
    begin = time.perf_counter()
    state = ports.store.load().state
    planned = plan(observe(ports, state, Wish()))
    milliseconds = (time.perf_counter() - begin) * 1000
    if planned.events or planned.actions:
        raise RuntimeError(f"this world is not at rest: {(planned.events + planned.actions)[:3]}")
    return milliseconds


def _store_world(ports: Ports, sample: Sample, world: World) -> None:
    old = ports.store.load()
    snapshot = observe(ports, old.state, Wish())
    if snapshot.files.unsettled:
        raise RuntimeError("the task files have not settled")
    seen = tuple(read_files(old.state, snapshot))
    names = [event.spec.id for event in seen if isinstance(event, TaskSeen)]
    events = [*seen, *STORIES[world](names, snapshot.main, sample.git("rev-parse", "main^{tree}").strip())]
    if ports.store.commit(old, evolve(old.state, events), events, snapshot.now_ms) is None:
        raise RuntimeError("somebody else wrote the state")
    _leave_behind(sample, names if world is World.LANDED else names[:1], snapshot.main)


def _leave_behind(sample: Sample, names: Sequence[TaskId], main: Oid) -> None:
    """What stays of finished tasks besides the state: their branches and the folders of their runs."""
    sample.git("update-ref", "--stdin", stdin="".join(f"create {task_branch('default', name)} {main}\n" for name in names))
    for name in names:
        (sample.place.runs / task_run(name, GENERATION, ATTEMPT)).mkdir(parents=True)


def _land_all(names: Sequence[TaskId], main: Oid, tree: Oid) -> Iterator[Event]:
    for number, first in enumerate(range(0, len(names), ITEMS_PER_SAVE), start=1):
        part = names[first : first + ITEMS_PER_SAVE]
        yield from itertools.chain.from_iterable(_attempt(name, main, Status.READY, None) for name in part)
        yield from _save(f"s{number}", number, part, main, tree)


def _block_all(names: Sequence[TaskId], main: Oid, tree: Oid) -> Iterable[Event]:
    return _attempt(names[0], main, Status.FAILED, Reason.EXIT)


def _attempt(name: TaskId, main: Oid, status: Status, reason: Reason | None) -> tuple[Event, ...]:
    lease = Lease(name, "bench", 1, (), 1)
    ended = AttemptEnded(name, ATTEMPT, status, main, task_branch("default", name), reason, (), 2)
    return (AttemptStarted(name, ATTEMPT, main, lease), ended)


def _save(name: str, number: int, tasks: Sequence[TaskId], main: Oid, tree: Oid) -> tuple[Event, ...]:
    items = tuple(SaveItem(task, GENERATION, ATTEMPT, main) for task in tasks)
    chain = tuple(Merged(item, main, tree) for item in items)
    return (
        SavePlanned(Save(name, "default", main, items, (), number, number)),
        SaveMerged(name, tree, chain, ()),
        SaveGated(name, len(chain), ()),
        SaveLanded(name, main),
        SaveClosed(name, number),
    )


STORIES = {World.LANDED: _land_all, World.BLOCKED: _block_all}
