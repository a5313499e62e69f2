"""What may stand in a session file, key by key; from there to the nouns of the model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orchd.adapters.claim_entries import TaskEntries, sum_up
from orchd.adapters.field_checks import Slug, Strict, check_branch, check_repeats, check_session_gates
from orchd.adapters.gate_schema import GateEntry, to_gates
from orchd.adapters.save_schema import SaveText, to_schedule
from orchd.adapters.schema import MAX_PARALLEL, Needs, OwnTimeout, refuse_name, validate
from orchd.adapters.yaml_source import Kind, load_yaml
from orchd.model.claim import PathSpec
from orchd.model.ids import SessionId, is_slug
from orchd.model.limits import LIST_ITEMS, PRIORITY_MAX, PRIORITY_MIN
from orchd.model.problem import Problem
from orchd.model.session import Landing, SessionSpec, TaskDefaults

LANDINGS = Literal["auto", "manual", "on-complete"]


class DefaultsEntry(Strict):
    """What the tasks of a session get for keys that their own files do not set."""

    timeout: OwnTimeout = Field(default=None, description="As in a task file.", examples=["15m"])
    priority: Annotated[int, Field(ge=PRIORITY_MIN, le=PRIORITY_MAX)] = Field(
        default=0, description="As in a task file.", examples=[10]
    )
    claims: Annotated[TaskEntries, Field(min_length=1, max_length=LIST_ITEMS)] = Field(
        default=[], description="As in a task file.", examples=[["src/http/**"]]
    )
    after: Needs = Field(
        default=[], description="As in a task file. A task does not wait for itself.", examples=[["format-all"]]
    )
    labels: Annotated[list[Slug], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)] = Field(
        default=[], description="As in a task file.", examples=[["http"]]
    )
    noop: Literal["allowed", "refused"] = Field(default="refused", description="As in a task file.", examples=["allowed"])


class SessionFile(Strict):
    """A session of orchd. The name is that of the file: `.orch/sessions/<name>.yaml`."""

    landing: LANDINGS = Field(
        default="auto",
        description="When the work goes to main. `auto`: each task by itself, as soon as it is done. `manual`: when somebody "
        "says `orchd session land`. `on-complete`: by itself, once all tasks of the session have ended well.",
        examples=["manual"],
    )
    save: SaveText | None = Field(
        default=None,
        description="With `landing: auto`, when tasks that are done go to main: `auto`, `manual` or a time, as in the "
        "configuration, which holds by default.",
        examples=["every 2h"],
    )
    base: Annotated[str, AfterValidator(check_branch)] = Field(
        default="",
        description="Where its tasks start instead of main: a branch, a tag, a checkpoint or a commit, as it is when the "
        "session begins. Main must contain it before the session lands.",
        examples=["checkpoint/2026-01-31-007"],
    )
    parallel: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] | None = Field(
        default=None, description="How many of its tasks run at the same time. Default: no limit of its own.", examples=[1]
    )
    gates: Annotated[list[GateEntry], Field(max_length=LIST_ITEMS), AfterValidator(check_session_gates)] = Field(
        default=[],
        description="Commands that must pass too, after the gates of the configuration, which always hold.",
        examples=[[{"name": "slow", "run": "make slow-test"}]],
    )
    defaults: DefaultsEntry = Field(
        default=DefaultsEntry(), description="What its tasks get for keys that their own files do not set."
    )


def parse_session(path: str, name: SessionId, content: bytes) -> SessionSpec | tuple[Problem, ...]:
    """The session that a file describes (an empty one is all defaults), or what is wrong with it."""
    if not is_slug(name):
        return (refuse_name(path, name, "a session"),)
    document = load_yaml(path, content)
    if isinstance(document, Problem):
        return (document,)
    if document.root.kind is Kind.NOTHING:
        return SessionSpec(name)
    read = validate(document, SessionFile, "landing: manual")
    return read if isinstance(read, tuple) else _to_spec(name, read)


def find_base(path: str, content: bytes, message: str, hint: str) -> Problem:
    """What is wrong with the `base` of a good file, at its place."""
    document = load_yaml(path, content)
    if isinstance(document, Problem):
        return document
    return document.problem(document.root.entries["base"][1].span, "E070", message, hint)


def _to_spec(name: SessionId, file: SessionFile) -> SessionSpec:
    return SessionSpec(
        name,
        Landing(file.landing),
        file.base,
        file.parallel or 0,
        to_gates(file.gates),
        _to_defaults(file.defaults),
        None if file.save is None else to_schedule(file.save),
    )


def _to_defaults(entry: DefaultsEntry) -> TaskDefaults:
    said = entry.model_fields_set
    claimed = sum_up(entry.claims)
    return TaskDefaults(
        timeout_seconds=entry.timeout,
        priority=entry.priority if "priority" in said else None,
        claims=(claimed.paths or (PathSpec("**"),)) if entry.claims else None,
        after=tuple(entry.after) if "after" in said else None,
        labels=tuple(entry.labels) if "labels" in said else None,
        noop=entry.noop == "allowed" if "noop" in said else None,
        resources=claimed.resources,
        ports=claimed.ports,
        numbers=claimed.numbers,
    )
