"""Checks of single values in task files and the configuration, beyond their types.

Each returns the value as it is stored, or raises a fault whose code and hint stand in the table of `mistakes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from orchd.adapters.yaml_source import Day, shorten
from orchd.core.globs import complete_glob, glob_fault
from orchd.model.ids import SLUG, is_slug
from orchd.model.limits import COMMAND_BYTES

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])")
BYTES = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
SIZE = re.compile(r"(\d{1,9})(KiB|MiB|GiB)")
PORT_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRANCH = re.compile(r"(?![-./]|refs/)(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)|[./]$))[^\x00-\x20\x7f~^:?*\[\\]+")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Phased(_Named, Protocol):
    @property
    def phase(self) -> str: ...


_N = TypeVar("_N", bound=_Named)
_G = TypeVar("_G", bound=_Phased)


def fault(kind: str, message: str = "", item: int | str | None = None) -> PydanticCustomError:
    """An error whose code and hint stand in the table of `mistakes`, by `kind`. `item`: which entry or key inside is meant."""
    return PydanticCustomError(kind, "{text}", {"text": message, "item": item})


def check_slug(text: str) -> str:
    """A name of orchd."""
    if not is_slug(text):
        raise fault("bad_slug", f"`{shorten(text)}` is not a name that orchd uses")
    return text


def check_command(text: str) -> str:
    """A shell command that is not empty and not endless."""
    if len(text.encode()) > COMMAND_BYTES:
        raise fault("command_too_long", f"the command is longer than {COMMAND_BYTES} bytes")
    return check_blank(text)


def check_title(text: str) -> str:
    """One line that is not empty, without the space around it."""
    return check_line(check_blank(text))


def check_model_name(text: str) -> str:
    """The name of a model, as a program is told it: never what a program would take for a flag."""
    name = check_title(text)
    if name.startswith("-"):
        raise fault("model_flag", f"`{shorten(name)}` is not the name of a model")
    return name


def check_blank(text: str) -> str:
    """A text with something in it."""
    if not text.strip():
        raise fault("blank", "the text is empty")
    return text


def check_glob(glob: str) -> str:
    """A glob that can be claimed, completed."""
    if wrong := glob_fault(glob):
        raise fault("bad_glob", f"the glob `{shorten(glob)}` cannot be claimed: {wrong}")
    return complete_glob(glob)


def check_path(path: str) -> str:
    """A path from the root of the repository, without a slash at its end."""
    wrong = glob_fault(path) or ("it has `*` or `?`; name it exactly" if set("*?") & set(path) else None)
    if wrong:
        raise fault("bad_path", f"`{shorten(path)}` is not a path in the repository: {wrong}")
    return path.rstrip("/")


def check_variable(name: str) -> str:
    """The name of an environment variable."""
    if not _VARIABLE.fullmatch(name):
        raise fault("bad_variable", f"`{shorten(name)}` is not the name of an environment variable")
    return name


def check_branch(name: str) -> str:
    """The short name of a branch."""
    if not _BRANCH.fullmatch(name):
        raise fault("bad_branch", f"`{shorten(name)}` is not the short name of a branch")
    return name


def check_repeats(names: list[str]) -> list[str]:
    """No entry twice."""
    for at, name in enumerate(names):
        if name in names[:at]:
            raise fault("repeated", f"`{shorten(name)}` is there twice", at)
    return names


def check_needs(needs: list[str], info: ValidationInfo) -> list[str]:
    """The id of the task comes as context; `after` is checked against `needs`, which stands before it in the model."""
    task = (info.context or {}).get("id")
    before = info.data.get("needs") or []
    for at, name in enumerate(needs):
        if name == task:
            raise fault("needs_itself", f"`{name}` waits for itself", at)
        if name in before:
            raise fault("needs_and_after", f"`{name}` is in `needs` and in `after`", at)
    return check_repeats(needs)


def check_gates(gates: list[_N]) -> list[_N]:
    """No two gates of one name."""
    names = [gate.name for gate in gates]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise fault("gate_twice", f"two gates are named `{name}`", at)
    return gates


def check_session_gates(gates: list[_G]) -> list[_G]:
    """Nor one that only a promotion runs: what is promoted belongs to no session."""
    for at, gate in enumerate(gates):
        if gate.phase == "promote":
            raise fault("promote_gate", f"`{gate.name}` could never run: promotions ask the gates of the configuration", at)
    return check_gates(gates)


def _measure(
    pattern: re.Pattern[str], units: Mapping[str, int], kind: str, least: float, most: float
) -> Callable[[Any], float]:
    """Reads a number, or a text with a unit."""

    def read(value: object) -> float:
        found = pattern.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            value = float(found[1]) * units[found[2]]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise fault(kind, "this is not an amount that orchd reads")
        if not least <= value <= most:
            raise fault(kind, f"this is not between {least:g} and {most:g}")
        return float(value)

    return read


def measured(pattern: re.Pattern[str], units: Mapping[str, int], kind: str, least: float, most: float) -> tuple[Any, Any]:
    """What a field is annotated with that takes a number from `least` to `most`, or a text with a unit."""
    text = {"type": "string", "pattern": f"^{pattern.pattern}$"}
    number = {"type": "number", "minimum": least, "maximum": most}
    return PlainValidator(_measure(pattern, units, kind, least, most)), WithJsonSchema({"anyOf": [number, text]})


def check_port_range(value: object) -> tuple[int, int]:
    """The first and the last port of a text like `20000-20999`; none that only the system may use."""
    found = PORT_RANGE.fullmatch(value) if isinstance(value, str) else None
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1024 <= first <= last <= 65535:
        raise fault("bad_ports", "this is no range of ports")
    return first, last


def check_instant(value: object) -> int:
    """Milliseconds since 1970 of a date and a time with its zone."""
    try:
        instant = datetime.fromisoformat(value.text if isinstance(value, Day) else str(value))
        ends_ms = int(instant.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise fault("bad_instant", "this is no date and time") from None
    if instant.tzinfo is None:
        raise fault("bad_instant", "this does not say in which time zone")
    return ends_ms


def check_line(text: str) -> str:
    """One line, without the space around it."""
    if "\n" in text.strip():
        raise fault("many_lines", "the text has several lines")
    return text.strip()


def check_word(word: str, kind: str, message: str) -> Callable[[object], object]:
    """Lets only `word` through; for a key that a person might want to choose a value for."""

    def check(value: object) -> object:
        if value != word:
            raise fault(kind, message)
        return value

    return check


class Strict(BaseModel):
    """A mapping of an input file: no unknown keys, no guessed types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Slug: TypeAlias = Annotated[str, AfterValidator(check_slug), Field(json_schema_extra={"pattern": f"^{SLUG.pattern}$"})]
Glob: TypeAlias = Annotated[str, AfterValidator(check_glob)]
