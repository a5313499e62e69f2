"""The entries of a `claims` list: paths, named resources, free ports, next numbers. Task files and people's claims share them.

Rule: which form an entry has is decided by its keys before its values are looked at, so a mistake is told about one form.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, RootModel, Tag, WithJsonSchema

from orchd.adapters.field_checks import Glob, Slug, Strict, check_word, fault
from orchd.adapters.yaml_source import shorten
from orchd.core.policy import is_protected
from orchd.model.claim import Mode, PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import SLUG, is_slug
from orchd.model.limits import PORTS_PER_TASK


class PathEntry(Strict):
    """An entry of `claims` for paths."""

    path: Glob = Field(description="A glob from the root of the repository.", examples=["src/http/**"])
    mode: Literal["read", "write", "append"] = Field(
        default="write",
        description="`read`: it must not change meanwhile. `append`: the task may only add to its end. Tasks that append to "
        "the same file run at the same time, but add at the same place: the one that is merged second conflicts and is held.",
    )


class ResourceEntry(Strict):
    """An entry of `claims` for something outside the repository."""

    resource: Slug = Field(
        description="A name that you choose for something that one task at a time may use.", examples=["staging-db"]
    )


class PortEntry(Strict):
    """An entry of `claims` for a TCP port."""

    port: Annotated[Literal["any"], BeforeValidator(check_word("any", "no_choice", "orchd chooses the port"))] = Field(
        description="A free TCP port, which no other task has meanwhile: the task finds it in `ORCHD_PORT`, and when it asks "
        "for several (one entry each) all of them in `ORCHD_PORTS`, separated by spaces.",
        examples=["any"],
    )


Next: TypeAlias = Annotated[Literal["next"], BeforeValidator(check_word("next", "no_number", "orchd chooses the number"))]


class NumberEntry(RootModel[dict[Slug, Next]]):
    """An entry of `claims` for a number that no other task gets."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a list of entries comes to."""

    paths: tuple[PathSpec, ...]
    resources: tuple[str, ...]
    ports: int
    numbers: tuple[str, ...]


Entry: TypeAlias = PathEntry | ResourceEntry | PortEntry | NumberEntry
FORMS: Mapping[str, type[Strict]] = {"path": PathEntry, "resource": ResourceEntry, "port": PortEntry}
"""The key that makes an entry one of each form; any other is a kind of numbers."""

_VARIABLES = ("task", "session", "attempt", "run", "workspace", "control", "ports")
"""No kinds of numbers: the variable of each is orchd's own."""

_KEYS = (*dict.fromkeys(key for form in FORMS.values() for key in form.model_fields), *_VARIABLES)
_NUMBER_SCHEMA = {
    "type": "object",
    "description": "The next free number of a kind, like `{migration: next}`.",
    "minProperties": 1,
    "maxProperties": 1,
    "patternProperties": {f"^(?!(?:{'|'.join(_KEYS)})$){SLUG.pattern}$": {"const": "next"}},
    "additionalProperties": False,
}


def _spell(value: object) -> object:
    """A bare glob is short for a mapping. Raises a fault for an entry that is two, and for a slip of a key."""
    if isinstance(value, str):
        return {"path": value}
    keys = [str(key) for key in value] if isinstance(value, dict) else []
    forms = [key for key in FORMS if key in keys]
    if len(forms) > 1:
        raise fault("two_forms", f"one entry claims {' and '.join(f'`{form}`' for form in forms)}")
    if len(keys) == 1 and not forms and difflib.get_close_matches(keys[0], FORMS, 1):
        raise fault("unknown_form", item=keys[0])
    return value


def _sort(value: object) -> str:
    """The form of an entry, as a tag that is no key of it."""
    keys = list(value) if isinstance(value, dict) else []
    form = next((key for key in FORMS if key in keys), None)
    if form is None and len(keys) == 1 and is_slug(keys[0]) and keys[0] not in _KEYS:
        form = "number"
    return f"<{form or 'path'}>"


Claim: TypeAlias = Annotated[
    Annotated[PathEntry, Tag("<path>")]
    | Annotated[ResourceEntry, Tag("<resource>")]
    | Annotated[PortEntry, Tag("<port>")]
    | Annotated[NumberEntry, Tag("<number>")],
    Discriminator(_sort),
    BeforeValidator(_spell),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, *(form.model_json_schema() for form in FORMS.values()), _NUMBER_SCHEMA]},
    ),
]


def check_entries(entries: list[Entry]) -> list[Entry]:
    """No entry twice (but ports), and not too many ports."""
    for at, entry in enumerate(entries):
        if isinstance(entry, PortEntry):
            if sum(isinstance(one, PortEntry) for one in entries[: at + 1]) > PORTS_PER_TASK:
                raise fault("many_ports", f"more than {PORTS_PER_TASK} ports", at)
        elif entry in entries[:at]:
            raise fault("repeated", f"`{shorten(_name(entry))}` is there twice", at)
    return entries


def check_allowed(entries: list[Entry]) -> list[Entry]:
    """None for what no task may change (to read it is fine)."""
    for at, entry in enumerate(entries):
        if isinstance(entry, PathEntry) and entry.mode != "read" and is_protected(entry.path):
            raise fault("protected", f"no task may change `{shorten(entry.path)}`: it decides what is run or trusted", at)
    return entries


Entries: TypeAlias = Annotated[list[Claim], AfterValidator(check_entries)]
TaskEntries: TypeAlias = Annotated[Entries, AfterValidator(check_allowed)]


def sum_up(entries: Sequence[Any]) -> Claimed:
    """The entries by their form."""
    numbers = [kind for entry in entries if isinstance(entry, NumberEntry) for kind in entry.root]
    return Claimed(
        tuple(PathSpec(entry.path, Mode(entry.mode)) for entry in entries if isinstance(entry, PathEntry)),
        tuple(entry.resource for entry in entries if isinstance(entry, ResourceEntry)),
        sum(isinstance(entry, PortEntry) for entry in entries),
        tuple(numbers),
    )


def _name(entry: Entry) -> str:
    return str(next(iter(entry.root if isinstance(entry, NumberEntry) else entry.model_dump().values())))
