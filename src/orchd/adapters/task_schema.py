"""What may stand in a task file, key by key; from there to the nouns of the model.

Rule: a task is a shell command (`run`) or a text for an agent (`goal`), never both, and the keys that only an agent can make
something of need a goal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from orchd.adapters import codec
from orchd.adapters.claim_entries import PathEntry, TaskEntries, sum_up
from orchd.adapters.field_checks import (
    Slug,
    Strict,
    check_blank,
    check_model_name,
    check_path,
    check_repeats,
    check_title,
    fault,
)
from orchd.adapters.gate_schema import Command
from orchd.adapters.schema import Needs, OwnTimeout, refuse_name, validate
from orchd.adapters.yaml_source import Document, Kind, load_yaml
from orchd.model.agent import AUTO, Effort
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import DEFAULT_SESSION, SLUG, TaskId, is_slug
from orchd.model.limits import (
    COMMAND_BYTES,
    FALLBACKS,
    LIST_ITEMS,
    NAME_CHARACTERS,
    PRIORITY_MAX,
    PRIORITY_MIN,
    SUB_STEPS,
    TASK_TIMEOUT_SECONDS,
    TITLE_CHARS,
    VALUE_CHARACTERS,
)
from orchd.model.problem import Problem
from orchd.model.recovery import Part
from orchd.model.snapshot import Mention
from orchd.model.work import SHELL, Step, TaskSpec


def check_goal(goal: str, info: ValidationInfo) -> str:
    """Exactly one of `run` and `steps`, which stand before it in the model, and `goal`."""
    if "run" in info.data and "steps" in info.data:
        _check_one({"run": info.data["run"], "steps": info.data["steps"], "goal": goal}, "no_work")
    return check_length(goal)


def check_step_goal(goal: str, info: ValidationInfo) -> str:
    """Exactly one of `run`, which stands before it in the model, and `goal`."""
    if "run" in info.data:
        _check_one({"run": info.data["run"], "goal": goal}, "no_step_work")
    return check_length(goal)


def _check_one(works: Mapping[str, object], lacking: str) -> None:
    said = [f"`{name}`" for name, value in works.items() if value]
    if not said:
        names = [f"`{name}`" for name in works]
        raise fault(lacking, f"none of {', '.join(names[:-1])} and {names[-1]} is there")
    if len(said) > 1:
        raise fault("two_works", f"{' and '.join(said)} together")


def check_length(goal: str) -> str:
    """Words for an agent, not a whole file."""
    if len(goal.encode()) > COMMAND_BYTES:
        raise fault("goal_too_long", f"the goal is longer than {COMMAND_BYTES} bytes")
    return goal and check_blank(goal)


def check_steps(steps: list[StepEntry]) -> list[StepEntry]:
    """Steps with names of their own."""
    check_repeats([step.name for step in steps])
    return steps


def check_for_agent(value: Any, info: ValidationInfo) -> Any:
    """Only an agent can make something of it."""
    if "goal" in info.data and not _is_for_agent(info):
        raise fault("needs_goal", f"`{info.field_name}` is for an agent, and this task is a command")
    return value


def _is_for_agent(info: ValidationInfo) -> bool:
    """Whether there is a goal, of the task or of a step."""
    steps = info.data.get("steps") or ()
    return bool(info.data.get("goal")) or any(getattr(step, "goal", "") for step in steps)


def check_agents(names: list[str], info: ValidationInfo) -> list[str]:
    """A chain in which whoever can do anything comes last, and one name where a command does the work."""
    if _is_for_agent(info) and SHELL in names:
        raise fault("shell_goal", "a shell cannot work on a goal", names.index(SHELL))
    if "goal" in info.data and not _is_for_agent(info) and len(names) > 1:
        raise fault("no_chain", "a command has no second agent", 1)
    if AUTO in names[:-1]:
        raise fault("auto_first", f"`{AUTO}` is any agent, so nothing can come after it", names.index(AUTO))
    return check_repeats(names)


def _spell_chain(value: object) -> object:
    return value if isinstance(value, list) else [value]


_NAME = {"type": "string", "pattern": f"^{SLUG.pattern}$"}
Chain: TypeAlias = Annotated[
    list[Slug],
    Field(min_length=1, max_length=FALLBACKS),
    BeforeValidator(_spell_chain),
    AfterValidator(check_agents),
    WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME, "minItems": 1, "maxItems": FALLBACKS}]}),
]
Line: TypeAlias = Annotated[str, Field(max_length=VALUE_CHARACTERS), AfterValidator(check_title)]


def check_parts(parts: list[PartEntry], info: ValidationInfo) -> list[PartEntry]:
    """Parts of a goal, with names of their own."""
    if "goal" in info.data and not info.data["goal"]:
        raise fault("needs_goal", f"`{info.field_name}` are parts of a goal, and there is none")
    check_repeats([part.name for part in parts])
    return parts


class PartEntry(Strict):
    """A part of a goal."""

    name: Slug = Field(description="What the part is called; it becomes a step of this name.", examples=["parser"])
    goal: Annotated[str, Field(min_length=1), AfterValidator(check_length)] = Field(
        description="What is to be achieved in it.", examples=["Write the parser and its tests"]
    )


Parts: TypeAlias = Annotated[list[PartEntry], Field(min_length=2, max_length=SUB_STEPS), AfterValidator(check_parts)]


class StepEntry(Strict):
    """A step of a task."""

    name: Slug = Field(description="What the step is called, for `--from` and in what is shown.", examples=["format"])
    run: Command = Field(default="", description="Its shell command.", examples=["ruff format ."])
    goal: Annotated[str, AfterValidator(check_step_goal)] = Field(
        default="",
        validate_default=True,
        description="In the place of `run`: what the agent of the task is to achieve in this step.",
        examples=["Write the tests first"],
    )
    acceptance: Annotated[list[Line], Field(max_length=LIST_ITEMS), AfterValidator(check_for_agent)] = Field(
        default=[], description="What must be true after the step, one line each, for its agent.", examples=[["they fail"]]
    )
    optional: bool = Field(
        default=False,
        description="Whether the task goes on without the step, with a warning, when it cannot be done: a command that fails, "
        "an agent that does for no reason that is known.",
        examples=[True],
    )
    parts: Parts = Field(default=[], description="What its goal is divided into when it is too large for an agent.")


class TaskFile(Strict):
    """A task of orchd. The id is the name of the file: `.orch/tasks/<id>.yaml`."""

    title: Annotated[str, Field(max_length=TITLE_CHARS), AfterValidator(check_title)] = Field(
        description="What the task is about, in one line. It becomes the subject of the commit.",
        examples=["Add retry to the HTTP client"],
    )
    run: Command = Field(
        default="",
        description="The shell command that does the work, in a workspace of its own at the root of the repository. What it "
        "changed is committed when it ends with exit code 0. Several lines: begin with `|`. A task has one of `run`, `steps` "
        "and `goal`.",
        examples=["ruff check --fix src"],
    )
    steps: Annotated[list[StepEntry], Field(max_length=LIST_ITEMS), AfterValidator(check_steps)] = Field(
        default=[],
        description="Instead of `run`: several commands (`run`) or goals for the agent of the task (`goal`), one after the "
        "other in one workspace. At the end of each step what was changed until then is committed; `orchd retry TASK --from "
        "STEP` goes on from there. `timeout` is that of each.",
        examples=[[{"name": "generate", "run": "make api"}, {"name": "describe", "goal": "Document what has changed"}]],
    )
    goal: Annotated[str, AfterValidator(check_goal)] = Field(
        default="",
        validate_default=True,
        description="What an agent is to achieve, in words. It works in the same kind of workspace, and is told what it may "
        "change, what others do meanwhile, and what is checked.",
        examples=["Retry idempotent requests of the HTTP client, with backoff"],
    )
    acceptance: Annotated[list[Line], Field(max_length=LIST_ITEMS), AfterValidator(check_for_agent)] = Field(
        default=[],
        description="What must be true in the end, one line each. The agent is told them; what is checked are the gates.",
        examples=[["GET is tried three times", "POST is tried once"]],
    )
    parts: Parts = Field(
        default=[],
        description="What the goal is divided into when it is too large for an agent: steps, in this order. Without them the "
        "agent may propose some.",
        examples=[[{"name": "lexer", "goal": "Write the lexer"}, {"name": "parser", "goal": "Write the parser"}]],
    )
    model: Annotated[
        str, Field(max_length=NAME_CHARACTERS), AfterValidator(check_model_name), AfterValidator(check_for_agent)
    ] = Field(
        default="",
        description="The model that the agent is to use, in the words of its program. Default: that of its definition, "
        "else the program's own.",
        examples=["sonnet"],
    )
    effort: Annotated[Literal["low", "medium", "high"] | None, AfterValidator(check_for_agent)] = Field(
        default=None,
        description="How hard the agent is to think, and how much it is told about the surroundings. Default: its definition's "
        "`model`, and a medium prompt.",
        examples=["high"],
    )
    evidence: Annotated[
        list[Annotated[str, AfterValidator(check_path)]], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)
    ] = Field(
        default=[],
        description="Files or folders that must exist in the result, or the task has failed.",
        examples=[["docs/retry.md"]],
    )
    session: Slug = Field(
        default=DEFAULT_SESSION,
        description="The session the task belongs to; each has an integration branch.",
        examples=["http"],
    )
    needs: Needs = Field(
        default=[], description="Tasks that must have landed before this one starts.", examples=[["http-client-tests", "lint"]]
    )
    after: Needs = Field(
        default=[], description="Tasks that must have ended before this one starts, well or badly.", examples=[["format-all"]]
    )
    claims: Annotated[TaskEntries, Field(min_length=1, max_length=LIST_ITEMS)] = Field(
        default=[PathEntry(path="**")],
        description="What the task may change, and what else it needs for itself. Tasks whose claims overlap run one after "
        "the other; a change outside of them is refused. `*` and `?` stay within a segment, `**` is any number of segments, "
        "`src/` is `src/**`. Without an entry for paths it may change everything.",
        examples=[["src/http/**", {"path": "CHANGES.md", "mode": "append"}, {"resource": "staging-db"}]],
    )
    priority: Annotated[int, Field(ge=PRIORITY_MIN, le=PRIORITY_MAX)] = Field(
        default=0, description="Higher starts earlier when several tasks could.", examples=[10]
    )
    timeout: OwnTimeout = Field(
        default=None,
        description="The wall-clock limit: seconds, or a text like `90s`, `15m`, `2h`, `1d`. Default: the configuration's "
        "`timeout`.",
        examples=["15m"],
    )
    noop: Literal["allowed", "refused"] = Field(
        default="refused", description="Whether the task may end well without having changed anything.", examples=["allowed"]
    )
    optional: bool = Field(
        default=False,
        description="Whether tasks that need this one start without it, with a warning, when it has failed.",
        examples=[True],
    )
    labels: Annotated[list[Slug], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)] = Field(
        default=[], description="Words to find the task by.", examples=[["http", "quick"]]
    )
    group: Slug = Field(
        default="",
        description="Tasks of one group share its limit in the configuration's `groups`. Default: none.",
        examples=["migrations"],
    )
    agent: Chain = Field(
        default=[],
        description="Who works on the goal: the name of a definition (`.orch/agents/<name>.md`) or of a program, or `auto` for "
        "whichever is installed; a list: the next one when one cannot do it. Default with `goal`: `auto`. With `run` it is a "
        "name for the limits in the configuration's `agents` and `providers`, by default `shell`.",
        examples=["implementer"],
    )


@dataclass(frozen=True, slots=True)
class ParsedTask:
    """A task file by itself. `own` are the keys that it sets; the others are filled in from its session and the configuration.

    `digest` identifies what the file says (not how), so it does not depend on the configuration.
    """

    spec: TaskSpec
    digest: str
    own: tuple[str, ...]
    mentions: tuple[Mention, ...]
    named: tuple[Mention, ...]


def parse_task(path: str, task: TaskId, content: bytes) -> ParsedTask | tuple[Problem, ...]:
    """The task that a file describes, or what is wrong with it. `path` is shown, `task` is the id its name gives."""
    if not is_slug(task):
        return (refuse_name(path, task, "a task"),)
    document = load_yaml(path, content)
    if isinstance(document, Problem):
        return (document,)
    if document.root.kind is Kind.NOTHING:
        hint = "a task needs at least `title:`, and `run:`, `steps:` or `goal:`"
        return (document.problem(document.root.span, "E006", "the file is empty", hint),)
    read = validate(document, TaskFile, "title: ...", task)
    return read if isinstance(read, tuple) else _parsed(document, read, task)


def _parsed(document: Document, file: TaskFile, task: TaskId) -> ParsedTask:
    claimed = sum_up(file.claims)
    timed = {} if file.timeout is None else {"timeout_seconds": file.timeout}
    spec = TaskSpec(
        id=task,
        title=file.title,
        run=file.run,
        session=file.session,
        needs=tuple(file.needs),
        after=tuple(file.after),
        claims=claimed.paths or (PathSpec("**"),),
        priority=file.priority,
        noop=file.noop == "allowed",
        optional=file.optional,
        labels=tuple(file.labels),
        group=file.group,
        agent=(file.agent or ([AUTO] if file.goal or any(step.goal for step in file.steps) else [SHELL]))[0],
        goal=file.goal,
        steps=tuple(map(_step_of, file.steps)),
        parts=_parts_of(file.parts),
        acceptance=tuple(file.acceptance),
        fallbacks=tuple(file.agent[1:]),
        model=file.model,
        effort=Effort(file.effort) if file.effort else None,
        evidence=tuple(file.evidence),
        timeout_seconds=TASK_TIMEOUT_SECONDS if file.timeout is None else file.timeout,
        resources=claimed.resources,
        ports=claimed.ports,
        numbers=claimed.numbers,
    )
    digest = hashlib.sha256(codec.dumps(codec.encode(spec) | timed)).hexdigest()
    return ParsedTask(spec, digest, tuple(sorted(file.model_fields_set)), *_mentions(document))


def _step_of(entry: StepEntry) -> Step:
    return Step(entry.name, entry.run, entry.goal, tuple(entry.acceptance), entry.optional, _parts_of(entry.parts))


def _parts_of(entries: list[PartEntry]) -> tuple[Part, ...]:
    return tuple(Part(part.name, part.goal) for part in entries)


def _mentions(document: Document) -> tuple[tuple[Mention, ...], tuple[Mention, ...]]:
    """Where tasks are named, and where agents are."""
    return tuple(_mention(document, "needs", "after")), tuple(_mention(document, "agent"))


def _mention(document: Document, *keys: str) -> Iterator[Mention]:
    for key in keys:
        node = document.root.entries[key][1] if key in document.root.entries else None
        for item in (node.items or (node,)) if node else ():
            yield Mention(str(item.value), item.span.line, item.span.column, document.excerpt(item.span.line))
