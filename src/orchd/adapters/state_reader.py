"""What clients read without the daemon: state, operations, checkpoints, through one git process and no heavy import.

Rule: standard library only, and nothing here writes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from orchd.adapters.git_objects import parse_commit, parse_trailers, parse_tree
from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.adapters.records import EVENTS, HOT, load_record
from orchd.adapters.state_tree import StateTree
from orchd.core.chain_proof import BASE, CHECKPOINT, TASK
from orchd.core.costs import COST, read_spent, sum_spent
from orchd.errors import GitError
from orchd.model.cost import Spent
from orchd.model.dataclass import dataclass
from orchd.model.ids import CHECKPOINTS_PREFIX, STATE_REF, Oid, TaskId
from orchd.model.save import Checkpoint
from orchd.model.snapshot import State
from orchd.model.work import Status, Task

ASKED_AT_ONCE = 500
"""Requests written before their answers are read: they fit into a pipe, so neither side can block the other."""

FIELD, RECORD = "\0", "\1\n"
CHECKPOINT_FORMAT = "%(refname:lstrip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)%00%(contents)%01"


@dataclass(frozen=True, slots=True)
class HotState:
    """The state without the archive, and how many tasks of each status are there."""

    state: State
    archived: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """One commit of the log. `events` are plain data with their `type`, as stored."""

    oid: Oid
    at_ms: int
    subject: str
    events: tuple[Mapping[str, Any], ...]


def read_hot(place: Place) -> HotState:
    """All tasks that are not archived. Empty for a repository that orchd never served."""
    with open_objects(place) as objects:
        tree = objects.tree_of(STATE_REF)
        if not tree:
            return HotState(State(), {})
        return HotState(*_only_hot(objects, tree))


def read_all(place: Place) -> State:
    """The whole state, with the archive."""
    with open_objects(place) as objects:
        tree = objects.tree_of(STATE_REF)
        return StateTree(objects.fetch).read_state(tree)[0] if tree else State()


def read_task(place: Place, task: TaskId) -> Task | None:
    """One task, hot or archived."""
    with open_objects(place) as objects:
        tree = objects.tree_of(STATE_REF)
        return StateTree(objects.fetch).find_task(tree, task) if tree else None


def read_tasks(place: Place, tasks: Iterable[TaskId]) -> Mapping[TaskId, Task]:
    """Those of `tasks` that there are, hot or archived."""
    with open_objects(place) as objects:
        tree = objects.tree_of(STATE_REF)
        found = [StateTree(objects.fetch).find_task(tree, task) for task in tasks] if tree else []
    return {task.spec.id: task for task in found if task is not None}


def read_operations(place: Place, limit: int) -> tuple[Operation, ...]:
    """The last `limit` operations, the newest first."""
    with open_objects(place) as objects:
        return tuple(_walk_operations(objects, limit))


def walk_operations(place: Place, limit: int) -> Iterator[Operation]:
    """The last `limit` operations, the newest first, one after the other for whoever may have enough of them early."""
    with open_objects(place) as objects:
        yield from _walk_operations(objects, limit)


def read_checkpoints(place: Place) -> tuple[Checkpoint, ...]:
    """All checkpoints, the oldest first. Somebody else's tag beside theirs is none."""
    said = Git(place.git_dir).run("for-each-ref", "--sort=taggerdate", f"--format={CHECKPOINT_FORMAT}", CHECKPOINTS_PREFIX)
    records = said.decode(errors="replace").split(RECORD)
    found = filter(None, map(_parse_checkpoint, filter(None, records)))
    return tuple(sorted(found, key=lambda one: (one.created_ms, one.name)))


def read_work(place: Place, name: str) -> tuple[tuple[str, Spent | None], ...]:
    """The work that the tag of a checkpoint names, and what the agents of each cost."""
    message = Git(place.git_dir).run("for-each-ref", "--format=%(contents)", f"refs/tags/{name}").decode(errors="replace")
    trailers = parse_trailers(message)
    costs = {task: read_spent(words) for task, _, words in (said.partition(" ") for said in trailers.get(COST, ()))}
    return tuple((token, costs.get(token.partition(" ")[0])) for token in trailers.get(TASK, ()))


def _only_hot(objects: Objects, tree: Oid) -> tuple[State, Mapping[Status, int]]:
    state, meta = StateTree(objects.fetch).read_state(tree, [HOT])
    return state, meta.archived


def _parse_checkpoint(record: str) -> Checkpoint | None:
    name, own, target, seconds, message = record.split(FIELD, 4)
    trailers = parse_trailers(message)
    if trailers.get(CHECKPOINT) != (name,):
        return None
    gates = tuple(gate.partition(" passed")[0] for gate in trailers.get("Orch-Gate", ()))
    return Checkpoint(
        name,
        target or own,
        int(seconds or 0) * 1000,
        "".join(trailers.get("Orch-Session", ())[:1]),
        tuple(task.split(" ")[0] for task in trailers.get(TASK, ())),
        ", ".join(gates or trailers.get("Orch-Gates", ())),
        sum_spent(read_spent(said.partition(" ")[2]) for said in trailers.get(COST, ())),
        "".join(trailers.get(BASE, ())[:1]),
        trailers.get(TASK, ()),
    )


def _walk_operations(objects: Objects, limit: int) -> Iterator[Operation]:
    asked = STATE_REF
    for _ in range(limit):
        found = objects.find(asked)
        if found is None:
            return
        oid, raw = found
        headers, message = parse_commit(raw)
        tree = parse_tree(objects.fetch(headers["tree"])[0] or b"")
        record = objects.fetch([tree[EVENTS].oid])[0] if EVENTS in tree else None
        events = load_record("events", record)["events"] if record else ()
        at_ms = int(headers["committer"][0].split()[-2]) * 1000
        yield Operation(oid, at_ms, message.partition("\n")[0], tuple(events))
        if "parent" not in headers:
            return
        asked = headers["parent"][0]


@dataclass(frozen=True, slots=True)
class Objects:
    """A running `git cat-file --batch`."""

    requests: IO[bytes]
    answers: IO[bytes]

    def fetch(self, names: Sequence[str]) -> list[bytes | None]:
        """The contents of objects, by id; None where one is missing, or where the id is empty."""
        found: list[bytes | None] = []
        for start in range(0, len(names), ASKED_AT_ONCE):
            part = names[start : start + ASKED_AT_ONCE]
            self.requests.write("".join(f"{name}\n" for name in part if name).encode())
            self.requests.flush()
            found += [self._receive()[1] if name else None for name in part]
        return found

    def find(self, name: str) -> tuple[Oid, bytes] | None:
        """Id and content of what `name` (a ref or an id) points at."""
        self.requests.write(f"{name}\n".encode())
        self.requests.flush()
        oid, content = self._receive()
        return (oid, content) if content is not None else None

    def tree_of(self, ref: str) -> Oid:
        """The tree of the commit at `ref`; empty when there is no such ref."""
        found = self.find(ref)
        return parse_commit(found[1])[0]["tree"][0] if found else ""

    def _receive(self) -> tuple[Oid, bytes | None]:
        head = self.answers.readline().decode().split()
        if not head:
            raise GitError("git cat-file ended too early", "run `git fsck`")
        if head[-1] == "missing":
            return "", None
        content = self.answers.read(int(head[2]))
        self.answers.read(1)
        return head[0], content


@contextlib.contextmanager
def open_objects(place: Place) -> Iterator[Objects]:
    """Objects of a repository, as long as it is needed."""
    with Git(place.git_dir).start("cat-file", "--batch") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield Objects(child.stdin, child.stdout)
        child.stdin.close()
