"""What may stand in a claim file `.orch/claims/<name>.yaml`: what a person or another tool has for itself, and how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from orchd.adapters.claim_entries import Entries, Entry, NumberEntry, PortEntry
from orchd.adapters.field_checks import DURATION, SECONDS, Strict, check_instant, check_line, fault, measured
from orchd.model.limits import LIST_ITEMS, RESERVATION_SECONDS, TITLE_CHARS


def _check_persons(entries: list[Entry]) -> list[Entry]:
    """A port or a number is given to a running task; a person takes one without asking."""
    for at, entry in enumerate(entries):
        if isinstance(entry, PortEntry | NumberEntry):
            raise fault("for_tasks", "only a task is given a port or a number", at)
    return entries


class ReservationFile(Strict):
    """What you keep for yourself: tasks that would touch it wait."""

    claims: Annotated[Entries, Field(min_length=1, max_length=LIST_ITEMS), AfterValidator(_check_persons)] = Field(
        description="Paths and resources, as in a task file.",
        examples=[["src/auth/**", {"path": "docs/**", "mode": "read"}, {"resource": "staging-db"}]],
    )
    by: Annotated[str, Field(max_length=TITLE_CHARS), AfterValidator(check_line)] = Field(
        default="", description="Who.", examples=["anna"]
    )
    why: Annotated[str, Field(max_length=TITLE_CHARS), AfterValidator(check_line)] = Field(
        default="", description="Why, in one line: whoever waits is told.", examples=["I rewrite the login by hand"]
    )
    until: Annotated[int | None, PlainValidator(check_instant), WithJsonSchema({"type": "string", "format": "date-time"})] = (
        Field(
            default=None,
            description="When it ends: date, time and zone. Without `until` and `for` it holds until the file is removed.",
            examples=["2026-11-27T18:00:00Z"],
        )
    )
    lasts: Annotated[float | None, *measured(DURATION, SECONDS, "bad_duration", 1, RESERVATION_SECONDS)] = Field(
        default=None,
        alias="for",
        description="How long, counted from the last change of the file. Not in a repository without a checkout: git does not "
        "keep that time.",
        examples=["2h"],
    )
