"""A tenure as a commit: the message holds it with a nonce, the tree the records of the session's tasks with their texts.

A commit has no parent, so what is replaced can disappear, and a sign of life costs one object. Rule: the nonce makes each
commit new; pushing one that is there already would succeed without anything having been compared.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import replace

from orchd.adapters.codec import decode, encode
from orchd.adapters.git_objects import FOLDER
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import EMPTY_TREE, edit_tree, read_tree
from orchd.adapters.records import dump_record, load_record, shard
from orchd.errors import GitError, OrchdError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, SessionId
from orchd.model.tenure import Tenure
from orchd.model.work import Task

KIND = "tenure"
UNREADABLE = "a clone whose record cannot be read"


@dataclass(frozen=True, slots=True)
class Sign:
    """What the message of a tenure's commit holds: the tenure without its tasks, and the nonce."""

    tenure: Tenure
    nonce: str


class TenureRecords:
    """Tenures of one repository; remembers trees and records, so that a sign of life writes and reads next to nothing."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._trees: dict[SessionId, tuple[Mapping[str, Task], Oid]] = {}
        self._tasks: dict[Oid, Task] = {}
        self._seen: dict[SessionId, tuple[Oid, tuple[Task, ...]]] = {}

    def write(self, tenure: Tenure, at_ms: int) -> Oid:
        """A new commit for `tenure`, never one that exists."""
        sign = Sign(replace(tenure, tasks=()), secrets.token_hex(16))
        message = f"orchd: tenure of {tenure.session}\n\n{dump_record(KIND, sign).decode()}"
        return self._repo.write_commit(self._write_tree(tenure), [], message, at_ms)

    def read(self, session: SessionId, commit: Oid) -> Tenure:
        """The tenure in `commit`. One that cannot be read belongs to nobody we know, and can be taken over like any other."""
        try:
            text = self._repo.commit(commit).message.partition("\n\n")[2]
            sign = decode(Sign, load_record(KIND, text.encode()))
            return replace(sign.tenure, session=session, tasks=self._read_tasks(session, self._repo.tree_of(commit)))
        except (OrchdError, GitError, UnicodeError):
            return Tenure(session, UNREADABLE, 0)

    def _write_tree(self, tenure: Tenure) -> Oid:
        before, tree = self._trees.get(tenure.session, ({}, EMPTY_TREE))
        tasks = {_path(task): task for task in tenure.tasks}
        changed = {path: task for path, task in tasks.items() if before.get(path) != task}
        changes = {path: self._repo.write_blob(dump_record("task", encode(task))) for path, task in changed.items()}
        changes |= dict.fromkeys(before.keys() - tasks.keys(), "")
        made = edit_tree(self._repo, "" if tree == EMPTY_TREE else tree, changes) if changes else tree
        if made == EMPTY_TREE:
            made = edit_tree(self._repo, "", {})
        self._trees[tenure.session] = (tasks, made)
        return made

    def _read_tasks(self, session: SessionId, tree: Oid) -> tuple[Task, ...]:
        known = self._seen.get(session)
        if known is None or known[0] != tree:
            blobs = [entry.oid for folder in self._folders(tree) for entry in read_tree(self._repo, folder).values()]
            fresh = {oid: self._tasks.get(oid) or self._read_task(oid) for oid in blobs}
            self._tasks |= fresh
            self._seen[session] = known = (tree, tuple(fresh[oid] for oid in blobs))
        return tuple(sorted(known[1], key=lambda task: task.spec.id))

    def _folders(self, tree: Oid) -> list[Oid]:
        return [entry.oid for entry in read_tree(self._repo, tree).values() if entry.mode == FOLDER]

    def _read_task(self, blob: Oid) -> Task:
        try:
            return decode(Task, load_record("task", self._repo.read(blob)))
        except (ValueError, json.JSONDecodeError) as error:
            raise OrchdError(f"a published record is damaged: {error}") from error


def _path(task: Task) -> str:
    return f"{shard(task.spec.id)}/{task.spec.id}.json"
