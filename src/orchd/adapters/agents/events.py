"""Reading what agent programs print: lines of JSON with unknown keys, foreign types and noise between them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias, TypeGuard, TypeVar

from orchd.model.agent import MICROS, Usage
from orchd.model.dataclass import dataclass
from orchd.model.limits import AGENT_LINE_BYTES

Event: TypeAlias = Mapping[str, object]
_Kind = TypeVar("_Kind")

_MOST = 2**53
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a pair that is one character: a program that cuts a text may leave it, and no file and no terminal takes it."""


class Lines:
    """Cuts a stream of bytes into lines. Of a longer line than `AGENT_LINE_BYTES` only the beginning is given, which is no JSON
    and so means nothing."""

    def __init__(self) -> None:
        self._open = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that `data` completes, without their ends."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield self.rest()
        self._add(rest)

    def rest(self) -> bytes:
        """The line that has no end (yet)."""
        line = bytes(self._open)
        self._open.clear()
        return line

    def _add(self, piece: bytes) -> None:
        self._open += piece[: AGENT_LINE_BYTES - len(self._open)]


def parse(line: bytes) -> Event:
    """The JSON object of a line; empty when it is none."""
    text = line.strip()
    if not text.startswith(b"{"):
        return {}
    try:
        found = json.loads(text.decode("utf-8", "replace"))
        if _HALF.search(text):
            found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def part(event: Event, *path: str) -> Event:
    """The object at `path`; empty when there is none."""
    return _at(event, path, dict) or {}


def parts(event: Event, *path: str) -> tuple[Event, ...]:
    """The objects in the list at `path`."""
    return tuple(one for one in _at(event, path, list) or () if isinstance(one, dict))


def texts(event: Event, *path: str) -> tuple[str, ...]:
    """The texts in the list at `path`."""
    return tuple(one for one in _at(event, path, list) or () if isinstance(one, str))


def text(event: Event, *path: str) -> str:
    """The text at `path`; empty when there is none."""
    return _at(event, path, str) or ""


def number(event: Event, *path: str) -> int:
    """The number at `path`, not below 0; 0 when there is none or it cannot be one."""
    return _whole(_at(event, path, object), 1)


def micros(event: Event, *path: str) -> int | None:
    """Dollars at `path` as millionths; None when they are not there, or can be no money."""
    found = _at(event, path, object)
    return _whole(found, MICROS) if _is_amount(found) else None


@dataclass(frozen=True, slots=True)
class UsageAt:
    """Where a program writes its use: names in an object, of which several are added up and `a.b` is `b` in `a`. What is in
    `total` and nowhere else was made."""

    read: str
    cached: str
    made: str
    cost: str = ""
    total: str = ""

    def find(self, told: Event) -> Usage:
        """The use in `told`; 0 where it says nothing."""
        listed = (self.read, self.cached, self.made, self.total)
        read, cached, made, total = (sum(number(told, *name.split(".")) for name in names.split()) for names in listed)
        return Usage(read, cached, max(made, total - read), micros(told, self.cost))


def detail_of(event: Event, *path: str) -> str:
    """What a call is about: the first text among its arguments."""
    values = part(event, *path).values()
    return next((value for value in values if isinstance(value, str)), "")


def _at(event: Event, path: tuple[str, ...], kind: type[_Kind]) -> _Kind | None:
    found: object = event
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, kind) else None


def _whole(found: object, factor: int) -> int:
    return round(found * factor) if _is_amount(found) else 0


def _is_amount(found: object) -> TypeGuard[int | float]:
    """JSON as programs write it knows NaN and Infinity too."""
    return isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= _MOST
