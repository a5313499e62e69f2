"""What may be said of a gate, in the configuration and in session files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from orchd.adapters.field_checks import DURATION, SECONDS, Glob, Slug, Strict, check_command, check_variable, measured
from orchd.model.limits import (
    GATE_RETRIES,
    GATE_TIMEOUT_SECONDS,
    LIST_ITEMS,
    MAX_RETRIES,
    MAX_TIMEOUT_SECONDS,
    VALUE_CHARACTERS,
)
from orchd.model.save import Gate, GatePhase

Command: TypeAlias = Annotated[str, AfterValidator(check_command)]
Timeout: TypeAlias = Annotated[float, *measured(DURATION, SECONDS, "bad_duration", 0.1, MAX_TIMEOUT_SECONDS)]


class GateEntry(Strict):
    """A command that must end with exit code 0 on the merged tree before main moves to it."""

    name: Slug = Field(description="The name in messages and in the audit.", examples=["tests"])
    run: Command = Field(description="The shell command, run at the root of a fresh checkout.", examples=["make test"])
    timeout: Timeout = Field(default=GATE_TIMEOUT_SECONDS, description="The wall-clock limit.", examples=["10m"])
    inputs: Annotated[list[Glob], Field(max_length=LIST_ITEMS)] = Field(
        default=[],
        description="Globs of everything that it reads. Where nothing of it differs from a tree on which it was green, it is "
        "not run again. Default: the whole tree.",
        examples=[["src/**", "tests/**", "Makefile"]],
    )
    env: Annotated[
        dict[Annotated[str, AfterValidator(check_variable)], Annotated[str, Field(max_length=VALUE_CHARACTERS)]],
        Field(max_length=LIST_ITEMS),
    ] = Field(default={}, description="Variables that only it gets.", examples=[{"DJANGO_SETTINGS_MODULE": "site.test"}])
    retries: Annotated[int, Field(ge=0, le=MAX_RETRIES)] = Field(
        default=GATE_RETRIES,
        description="How often it is run once more on the same tree when it is red. Green then is recorded as a flake.",
        examples=[0],
    )
    phase: Literal["save", "task", "promote"] = Field(
        default="save",
        description="`save`: before main moves. `task`: that too, and before that on the result of each task by itself, which "
        "comes into no save while it is red. `promote`: only before a checkpoint goes to an environment, on its tree; "
        "not in session files.",
        examples=["promote"],
    )


def to_gates(entries: Iterable[GateEntry]) -> tuple[Gate, ...]:
    """The gates as the model has them."""
    return tuple(
        Gate(
            entry.name,
            entry.run,
            entry.timeout,
            tuple(entry.inputs),
            tuple(sorted(entry.env.items())),
            entry.retries,
            GatePhase(entry.phase),
        )
        for entry in entries
    )
