"""What may be said of an environment in the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from orchd.adapters.field_checks import DURATION, SECONDS, Slug, Strict, check_command, fault, measured
from orchd.adapters.gate_schema import Timeout
from orchd.model.environment import DEFAULT_ENVIRONMENTS, Environment
from orchd.model.limits import APPROVALS, DEPLOY_TIMEOUT_SECONDS, ENVIRONMENTS, RESERVATION_SECONDS

Soak: TypeAlias = Annotated[float, *measured(DURATION, SECONDS, "bad_duration", 0, RESERVATION_SECONDS)]
Step: TypeAlias = Annotated[str | None, AfterValidator(lambda text: text and check_command(text))]


class EnvironmentEntry(Strict):
    """A place that checkpoints are promoted to, each from the one before it in the list."""

    name: Slug = Field(description="The name in commands, and of the ref with its records.", examples=["staging"])
    soak: Soak = Field(
        default=0,
        description="How long a checkpoint must have stood well in the environment before. A later deployment there ends it.",
        examples=["2h"],
    )
    approvals: Annotated[int, Field(ge=0, le=APPROVALS)] = Field(
        default=0,
        description="How many people must approve a checkpoint for it, besides the one who promotes.",
        examples=[1],
    )
    deploy: Step = Field(
        default=None,
        description="The shell command that deploys, run at the root of a fresh checkout of exactly the checkpoint. "
        "Default: none, the promotion is only recorded.",
        examples=["./deploy.sh staging"],
    )
    verify: Step = Field(
        default=None,
        description="The shell command that must then end with exit code 0. With it, only what it passed on goes further. "
        "Default: none.",
        examples=["./smoke-test.sh staging"],
    )
    timeout: Timeout = Field(
        default=DEPLOY_TIMEOUT_SECONDS, description="The wall-clock limit of each of the two commands.", examples=["10m"]
    )
    unverified: Literal["allowed", "refused"] = Field(
        default="refused", description="Whether a checkpoint may go there that no gate judged.", examples=["allowed"]
    )


def check_environments(entries: list[EnvironmentEntry]) -> list[EnvironmentEntry]:
    """No two of one name."""
    names = [entry.name for entry in entries]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise fault("environment_twice", f"two environments are named `{name}`", at)
    return entries


Environments: TypeAlias = Annotated[list[EnvironmentEntry], Field(max_length=ENVIRONMENTS), AfterValidator(check_environments)]
ENVIRONMENTS_FIELD: list[EnvironmentEntry] = Field(
    default=[],
    description="Where checkpoints are promoted to, in this order ([promote](promote.md)). Default: dev, staging and prod, "
    "without commands.",
    examples=[[{"name": "staging", "deploy": "./deploy.sh"}, {"name": "prod", "soak": "2h", "approvals": 1}]],
)


def to_environments(entries: Iterable[EnvironmentEntry]) -> tuple[Environment, ...]:
    """The environments as the model has them; the usual ones where none is named."""
    named = tuple(
        Environment(
            entry.name,
            entry.soak,
            entry.approvals,
            entry.deploy or "",
            entry.verify or "",
            entry.timeout,
            entry.unverified == "allowed",
        )
        for entry in entries
    )
    return named or DEFAULT_ENVIRONMENTS
