"""The `conflicts` of the configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orchd.adapters.field_checks import Glob, Strict, check_repeats
from orchd.model.limits import LIST_ITEMS
from orchd.model.merge import Recipe, Resolving


class ConflictsEntry(Strict):
    """Which conflicts need nobody."""

    automatic: Annotated[
        list[Literal["whitespace", "adjacent", "imports", "superset", "tokens"]],
        Field(max_length=LIST_ITEMS),
        AfterValidator(check_repeats),
    ] = Field(
        default=[],
        description="Conflicts that are settled without asking, where gates judge the outcome (docs/conflicts.md). "
        "`orchd init --learn-merges` measures them on the merges of this repository. Default: none.",
        examples=[["whitespace", "imports"]],
    )
    union: Annotated[list[Glob], Field(max_length=LIST_ITEMS)] = Field(
        default=[],
        description="Globs of files in which both additions are kept, what has landed first, where two sides add at the same "
        "place; like a list of changes.",
        examples=[["CHANGES.md", "docs/news/**"]],
    )


def to_resolving(entry: ConflictsEntry) -> Resolving:
    """As the model has it."""
    return Resolving(tuple(map(Recipe, entry.automatic)), tuple(entry.union))
