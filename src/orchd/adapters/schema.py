"""What may stand in a task file and in the configuration, key by key; from there to the nouns of the model.

Editors' schemas and the reference in `docs/` are made from these two models, so a key exists in all places or in none.
Rule: strict types. YAML guesses (`08`, `true`, `2026-01-31`); orchd does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)

from orchd.adapters.claim_entries import FORMS, sum_up
from orchd.adapters.conflicts_schema import ConflictsEntry, to_resolving
from orchd.adapters.cost_schema import CapsEntry, PriceEntry, Prices, to_caps, to_prices
from orchd.adapters.environment_schema import ENVIRONMENTS_FIELD, EnvironmentEntry, Environments, to_environments
from orchd.adapters.field_checks import (
    BYTES,
    DURATION,
    PORT_RANGE,
    SECONDS,
    SIZE,
    Glob,
    Slug,
    Strict,
    check_branch,
    check_gates,
    check_needs,
    check_port_range,
    check_repeats,
    check_variable,
    measured,
)
from orchd.adapters.gate_schema import GateEntry, Timeout, to_gates
from orchd.adapters.mistakes import explain_mistakes, find_folded_commands
from orchd.adapters.reservation_schema import ReservationFile
from orchd.adapters.save_schema import SAVE_FIELD, SaveText, to_schedule
from orchd.adapters.yaml_source import UNSPACED, Document, Kind, load_yaml, shorten
from orchd.core.inert import inert
from orchd.model.agent import Clocks
from orchd.model.claim import Reservation
from orchd.model.config import Agent, Config, Slots
from orchd.model.ids import TaskId, is_slug
from orchd.model.limits import (
    CHANGED_FILES,
    DRAIN_SECONDS,
    FILE_BYTES,
    FIRST_PORT,
    FREE_DISK_BYTES,
    FREE_MEMORY_BYTES,
    GATES_AT_ONCE,
    KILL_GRACE_SECONDS,
    LAST_PORT,
    LIST_ITEMS,
    MAX_TIMEOUT_SECONDS,
    PARALLEL_TASKS,
    PROGRESS_SECONDS,
    PROPOSAL_DEPTH,
    PROPOSALS,
    REPEATED_CALLS,
    SILENCE_SECONDS,
    TAKEOVER_SECONDS,
    TASK_TIMEOUT_SECONDS,
    WAIT_SECONDS,
)
from orchd.model.number import NumberKind
from orchd.model.problem import Problem

MAX_PARALLEL = 64

OwnTimeout: TypeAlias = Annotated[float | None, *measured(DURATION, SECONDS, "bad_duration", 0.1, MAX_TIMEOUT_SECONDS)]
"""None stands for a missing key only: the check replaces that of the type, and nothing is no duration."""
Grace: TypeAlias = Annotated[float, *measured(DURATION, SECONDS, "bad_duration", 0, MAX_TIMEOUT_SECONDS)]
PortRange: TypeAlias = Annotated[
    tuple[int, int], PlainValidator(check_port_range), WithJsonSchema({"type": "string", "pattern": f"^{PORT_RANGE.pattern}$"})
]
Takeover: TypeAlias = Annotated[float, *measured(DURATION, SECONDS, "bad_duration", 1, MAX_TIMEOUT_SECONDS)]
Size: TypeAlias = Annotated[float, *measured(SIZE, BYTES, "bad_size", 1, 2**40)]
Free: TypeAlias = Annotated[float, *measured(SIZE, BYTES, "bad_size", 0, 2**50)]
OwnSize: TypeAlias = Annotated[float | None, *measured(SIZE, BYTES, "bad_size", 1, 2**50)]


Limits: TypeAlias = Annotated[dict[Slug, Annotated[int, Field(ge=1, le=MAX_PARALLEL)]], Field(max_length=LIST_ITEMS)]
Needs: TypeAlias = Annotated[list[Slug], Field(max_length=LIST_ITEMS), AfterValidator(check_needs)]


class AgentEntry(Strict):
    """One agent of `agents`."""

    parallel: Annotated[int | None, Field(ge=1, le=MAX_PARALLEL)] = Field(
        default=None, description="Its tasks that run at the same time. Default: no limit of its own.", examples=[2]
    )
    provider: Slug = Field(
        default="", description="Whose service it uses; agents of one provider share its limit.", examples=["anthropic"]
    )


class LimitsEntry(Strict):
    """What a task's result may be at most, what the machine must have before a task starts, and when an agent is ended."""

    changed_files: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=CHANGED_FILES, description="Paths that one task may change.", examples=[5000]
    )
    file_size: Size = Field(
        default=FILE_BYTES,
        description="The largest file a task may add: bytes, or a text like `500KiB`, `5MiB`.",
        examples=["5MiB"],
    )
    free_disk: Free = Field(
        default=FREE_DISK_BYTES,
        description="Nothing starts while the disk of the workspaces has less free. 0: no limit.",
        examples=["2GiB"],
    )
    free_memory: Free = Field(
        default=FREE_MEMORY_BYTES,
        description="Nothing starts while less memory is free. 0: no limit.",
        examples=["1GiB"],
    )
    workspaces: Annotated[int | None, Field(ge=1, le=100_000)] = Field(
        default=None,
        description="Workspaces on disk, with those of gates and those that are kept because their work could not be taken. "
        "Default: no limit.",
        examples=[50],
    )
    workspace_bytes: OwnSize = Field(
        default=None,
        description="What all workspaces together may take before another one is made; measured every half minute. Default: "
        "no limit.",
        examples=["20GiB"],
    )
    silence: Timeout = Field(
        default=SILENCE_SECONDS,
        description="How long an agent may print nothing while its tools do not compute. Then it is ended.",
        examples=["5m"],
    )
    progress: Timeout = Field(
        default=PROGRESS_SECONDS,
        description="How long an agent may go on without a new call of a tool, while its tools do not compute.",
        examples=["15m"],
    )
    repeats: Annotated[int, Field(ge=2, le=1000)] = Field(
        default=REPEATED_CALLS,
        description="An agent that makes the same call so many times in a row is ended.",
        examples=[10],
    )
    wait: Grace = Field(
        default=WAIT_SECONDS,
        description="How long `orchd run` waits for a provider that has told when it can be asked again. What waits longer is "
        "told, and the run ends.",
        examples=["15m"],
    )
    proposals: Annotated[int, Field(ge=0, le=PROPOSALS)] = Field(
        default=0,
        description="How many tasks one task may propose in its control folder ([agents](agents.md#proposing-tasks)). The "
        "definition of its agent goes before.",
        examples=[5],
    )
    proposal_depth: Annotated[int, Field(ge=1, le=PROPOSAL_DEPTH)] = Field(
        default=1,
        description="1: proposed tasks propose none themselves; 2: they may, but what those propose may not.",
        examples=[1],
    )


class NumbersEntry(Strict):
    """Where the numbers of a kind stand."""

    paths: Annotated[list[Glob], Field(min_length=1, max_length=LIST_ITEMS)] = Field(
        description="Globs of the files whose names begin with the numbers, like `0042_add.py` or `V7__users.sql`.",
        examples=[["db/migrations/*"]],
    )


class ConfigFile(Strict):
    """The configuration of orchd in this repository. Everything works without it."""

    branch: Annotated[str, AfterValidator(check_branch)] = Field(
        default="",
        description="The branch that tasks land on. Default: `main`, else `master`, else the one that HEAD names.",
        examples=["main"],
    )
    parallel: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = Field(
        default=PARALLEL_TASKS, description="Tasks that run at the same time.", examples=[4]
    )
    groups: Limits = Field(
        default={},
        description="Tasks of each group that run at the same time. A group that is not named here has no limit of its own.",
        examples=[{"migrations": 1}],
    )
    agents: Annotated[dict[Slug, AgentEntry], Field(max_length=LIST_ITEMS)] = Field(
        default={},
        description="Limits of agents (`agent` of a task). One that is not named here has none.",
        examples=[{"claude": {"parallel": 2, "provider": "anthropic"}}],
    )
    providers: Limits = Field(
        default={},
        description="Tasks of all agents of each provider that run at the same time.",
        examples=[{"anthropic": 3}],
    )
    numbers: Annotated[dict[Slug, NumbersEntry], Field(max_length=LIST_ITEMS)] = Field(
        default={},
        description="Kinds of numbers of which a task can claim the next one. One that is not named here, like `migration`, is "
        "looked for in the folders `migrations` and `migration`.",
        examples=[{"migration": {"paths": ["db/migrations/*"]}}],
    )
    timeout: Timeout = Field(
        default=TASK_TIMEOUT_SECONDS, description="The wall-clock limit of tasks that do not set their own.", examples=["1h"]
    )
    drain: Grace = Field(
        default=DRAIN_SECONDS,
        description="How long a stopping daemon waits for running tasks; the rest is adopted later.",
        examples=["30s"],
    )
    kill_grace: Grace = Field(
        default=KILL_GRACE_SECONDS, description="From TERM to KILL when a task is stopped.", examples=["15s"]
    )
    ports: PortRange = Field(
        default=(FIRST_PORT, LAST_PORT),
        description="The first and the last TCP port that tasks are given which ask for one.",
        examples=["20000-20999"],
    )
    limits: LimitsEntry = Field(
        default=LimitsEntry(), description="What a task's result may be at most, and what the machine must have."
    )
    env: Annotated[
        list[Annotated[str, AfterValidator(check_variable)]], Field(max_length=LIST_ITEMS), AfterValidator(check_repeats)
    ] = Field(
        default=[],
        description="Names of environment variables that tasks and gates get from orchd's own. Not the keys that an agent "
        "program signs in with: those reach their program only, without being named.",
        examples=[["CI"]],
    )
    gates: Annotated[list[GateEntry], Field(max_length=LIST_ITEMS), AfterValidator(check_gates)] = Field(
        default=[],
        description="Commands that must pass on the merged tree before main moves to it, in this order.",
        examples=[[{"name": "tests", "run": "make test", "timeout": "10m"}]],
    )
    gates_at_once: Annotated[int, Field(ge=1, le=MAX_PARALLEL)] = Field(
        default=GATES_AT_ONCE,
        description="Trees of one save that are gated at the same time while the culprit is searched. 1, when gates would be "
        "in each other's way (one database, one port).",
        examples=[1],
    )
    save: SaveText = SAVE_FIELD
    environments: Environments = ENVIRONMENTS_FIELD
    conflicts: ConflictsEntry = Field(default=ConflictsEntry(), description="Which conflicts need nobody.")
    prices: Prices = Field(
        default={},
        description="What models cost whose programs tell no money. A name that ends in `*` is for all that begin so.",
        examples=[{"gpt-*": {"input": 1.25, "cached": 0.125, "output": 10.0, "as_of": "2026-11-27"}}],
    )
    caps: CapsEntry = Field(default=CapsEntry(), description="The most that agents may cost.")
    remote: Annotated[str, AfterValidator(check_branch)] = Field(
        default="",
        description="The git remote that several clones share, each with an orchd of its own. Without it this clone is alone. "
        "Read at the start.",
        examples=["origin"],
    )
    takeover: Takeover = Field(
        default=TAKEOVER_SECONDS,
        description="With `remote`: how long the owner of a session may show no sign of life before another clone takes over.",
        examples=["60s"],
    )


def parse_config(path: str, content: bytes) -> Config | tuple[Problem, ...]:
    """The configuration in a file (an empty one is all defaults), or what is wrong with it."""
    document = load_yaml(path, content)
    if isinstance(document, Problem):
        return (document,)
    if document.root.kind is Kind.NOTHING:
        return Config()
    read = validate(document, ConfigFile, "parallel: 4")
    return read if isinstance(read, tuple) else _config(read)


def parse_reservation(path: str, content: bytes, changed_ms: int) -> Reservation | tuple[Problem, ...]:
    """The claim of a person in a file, or what is wrong with it. `changed_ms`: when it was written; 0: nobody knows."""
    document = load_yaml(path, content)
    if isinstance(document, Problem):
        return (document,)
    if document.root.kind is Kind.NOTHING:
        return (document.problem(document.root.span, "E006", "the file is empty", "it needs at least `claims:`"),)
    read = validate(document, ReservationFile, "claims: [src/**]")
    return read if isinstance(read, tuple) else _reservation(document, read, changed_ms)


def _reservation(document: Document, file: ReservationFile, changed_ms: int) -> Reservation | tuple[Problem, ...]:
    entries = document.root.entries
    if file.lasts is not None and (file.until is not None or not changed_ms):
        both = (
            "`until` and `for` together" if file.until is not None else "`for` does not work here: git keeps no time of a file"
        )
        return (document.problem(entries["for"][0], "E055", both, "write `until:` only"),)
    claimed = sum_up(file.claims)
    ends_ms = (file.until or 0) if file.lasts is None else changed_ms + int(file.lasts * 1000)
    return Reservation(document.path, claimed.paths, claimed.resources, file.by, file.why, ends_ms)


def refuse_name(path: str, name: str, what: str, suffix: str = ".yaml") -> Problem:
    """A file whose name cannot be that of `what` it describes."""
    wish = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    hint = f"rename it, perhaps to `{wish}{suffix}`" if is_slug(wish) else "use 1 to 48 of a-z, 0-9 and inner hyphens"
    return Problem(inert(path), 0, 0, "E005", f"`{inert(shorten(name))}` cannot be the id of {what}", hint)


_INNER: Mapping[str, type[BaseModel]] = {
    "gates": GateEntry,
    "agents": AgentEntry,
    "environments": EnvironmentEntry,
    "prices": PriceEntry,
}
_F = TypeVar("_F", bound=BaseModel)


def validate(document: Document, model: type[_F], start: str, task: TaskId = "") -> _F | tuple[Problem, ...]:
    """The file as `model` has it, or what is wrong with it. `start` is shown to whoever has not written a mapping."""
    if document.root.kind is not Kind.MAPPING:
        message = f"the file must be a list of `key: value` lines, this is {document.root.kind}"
        hint = "write a space after `:`" if UNSPACED.match(document.root.text) else f"begin with a key, like `{start}`"
        return (document.problem(document.root.span, "E021", message, hint),)
    folded = find_folded_commands(document)
    try:
        read = model.model_validate(document.root.plain(), context={"id": task})
    except ValidationError as error:
        return tuple(sorted((*folded, *explain_mistakes(document, error.errors(include_url=False), _keys(model)))))
    return folded or read


def _keys(model: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    forms = {f"<{form}>": entry for form, entry in FORMS.items()}
    kinds = {name: field.annotation for name, field in model.model_fields.items()}
    below = {name: kind for name, kind in kinds.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}
    keys = {
        name: tuple(field.alias or key for key, field in inner.model_fields.items())
        for name, inner in {"": model, **_INNER, **below, **forms}.items()
    }
    return {**keys, "claims": tuple(FORMS)}


def _config(file: ConfigFile) -> Config:
    return Config(
        branch=file.branch,
        parallel=file.parallel,
        timeout_seconds=file.timeout,
        drain_seconds=file.drain,
        kill_grace_seconds=file.kill_grace,
        changed_files=file.limits.changed_files,
        file_bytes=int(file.limits.file_size),
        free_disk_bytes=int(file.limits.free_disk),
        free_memory_bytes=int(file.limits.free_memory),
        workspaces=file.limits.workspaces,
        workspace_bytes=None if file.limits.workspace_bytes is None else int(file.limits.workspace_bytes),
        env=tuple(file.env),
        ports=file.ports,
        groups=tuple(Slots(name, parallel) for name, parallel in file.groups.items()),
        agents=tuple(Agent(name, agent.parallel, agent.provider) for name, agent in file.agents.items()),
        providers=tuple(Slots(name, parallel) for name, parallel in file.providers.items()),
        remote=file.remote,
        takeover_seconds=file.takeover,
        gates=to_gates(file.gates),
        gates_at_once=file.gates_at_once,
        resolving=to_resolving(file.conflicts),
        save=to_schedule(file.save),
        environments=to_environments(file.environments),
        clocks=Clocks(file.limits.silence, file.limits.progress, file.limits.repeats),
        prices=to_prices(file.prices),
        caps=to_caps(file.caps),
        wait_seconds=file.limits.wait,
        proposals=file.limits.proposals,
        proposal_depth=file.limits.proposal_depth,
        numbers=tuple(NumberKind(name, tuple(kind.paths)) for name, kind in file.numbers.items()),
    )
