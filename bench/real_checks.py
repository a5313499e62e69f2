"""What must hold after the twenty tasks: each check yields the faults that it found.

Rule: a check asks git and the file system, not orchd, wherever they can answer.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from counting import Cost
from orchd import app
from orchd.adapters.event_records import load_event
from orchd.adapters.records import text_of
from orchd.core.evolve import evolve
from orchd.model.snapshot import State
from orchd.model.work import Status, Task
from real_tasks import OVERLAPPING, TASKS
from samples import Sample

ALL = 1_000_000

Check: TypeAlias = Callable[[Sample, State, Cost], Iterator[str]]


def check_ends(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Each task came to the end that it must come to."""
    for name, wanted in TASKS.items():
        task = state.tasks.get(name)
        if task is None or (task.status, task.reason) != (wanted.status, wanted.reason):
            yield f"{name} is {task and task.status} ({task and task.reason}: {task and task.detail})"


def check_compiles(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Main's tree, taken out of git, compiles."""
    with tempfile.TemporaryDirectory(dir=sample.top.parent) as folder:
        archive = str(Path(folder) / "main.tar")
        sample.git("archive", "-o", archive, "main")
        sample.run("tar", "-xf", archive, "-C", folder)
        argv = ["python", "-m", "compileall", "-q", "-x", "tests_syntax_error", "django", "tests"]
        done = subprocess.run(argv, cwd=folder, env=sample.environment, capture_output=True, text=True)
        if done.returncode:
            yield done.stdout[-500:]


def check_landed(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Main contains each landed task's commit, and each path as the last task that changed it left it."""
    last: dict[str, Task] = {}
    for task in _landed(state):
        if not _contains(sample, "main", task.tip):
            yield f"{task.spec.id}: main does not contain {task.tip}"
        paths = sample.git("diff", "--name-only", task.base, task.tip).splitlines()
        last |= dict.fromkeys(paths, task)
        if not paths:
            yield f"{task.spec.id} changed nothing"
    for path, task in last.items():
        if sample.git("ls-tree", "main", path) != sample.git("ls-tree", task.tip, path):
            yield f"{path} is not on main as {task.spec.id} left it"


def check_failed(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Nothing of a failed task is on main, and its work is reachable from a ref."""
    for task in state.tasks.values():
        if task.status not in (Status.FAILED, Status.HELD):
            continue
        if not task.tip or sample.git("rev-parse", task.ref).strip() != task.tip:
            yield f"{task.spec.id}: its work is not at {task.ref}"
        elif _contains(sample, "main", task.tip):
            yield f"{task.spec.id} is on main"
    if "broken(:" in sample.git("show", "main:django/apps/registry.py"):
        yield "the syntax error is on main"


def check_order(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Whoever needs another, or overlaps with it, began on a main that contained the other's checkpoint."""
    pairs = [(need, name) for name, task in TASKS.items() for need in task.needs] + list(OVERLAPPING)
    for pair in pairs:
        first, second = sorted((state.tasks[name] for name in pair), key=lambda task: task.started_ms)
        if first.commit and second.base and not _contains(sample, second.base, first.commit):
            yield f"{second.spec.id} did not wait for {first.spec.id}"


def check_repository(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Every object is there and whole; nothing of an unfinished save is left."""
    said = subprocess.run(
        ["git", "fsck", "--full", "--no-dangling"], cwd=sample.top, env=sample.environment, capture_output=True, text=True
    )
    if said.returncode:
        yield said.stdout + said.stderr
    yield from sample.git("for-each-ref", "refs/orch/save", "refs/orch/keep").splitlines()


def check_checkout(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """The checkout is on main, at its tip, and clean."""
    if sample.git("symbolic-ref", "HEAD").strip() != "refs/heads/main":
        yield "HEAD is not on main"
    yield from sample.git("status", "--porcelain").splitlines()


def check_rest(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """No process and no workspace is left."""
    if cost.survivors:
        yield f"{cost.survivors} processes were left when orchd had ended"
    yield from map(str, sample.place.workspaces.glob("*"))


def check_log(sample: Sample, state: State, cost: Cost) -> Iterator[str]:
    """Replaying the log gives the state."""
    replayed = State()
    for operation in reversed(app.operations(sample.place, ALL)):
        texts = [sample.git("cat-file", "blob", oid).encode() if oid else None for oid in map(text_of, operation.events)]
        events = [load_event(dict(data), text) for data, text in zip(operation.events, texts, strict=True)]
        replayed = evolve(replayed, events)
    if replayed != state:
        yield "the log tells another state"


def _landed(state: State) -> list[Task]:
    landed = (task for task in state.tasks.values() if task.status is Status.LANDED)
    return sorted(landed, key=lambda task: task.ended_ms)


def _contains(sample: Sample, descendant: str, ancestor: str) -> bool:
    argv = ["git", "merge-base", "--is-ancestor", ancestor, descendant]
    return subprocess.run(argv, cwd=sample.top, env=sample.environment).returncode == 0


CHECKS: Mapping[str, Check] = {
    "each task came to the end that was expected": check_ends,
    "main's tree compiles": check_compiles,
    "what landed is on main, as its task left it": check_landed,
    "what failed is not on main, and its work is reachable": check_failed,
    "needs and overlapping claims were waited for": check_order,
    "git fsck finds nothing, no journal is left": check_repository,
    "the checkout is clean and at main": check_checkout,
    "no process and no workspace is left": check_rest,
    "replaying the log gives the state": check_log,
}
