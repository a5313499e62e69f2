"""The layout of `refs/orch/state` and `refs/orch/text`: which record lies where, and how it is read.

Personal text (a task's title, and its command or goal) is never in a record or in an event: those hold the id of a blob that
only `refs/orch/text` keeps alive, so erasing it there erases it. Problems of input files are stored as they are: their
excerpts are lines of files of this very repository. Rule: standard library only; writer and light readers share this.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.git_objects import blob_id
from orchd.errors import OrchdError
from orchd.model.ids import Oid, SessionId, TaskId
from orchd.model.problem import Problem
from orchd.model.snapshot import Conflict
from orchd.model.work import Status, Task, TaskSpec

T = TypeVar("T")

META, EVENTS, SAVE = "meta.json", "events.json", "save.json"
PROBLEMS, CONFLICTS, COSTS, GONE = "problems.json", "conflicts.json", "costs.json", "gone.json"
HOT, ARCHIVE, CLAIMS, SESSIONS, SCREENINGS = "task", "archive", "claim", "session", "screening"
FEW_NAMES = 256
"""A record is put into the folder itself while that has fewer names, later into one of 256 subfolders. A subfolder is one more
object for each record that changes, and the folder of all subfolders has as many names. A record stays where it was put."""
ARCHIVED = frozenset({Status.LANDED, Status.UNCHANGED, Status.CANCELLED, Status.WITHDRAWN})
"""Statuses whose records leave the hot tree. FAILED and HELD stay: they wait for a person."""

VERSION = 1
SCHEMA = re.compile(r"orchd/([a-z]+)/(\d+)")
_LATER_TEXTS = ("goal", "acceptance", "steps", "parts")
"""Not written when they are empty, so that the blobs of older tasks keep their names."""
_TEXTS = ("title", "run", *_LATER_TEXTS)
ERASED_TITLE, ERASED_RUN = "(erased)", "false"


def task_folder(task: Task) -> str:
    """The folder in the state's tree that the record of a task belongs to."""
    return ARCHIVE if task.status in ARCHIVED else HOT


def task_names(task: TaskId) -> tuple[str, str]:
    """Where in that folder the record may lie: in it, or in a subfolder."""
    return f"{task}.json", f"{shard(task)}/{task}.json"


def text_path(spec: TaskSpec, generation: int) -> str:
    """Where the text of one generation of a task lies in the tree of `refs/orch/text`. With divided steps it is another one,
    beside the first."""
    divided = any(step.depth for step in spec.steps)
    mark = f".{blob_id(dump_text(spec))[:16]}" if divided else ""
    return f"task/{shard(spec.id)}/{spec.id}.{generation}{mark}.json"


def claim_path(task: TaskId) -> str:
    """Where the lease of a task lies in the state's tree."""
    return f"{CLAIMS}/{task}.json"


def screening_path(task: TaskId) -> str:
    """Where the record of what its own gates say about a task lies in the state's tree."""
    return f"{SCREENINGS}/{task}.json"


def session_path(session: SessionId) -> str:
    """Where the record of a session lies in the state's tree."""
    return f"{SESSIONS}/{session}.json"


def shard(task: TaskId) -> str:
    """The subfolder of a task, so that no folder grows large."""
    return hashlib.sha256(task.encode()).hexdigest()[:2]


def dump_record(kind: str, value: object) -> bytes:
    """The bytes of a record: canonical JSON with its schema."""
    return dumps({"schema": f"orchd/{kind}/{VERSION}", **encode(value)})


def load_record(kind: str, content: bytes) -> dict[str, Any]:
    """The data of a record without its schema. Raises OrchdError for one that a newer orchd wrote, or a broken one."""
    try:
        data: dict[str, Any] = json.loads(content)
        found = SCHEMA.fullmatch(data.pop("schema"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OrchdError(f"a stored {kind} record is damaged: {error}", "run `git fsck`; `git log refs/orch/state`") from error
    if not found or found[1] != kind or int(found[2]) > VERSION:
        raise OrchdError(
            f"a stored {kind} record has a schema that this orchd does not know", "a newer orchd wrote it: upgrade"
        )
    return data


def dump_text(spec: TaskSpec) -> bytes:
    """The personal text of a task."""
    said = {name: value for name in _LATER_TEXTS if (value := getattr(spec, name))}
    return dump_record("text", {"title": spec.title, "run": spec.run, **said})


def dump_task(task: Task) -> bytes:
    """The record of a task, with a reference in the place of its text."""
    return dump_record("task", encode(task) | {"spec": refer_spec(task.spec)})


def text_of(data: Mapping[str, Any]) -> Oid:
    """The blob of the text that a task's record, or an event about a new task, refers to; empty when it has none."""
    spec = data.get("spec")
    return str(spec.get("text", "")) if isinstance(spec, dict) else ""


def load_task(data: dict[str, Any], text: bytes | None) -> Task:
    """The task of a record; `text` None means that its text was erased."""
    return decode(Task, data | {"spec": complete_spec(data["spec"], text)})


def dump_problems(problems: tuple[Problem, ...]) -> bytes:
    """The present problems of input files."""
    return dump_record("problems", {"problems": problems})


def load_problems(content: bytes | None) -> tuple[Problem, ...]:
    """The problems of a record; none when there is no record."""
    return decode_all(Problem, load_record("problems", content)["problems"]) if content else ()


def dump_conflicts(conflicts: tuple[Conflict, ...]) -> bytes:
    """The conflicts that are predicted now."""
    return dump_record("conflicts", {"conflicts": conflicts})


def load_conflicts(content: bytes | None) -> tuple[Conflict, ...]:
    """The conflicts of a record; none when there is no record."""
    return decode_all(Conflict, load_record("conflicts", content)["conflicts"]) if content else ()


def dump_gone(tasks: Iterable[TaskId]) -> bytes:
    """The tasks whose landing main does not contain."""
    return dump_record("gone", {"tasks": sorted(tasks)})


def load_gone(content: bytes | None) -> frozenset[TaskId]:
    """The tasks of a record; none when there is no record."""
    return frozenset(load_record("gone", content)["tasks"]) if content else frozenset()


def decode_all(cls: type[T], items: list[Any]) -> tuple[T, ...]:
    """Many of one class."""
    return tuple(decode(cls, item) for item in items)


def refer_spec(spec: TaskSpec) -> dict[str, Any]:
    """A task's wish as a record has it: with a reference in the place of its text."""
    kept = {key: value for key, value in encode(spec).items() if key not in _TEXTS}
    return kept | {"text": blob_id(dump_text(spec))}


def complete_spec(data: dict[str, Any], text: bytes | None) -> dict[str, Any]:
    """The fields of a task's wish with its text in the place of the reference; `text` None: it was erased."""
    kept = {key: value for key, value in data.items() if key != "text"}
    said = load_record("text", text) if text is not None else {"title": ERASED_TITLE, "run": ERASED_RUN}
    return kept | said
