"""The state store on `refs/orch/state`: a chain of commits, one operation each, moved only by compare-and-swap.

Each commit's tree is the whole state, its `events.json` what this operation concluded. Rule: personal text reaches
`refs/orch/text` before a record refers to it, and nothing else ever holds it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import pygit2

import orchd
from orchd.adapters.event_records import dump_events
from orchd.adapters.git_objects import parse_commit, parse_trailers
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import edit_tree, find_entry
from orchd.adapters.records import (
    ARCHIVE,
    ARCHIVED,
    CONFLICTS,
    COSTS,
    EVENTS,
    FEW_NAMES,
    GONE,
    HOT,
    META,
    PROBLEMS,
    SAVE,
    claim_path,
    dump_conflicts,
    dump_gone,
    dump_problems,
    dump_record,
    dump_task,
    dump_text,
    screening_path,
    session_path,
    task_folder,
    task_names,
    text_path,
)
from orchd.adapters.state_tree import Meta, StateTree, decode_meta, recount
from orchd.core.wording import compose, word_operation
from orchd.model.ids import STATE_REF, TEXT_REF, Oid
from orchd.model.message import Event, TaskSeen
from orchd.model.snapshot import State
from orchd.model.work import Task
from orchd.ports import Stored

ACTOR = "orchd"
TaskChange: TypeAlias = tuple[Task | None, Task]


class GitStateStore:
    """`StateStore` in git."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._reader = StateTree(repo.fetch)
        self._last = Stored("", State())

    def load(self) -> Stored:
        """The present state; one read of a ref while nobody moved it."""
        version = self._repo.refs.read(STATE_REF)
        if version != self._last.version:
            state = self._reader.read_state(self._repo.tree_of(version))[0] if version else State()
            self._last = Stored(version, state)
        return self._last

    def commit(self, old: Stored, state: State, events: Sequence[Event], at_ms: int) -> Stored | None:
        """One operation. None when `refs/orch/state` is no longer at `old`."""
        changed = _changed_tasks(old.state, state)
        self._keep_texts(_find_texts(changed, events), at_ms)
        tree = self._write_tree(old, state, events, changed)
        trailers = (
            ("Orch-Epoch", str(state.epoch)),
            ("Orch-Seq", str(self._sequence_of(old.version) + 1)),
            ("Orch-Version", orchd.__version__),
            ("Orch-Actor", ACTOR),
        )
        message = compose(f"orchd: {word_operation(events)}", (), trailers)
        made = self._repo.write_commit(tree, [old.version] if old.version else [], message, at_ms)
        if not self._repo.refs.move(STATE_REF, old.version, made):
            return None
        self._last = Stored(made, state)
        return self._last

    def _write_tree(self, old: Stored, state: State, events: Sequence[Event], changed: Sequence[TaskChange]) -> Oid:
        tree = self._repo.tree_of(old.version) if old.version else ""
        records = dict(self._task_records(tree, changed))
        records |= _lease_records(old.state, state)
        records |= _session_records(old.state, state)
        records |= _screening_records(old.state, state)
        records |= _single_records(old.state, state)
        records[EVENTS] = dump_events(tuple(events))
        meta = self._next_meta(tree, state, changed)
        if meta is not None:
            records[META] = dump_record("state", meta)
        return edit_tree(self._repo, tree, self._write_blobs(records))

    def _task_records(self, tree: Oid, changed: Iterable[TaskChange]) -> Iterator[tuple[str, bytes]]:
        there = {folder: self._open_folder(tree, folder) for folder in (HOT, ARCHIVE)}
        entered = Counter[str]()
        for before, task in changed:
            folder, (single, sharded) = task_folder(task), task_names(task.spec.id)
            old = task_folder(before) if before is not None else ""
            name = single if old and single in there[old] else sharded
            if old != folder:
                if old:
                    yield f"{old}/{name}", b""
                name = single if len(there[folder]) + entered[folder] < FEW_NAMES else sharded
                entered[folder] += 1
            yield f"{folder}/{name}", dump_task(task)

    def _open_folder(self, tree: Oid, name: str) -> pygit2.Tree | tuple[str, ...]:
        """A folder of the state, as the library has it: it need not be read into Python to be asked for one name."""
        entry = find_entry(self._repo, tree, name).oid if tree else ""
        found = self._repo.library.get(entry) if entry else None
        return found if isinstance(found, pygit2.Tree) else ()

    def _write_blobs(self, records: Mapping[str, bytes]) -> dict[str, Oid]:
        return {path: self._repo.write_blob(content) if content else "" for path, content in records.items()}

    def _next_meta(self, tree: Oid, state: State, changed: Sequence[TaskChange]) -> Meta | None:
        """The counters after this operation; None when they did not change (one object less in most operations)."""
        entry = find_entry(self._repo, tree, META).oid if tree else ""
        old = decode_meta(self._repo.fetch([entry])[0])
        left = [before.status for before, _ in changed if before is not None and before.status in ARCHIVED]
        entered = [after.status for _, after in changed if after.status in ARCHIVED]
        archived = recount(old.archived, left, entered)
        counters = (state.owner, state.epoch, state.next_order, state.next_number, state.branch, state.next_fence)
        new = Meta(orchd.__version__, *counters, archived, state.holdings, state.refused, state.gates, state.cooling)
        return None if new == old else new

    def _sequence_of(self, version: Oid) -> int:
        if not version:
            return 0
        _, message = parse_commit(self._repo.read(version))
        return int(parse_trailers(message).get("Orch-Seq", ("0",))[-1])

    def _keep_texts(self, texts: Mapping[str, bytes], at_ms: int) -> None:
        """Add texts. Each commit is without a parent, so that a text that is removed can really disappear."""
        if not texts:
            return
        blobs = self._write_blobs(texts)
        while True:
            old = self._repo.refs.read(TEXT_REF)
            before = self._repo.tree_of(old) if old else ""
            tree = edit_tree(self._repo, before, blobs)
            if tree == before or self._repo.refs.move(
                TEXT_REF, old, self._repo.write_commit(tree, [], "orchd: texts\n", at_ms)
            ):
                return


def _find_texts(changed: Sequence[TaskChange], events: Sequence[Event]) -> dict[str, bytes]:
    """Texts that the records of this operation refer to and that were not there before."""
    seen = [(event.spec, event.generation) for event in events if isinstance(event, TaskSeen)]
    seen += [(task.spec, task.generation) for before, task in changed if not _same_text(before, task)]
    return {text_path(spec, generation): dump_text(spec) for spec, generation in seen}


def _same_text(before: Task | None, task: Task) -> bool:
    return before is not None and before.spec is task.spec and before.generation == task.generation


def _changed_tasks(old: State, state: State) -> list[TaskChange]:
    """Compares by identity first: of ten thousand tasks an operation touches a few."""
    get = old.tasks.get
    touched = [(get(name), task) for name, task in state.tasks.items() if get(name) is not task]
    return [(before, task) for before, task in touched if before != task]


def _lease_records(old: State, state: State) -> dict[str, bytes]:
    gone = {claim_path(task): b"" for task in old.leases.keys() - state.leases.keys()}
    held = {
        claim_path(task): dump_record("claim", lease) for task, lease in state.leases.items() if old.leases.get(task) != lease
    }
    return gone | held


def _session_records(old: State, state: State) -> dict[str, bytes]:
    gone = {session_path(name): b"" for name in old.sessions.keys() - state.sessions.keys()}
    there = {session_path(n): dump_record("session", one) for n, one in state.sessions.items() if old.sessions.get(n) != one}
    return gone | there


def _screening_records(old: State, state: State) -> dict[str, bytes]:
    gone = {screening_path(task): b"" for task in old.screenings.keys() - state.screenings.keys()}
    there = {
        screening_path(task): dump_record("screening", one)
        for task, one in state.screenings.items()
        if old.screenings.get(task) != one
    }
    return gone | there


def _single_records(old: State, state: State) -> dict[str, bytes]:
    records = {}
    if state.save != old.save:
        records[SAVE] = dump_record("save", state.save) if state.save else b""
    if state.problems != old.problems:
        records[PROBLEMS] = dump_problems(state.problems) if state.problems else b""
    if state.conflicts != old.conflicts:
        records[CONFLICTS] = dump_conflicts(state.conflicts) if state.conflicts else b""
    if state.ledger != old.ledger:
        records[COSTS] = dump_record("costs", state.ledger)
    if state.gone != old.gone:
        records[GONE] = dump_gone(state.gone) if state.gone else b""
    return records
