"""When finished tasks are saved, as the configuration and session files say it."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from orchd.adapters.field_checks import DURATION, SECONDS, fault
from orchd.model.limits import MAX_TIMEOUT_SECONDS
from orchd.model.save import Schedule, When

EVERY = re.compile(rf"every {DURATION.pattern}")
WORDS = re.compile(rf"auto|manual|{EVERY.pattern}")


def check_schedule(text: str) -> str:
    """`auto`, `manual`, or `every` with a time that is not endless."""
    if not WORDS.fullmatch(text) or not 0 <= to_schedule(text).every_seconds <= MAX_TIMEOUT_SECONDS:
        raise fault("bad_schedule", "orchd does not know when that is")
    return text


def to_schedule(text: str) -> Schedule:
    """What the model has for a text that was checked."""
    found = EVERY.fullmatch(text)
    return Schedule(When.EVERY, float(found[1]) * SECONDS[found[2]]) if found else Schedule(When(text))


SaveText: TypeAlias = Annotated[
    str, AfterValidator(check_schedule), Field(json_schema_extra={"pattern": f"^({WORDS.pattern})$"})
]

SAVE_FIELD = Field(
    default="auto",
    description="When tasks that are done go to main, where their session does not say. `auto`: at once. `manual`: when "
    "somebody says `orchd save`. `every 30m`: at the latest so long after the first of them was done, all together.",
    examples=["every 30m"],
)
