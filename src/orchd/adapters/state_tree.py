"""Reads the tree of `refs/orch/state` into a State, whoever fetches the objects.

Remembers what it decoded by blob id, so that a second look reads only what changed. Rule: standard library only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TypeVar

from orchd.adapters.codec import decode
from orchd.adapters.git_objects import FOLDER, Fetch, TreeEntry, parse_tree
from orchd.adapters.records import (
    ARCHIVE,
    CLAIMS,
    CONFLICTS,
    COSTS,
    GONE,
    HOT,
    META,
    PROBLEMS,
    SAVE,
    SCREENINGS,
    SESSIONS,
    load_conflicts,
    load_gone,
    load_problems,
    load_record,
    load_task,
    task_names,
    text_of,
)
from orchd.model.claim import Lease
from orchd.model.cost import NOTHING_SPENT, Ledger
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SessionId, TaskId
from orchd.model.save import Save, Tally
from orchd.model.session import Session
from orchd.model.snapshot import State
from orchd.model.tenure import Holding, Refused
from orchd.model.work import Status, Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Meta:
    """The counters of the state. `archived` says how many tasks of each archived status there are."""

    version: str = ""
    owner: str = ""
    epoch: int = 0
    next_order: int = 1
    next_number: int = 1
    branch: str = ""
    next_fence: int = 1
    archived: Mapping[Status, int] = field(default_factory=dict)
    holdings: Mapping[SessionId, Holding] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    gates: Mapping[str, Tally] = field(default_factory=dict)
    cooling: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class StateTree:
    """A reader with a memory of one tree."""

    fetch: Fetch
    _tasks: dict[Oid, Task] = field(default_factory=dict)
    _folders: dict[Oid, dict[str, TreeEntry]] = field(default_factory=dict)

    def read_state(self, tree: Oid, folders: Sequence[str] = (HOT, ARCHIVE)) -> tuple[State, Meta]:
        """The state in the tree `tree`, with the tasks of `folders`. Raises OrchdError when it is damaged."""
        old_folders, self._folders = self._folders, {}
        root = self._open_folders([tree], old_folders)[0]
        tasks = self._decode_tasks([entry for _, entry in self._list_records(root, folders, old_folders)])
        singles = [_oid(root, name) for name in (META, SAVE, PROBLEMS, CONFLICTS, COSTS, GONE)]
        meta, save, problems, conflicts, costs, gone = self.fetch(singles)
        counters = decode_meta(meta)
        return State(
            counters.owner,
            counters.epoch,
            counters.next_order,
            counters.next_number,
            {task.spec.id: task for task in tasks},
            {lease.task: lease for lease in self._read_records(root, old_folders, CLAIMS, "claim", Lease)},
            decode(Save, load_record("save", save)) if save else None,
            load_problems(problems),
            counters.branch,
            load_conflicts(conflicts),
            counters.holdings,
            {one.spec.id: one for one in self._read_records(root, old_folders, SESSIONS, "session", Session)},
            counters.next_fence,
            counters.refused,
            counters.gates,
            counters.cooling,
            decode(Ledger, load_record("costs", costs)) if costs else NOTHING_SPENT,
            {one.items[0].task: one for one in self._read_records(root, old_folders, SCREENINGS, "screening", Save)},
            load_gone(gone),
        ), counters

    def find_task(self, tree: Oid, task: TaskId) -> Task | None:
        """One task, hot or archived."""
        root = self._open_folders([tree], {})[0]
        for folder in (HOT, ARCHIVE):
            records = self._list_records(root, [folder], {}, only=task_names(task))
            found = [entry for name, entry in records if name == f"{task}.json"]
            if found:
                return self._decode_tasks(found)[0]
        return None

    def _read_records(
        self, root: dict[str, TreeEntry], old: Mapping[Oid, dict[str, TreeEntry]], folder: str, kind: str, cls: type[T]
    ) -> list[T]:
        """All records of a flat folder."""
        if folder not in root:
            return []
        entries = self._open_folders([root[folder].oid], old)[0].values()
        records = self.fetch([entry.oid for entry in entries])
        return [decode(cls, load_record(kind, record or b"")) for record in records]

    def _list_records(
        self,
        root: dict[str, TreeEntry],
        folders: Sequence[str],
        old: Mapping[Oid, dict[str, TreeEntry]],
        only: Sequence[str] = (),
    ) -> Iterator[tuple[str, TreeEntry]]:
        """The records in `folders` and in their subfolders; of these all, or those in which the paths `only` are."""
        wanted = {path.partition("/")[0] for path in only}
        tops = self._open_folders([root[name].oid for name in folders if name in root], old)
        entries = [(name, entry) for top in tops for name, entry in top.items() if not only or name in wanted]
        yield from ((name, entry) for name, entry in entries if entry.mode != FOLDER)
        for folder in self._open_folders([entry.oid for _, entry in entries if entry.mode == FOLDER], old):
            yield from folder.items()

    def _open_folders(self, oids: Sequence[Oid], old: Mapping[Oid, dict[str, TreeEntry]]) -> list[dict[str, TreeEntry]]:
        unknown = [oid for oid in oids if oid not in old]
        opened = {oid: parse_tree(raw or b"") for oid, raw in zip(unknown, self.fetch(unknown), strict=True)}
        self._folders |= {oid: old.get(oid) or opened.get(oid, {}) for oid in oids}
        return [self._folders[oid] for oid in oids]

    def _decode_tasks(self, entries: Sequence[TreeEntry]) -> list[Task]:
        """Decodes what is not known yet and forgets what is no longer there."""
        unknown = [entry.oid for entry in entries if entry.oid not in self._tasks]
        records = [load_record("task", raw or b"") for raw in self.fetch(unknown)]
        texts = self.fetch([text_of(record) for record in records])
        fresh = {oid: load_task(record, text) for oid, record, text in zip(unknown, records, texts, strict=True)}
        self._tasks = {entry.oid: fresh.get(entry.oid) or self._tasks[entry.oid] for entry in entries}
        return list(self._tasks.values())


def decode_meta(record: bytes | None) -> Meta:
    """The counters; those of a new repository when there is no record."""
    if record is None:
        return Meta()
    data = load_record("state", record)
    counts = {Status(name): count for name, count in data.pop("archived", {}).items()}
    holdings = {session: decode(Holding, held) for session, held in data.pop("holdings", {}).items()}
    gates = {name: decode(Tally, tally) for name, tally in data.pop("gates", {}).items()}
    return decode(Meta, data | {"archived": counts, "holdings": holdings, "gates": gates})


def recount(archived: Mapping[Status, int], left: Sequence[Status], entered: Sequence[Status]) -> Mapping[Status, int]:
    """The counts after some tasks left the archive and some entered it."""
    counts = Counter(archived)
    counts.subtract(left)
    counts.update(entered)
    return {status: count for status, count in sorted(counts.items()) if count}


def _oid(folder: Mapping[str, TreeEntry], name: str) -> Oid:
    return folder[name].oid if name in folder else ""
