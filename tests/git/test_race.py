"""Eight processes, a maintenance loop beside them, random kills: nothing that was confirmed is ever lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from git_world import World, git

from orchd.adapters import locks, ref_store
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_state import GitStateStore
from orchd.core.evolve import evolve
from orchd.model.message import TaskSeen
from orchd.model.work import Source, TaskSpec

WORKERS = 8
LIMIT_SECONDS = 25.0
KILLS, CONFIRMED = 8, 25
CLAIMS = 400


def work(world: World, number: int, confirmed: Path) -> None:
    """Add tasks and create claims until killed; each success is written down after it happened."""
    locks.STALE_SECONDS = ref_store.STALE_SECONDS = 0.3
    repo, chance = world.open(), random.Random(os.getpid())
    store = GitStateStore(repo)
    with confirmed.open("a", buffering=1) as out:
        for serial in range(100_000):
            name = f"w{number}-{os.getpid()}-{serial}"
            if add_task(store, name):
                out.write(f"task {name}\n")
            claim = f"refs/orch/keep/c{chance.randrange(CLAIMS)}"
            if repo.refs.move(claim, "", mark(repo, name)):
                out.write(f"claim {claim} {mark(repo, name)}\n")


def add_task(store: GitStateStore, name: str) -> bool:
    old = store.load()
    event = TaskSeen(TaskSpec(name, "t", "r"), "d", Source.FILE, "", 1, old.state.next_order, 1)
    return store.commit(old, evolve(old.state, (event,)), (event,), 1) is not None


def mark(repo: GitRepo, name: str) -> str:
    return repo.write_commit("4b825dc642cb6eb9a060e54bf8d69288fbee4904", [], name, 0)


def spawn(job: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            job()
        finally:
            os._exit(1)
    return child


def count_confirmed(logs: list[Path]) -> int:
    """Of tasks or claims, whichever are fewer."""
    text = "".join(log.read_text() for log in logs if log.exists())
    return min(text.count("task "), text.count("claim "))


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_nothing_confirmed_is_lost_among_eight_writers_a_packer_and_kills(world: World, tmp_path: Path) -> None:
    world.open().write_blob(b"")
    subprocess.run(["git", "mktree"], cwd=world.top, input=b"", check=True, capture_output=True)
    logs = [tmp_path / f"log{number}" for number in range(WORKERS)]
    children = [spawn(lambda n=number: work(world, n, logs[n])) for number in range(WORKERS)]
    chance, kills, stop = random.Random(1), 0, time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < stop and not (kills >= KILLS and count_confirmed(logs) >= CONFIRMED):
        subprocess.run(["git", "pack-refs", "--all"], cwd=world.top, check=False, capture_output=True)
        if chance.random() < 0.3:
            victim = chance.randrange(WORKERS)
            end(children[victim])
            children[victim] = spawn(lambda n=victim: work(world, n, logs[n]))
            kills += 1
    for child in children:
        end(child)
    lines = [line.split() for log in logs for line in log.read_text().splitlines() if line.count(" ")]
    told = {line[1] for line in lines if line[0] == "task"}
    claims = [line for line in lines if line[0] == "claim"]
    state = GitStateStore(world.open()).load().state
    assert told <= set(state.tasks)
    assert len({task.order for task in state.tasks.values()}) == len(state.tasks)
    assert len({name for _, name, _ in claims}) == len(claims)
    repo = world.open()
    assert all(repo.refs.read(name) == oid for _, name, oid in claims)
    numbers = git(world.top, "log", "--format=%(trailers:key=Orch-Seq,valueonly,separator=)", "refs/orch/state").split()
    assert list(map(int, numbers)) == list(range(len(numbers), 0, -1))
    assert len(told) >= CONFIRMED
    assert len(claims) >= CONFIRMED
    assert kills >= KILLS


def test_reading_before_locking_loses_updates(world: World) -> None:
    """The twin: what `RefStore.move` would do if it compared before it took the lock."""
    repo = world.open()
    first, second, third = (mark_with_tree(world, repo, name) for name in ("1", "2", "3"))
    repo.refs.force("refs/orch/x", first)
    seen = repo.refs.read("refs/orch/x")
    assert repo.refs.move("refs/orch/x", first, second)
    if seen == first:
        with repo.library.transaction() as change:
            change.lock_ref("refs/orch/x")
            change.set_target("refs/orch/x", third)
    assert repo.refs.read("refs/orch/x") == third


def mark_with_tree(world: World, repo: GitRepo, name: str) -> str:
    return replace(repo).write_commit(repo.tree_of(world.main), [], name, 0)
