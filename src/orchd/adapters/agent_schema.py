"""What may stand in the definition of an agent, key by key; from there to the nouns of the model.

A definition is a Markdown file whose front matter says how the agent runs; the text below is what it is told each time.
"""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema

from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.field_checks import Slug, Strict, check_model_name, check_repeats, check_title, check_variable, fault
from orchd.adapters.schema import refuse_name, validate
from orchd.adapters.yaml_source import Document, Kind, Span, load_yaml, make_problem, shorten
from orchd.model.agent import AUTO, MICROS, Definition, Effort, Job, Permit, Rule, Tool
from orchd.model.ids import is_slug
from orchd.model.limits import (
    AGENT_TOKENS,
    AGENT_TURNS,
    BUDGET_DOLLARS,
    LIST_ITEMS,
    NAME_CHARACTERS,
    PROPOSALS,
    VALUE_CHARACTERS,
)
from orchd.model.problem import Problem
from orchd.model.work import SHELL

RUNNERS = tuple(name for name in PROGRAMS if name != SHELL)
"""The programs that can work on a goal."""

MARK = "---"
_RULE = re.compile(r"(allow|deny) (read|edit|shell|web|delegate)(?:\(([^()\x00-\x1f]+)\))?")


def check_rule(text: object) -> Rule:
    """A rule like `allow edit(src/**)`."""
    found = _RULE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise fault("bad_rule", "this is no rule")
    return Rule(Permit(found[1]), Tool(found[2]), found[3] or "*")


def check_runner(name: str) -> str:
    """A program that orchd knows."""
    if name not in RUNNERS:
        raise fault("bad_runner", f"orchd knows no program `{shorten(name)}`, but {', '.join(RUNNERS)}")
    return name


def check_own_name(name: str, info: ValidationInfo) -> str:
    """That of the file, which comes as context."""
    own = (info.context or {}).get("id")
    if name != own:
        raise fault("bad_own_name", f"the file gives the name `{own}`")
    return name


def _spell_model(value: object) -> object:
    return {"default": value} if isinstance(value, str) else value


Model: TypeAlias = Annotated[str, Field(max_length=NAME_CHARACTERS), AfterValidator(check_model_name)]
RuleLine: TypeAlias = Annotated[
    Rule, PlainValidator(check_rule), WithJsonSchema({"type": "string", "pattern": f"^{_RULE.pattern}$"})
]


class ModelEntry(Strict):
    """Which model is used; a bare text is short for `{default: <text>}`."""

    default: Model = Field(default="", description="For tasks that do not say how hard it is to think.", examples=["sonnet"])
    low: Model = Field(default="", description="For `effort: low`.", examples=["haiku"])
    medium: Model = Field(default="", description="For `effort: medium`.", examples=["sonnet"])
    high: Model = Field(default="", description="For `effort: high`.", examples=["opus"])


class AgentLimits(Strict):
    """What one attempt of the agent may take."""

    turns: Annotated[int, Field(ge=1, le=AGENT_TURNS)] | None = Field(
        default=None, description="Turns of the conversation, where its program can be told. Default: no limit.", examples=[50]
    )
    dollars: Annotated[float, Field(gt=0, le=BUDGET_DOLLARS, strict=False)] | None = Field(
        default=None,
        description="US dollars. It is ended after the answer with which they are used up (docs/costs.md; by the "
        "price of its model, when its program tells no money). Default: no limit.",
        examples=[2.5],
    )
    tokens: Annotated[int, Field(ge=1, le=AGENT_TOKENS)] | None = Field(
        default=None,
        description="Tokens in and out, cached ones too. It is ended after the answer with which they are used up; an "
        "attempt that fails after nine tenths had too few. Default: no limit.",
        examples=[400_000],
    )
    proposals: Annotated[int, Field(ge=0, le=PROPOSALS)] | None = Field(
        default=None,
        description="How many tasks each of its tasks may propose. Default: as the configuration says.",
        examples=[5],
    )


class AgentFile(Strict):
    """An agent of orchd. The name is that of the file: `.orch/agents/<name>.md`."""

    name: Annotated[Slug, AfterValidator(check_own_name)] = Field(
        default="", description="The name, if you want to repeat it; it is that of the file.", examples=["implementer"]
    )
    description: Annotated[str, Field(max_length=VALUE_CHARACTERS), AfterValidator(check_title)] = Field(
        description="What it is good for, in one line.", examples=["Writes code and its tests"]
    )
    runner: Annotated[Slug, AfterValidator(check_runner)] = Field(
        description=f"The program that does the work: {', '.join(RUNNERS)}.", examples=["claude"]
    )
    model: Annotated[
        ModelEntry,
        BeforeValidator(_spell_model),
        WithJsonSchema({"anyOf": [{"type": "string"}, ModelEntry.model_json_schema()]}),
    ] = Field(
        default=ModelEntry(),
        description="The model that it uses, in the words of its program, or one for each effort. Default: the program's "
        "choice. What a task says goes before.",
        examples=["sonnet"],
    )
    provider: Slug = Field(
        default="",
        description="Whose service it uses, for the limits in the configuration's `providers`.",
        examples=["anthropic"],
    )
    capabilities: Annotated[list[Slug], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)] = Field(
        default=[],
        description="Words for what it can do. `agent: auto` takes the one that has the most of the task's `labels`.",
        examples=[["python", "docs"]],
    )
    rules: Annotated[list[RuleLine], Field(max_length=LIST_ITEMS)] = Field(
        default=[],
        description="What it may do, as `allow TOOL` or `deny TOOL`, with a glob of paths or command lines in parentheses "
        "where not everything is meant. Tools: read, edit, shell, web, delegate (agents of its own). The last rule that fits "
        "decides; before the first one everything is denied.",
        examples=[["allow read", "allow edit(src/**)"]],
    )
    keys: Annotated[
        list[Annotated[str, AfterValidator(check_variable)]], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)
    ] = Field(
        default=[],
        description="Names of environment variables that this agent gets from orchd's own, and nobody else. What its program "
        "signs in with it gets anyway.",
        examples=[["ANTHROPIC_BASE_URL"]],
    )
    limits: AgentLimits = Field(default=AgentLimits(), description="What one attempt may take.")


def parse_agent(path: str, name: str, content: bytes) -> Definition | tuple[Problem, ...]:
    """The agent that a file describes, or what is wrong with it. `path` is shown, `name` is what the file's name gives."""
    if not is_slug(name) or name in (AUTO, SHELL):
        return (_refuse_name(path, name),)
    front, instructions = split_front(content)
    if front is None:
        hint = f"begin the file with a line `{MARK}`, the keys, and another line `{MARK}`"
        return (
            make_problem(path, content.decode("utf-8", "replace").splitlines(), Span(1, 1), "E084", "no front matter", hint),
        )
    document = load_yaml(path, front)
    if isinstance(document, Problem):
        return (document,)
    if document.root.kind is Kind.NOTHING:
        return (document.problem(Span(1, 1), "E006", "the front matter is empty", "it needs `description:` and `runner:`"),)
    read = validate(document, AgentFile, "runner: claude", name)
    return read if isinstance(read, tuple) else _to_definition(document, read, name, instructions)


def split_front(content: bytes) -> tuple[bytes | None, bytes]:
    """The front matter, with an empty line in the place of its mark so that line numbers stay, and the text below. None:
    there is none."""
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    marks = [at for at, line in enumerate(lines) if line.rstrip() == MARK.encode()]
    if len(marks) < 2 or marks[0] != 0:
        return None, content
    return b"\n".join((b"", *lines[1 : marks[1]], b"")), b"\n".join(lines[marks[1] + 1 :])


def _refuse_name(path: str, name: str) -> Problem:
    if is_slug(name):
        return Problem(path, 0, 0, "E005", f"`{name}` means something else as an agent", "give the file another name")
    return refuse_name(path, name, "an agent", ".md")


def _to_definition(document: Document, file: AgentFile, name: str, instructions: bytes) -> Definition | tuple[Problem, ...]:
    try:
        text = check_text(instructions)
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8"
        return (document.problem(Span(1, 1), "E003", f"this is not UTF-8 (byte 0x{instructions[error.start]:02x})", hint),)
    efforts = {effort: str(getattr(file.model, effort)) for effort in Effort}
    rules = tuple(file.rules)
    return Definition(
        name,
        file.runner,
        file.description,
        file.model.default,
        tuple((effort, model) for effort, model in efforts.items() if model),
        file.provider,
        tuple(file.capabilities),
        rules,
        file.limits.turns or 0,
        int((file.limits.dollars or 0) * MICROS),
        text,
        tuple(file.keys),
        file.limits.tokens or 0,
        file.limits.proposals,
        PROGRAMS[file.runner].objection(Job(file.runner, "", rules=rules)),
    )


def check_text(content: bytes) -> str:
    """The instructions without the space around them. Raises UnicodeDecodeError."""
    return content.decode("utf-8").replace("\r\n", "\n").strip()
