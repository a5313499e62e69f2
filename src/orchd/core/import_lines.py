"""Imports of Python as sets: of two sides that each changed some, both changes count.

Rule: only lines that hold nothing but plain imports, in one order that all sides keep; anything else gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from orchd.core.threeway import Lines
from orchd.model.dataclass import dataclass

_NAME = r"[A-Za-z_]\w*(?: as [A-Za-z_]\w*)?"
_IMPORT = re.compile(r"(?P<indent>[ \t]*)import (?P<module>[A-Za-z_][\w.]*(?: as [A-Za-z_]\w*)?)\n?")
_FROM = re.compile(rf"(?P<indent>[ \t]*)from (?P<module>\.*[\w.]*) import (?P<names>{_NAME}(?:, {_NAME})*)\n?")
_ITEM = re.compile(rf"(?P<indent>[ \t]+)(?P<name>{_NAME}),\n")
"""A line of a list in parentheses. It could be the item of any other list, so all that is known is that it is one name."""


_OPENING = re.compile(r"[ \t]*from \.*[\w.]* import \(\n?")


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A line: how it begins, what it imports and from where (a plain import: from nowhere)."""

    indent: str
    module: str
    names: tuple[str, ...]

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(f"{self.module} {name}" for name in self.names)


_LIST = ","
"""Stands for the module of an item of a list."""

_Order: TypeAlias = Callable[[_Parsed], tuple[str, ...]]


def is_python(path: str) -> bool:
    """Whether a file is Python, by its name."""
    return path.endswith((".py", ".pyi"))


def merge_imports(before: Lines, base: Lines, ours: Lines, theirs: Lines) -> Lines | None:
    """The lines with what both sides added and without what either removed; `before` is what stands before them. None: these
    are not plain imports, or not in an order."""
    parsed = [_parse_all(lines) for lines in (base, ours, theirs)]
    sides = [one for one in parsed if one is not None]
    lines = [line for side in sides for line in side]
    if len(sides) < len(parsed) or len({line.indent for line in lines}) != 1:
        return None
    lists = {line.module == _LIST for line in lines}
    if len(lists) > 1 or (True in lists and not _is_in_imports(before)):
        return None
    merged = _merge_lines(sides) if all(len(line.names) == 1 for line in lines) else _merge_modules(sides)
    order = next((one for one in ORDERS if all(_is_sorted(side, one) for side in sides)), None)
    return None if merged is None or order is None else tuple(map(_spell, sorted(merged, key=order)))


def name_imports(line: str) -> tuple[str, ...]:
    """The units of a line: each imported name of a plain import, else the line itself."""
    found = _parse(line)
    return (line,) if found is None else found.units


def _is_in_imports(before: Lines) -> bool:
    """Whether a list that goes on here is that of `from module import (`."""
    opening = next((line for line in reversed(before) if not _ITEM.fullmatch(line)), "")
    return _OPENING.fullmatch(opening) is not None


def _parse_all(lines: Lines) -> tuple[_Parsed, ...] | None:
    found = [_parse(line) for line in lines]
    parsed = tuple(one for one in found if one is not None)
    return parsed if len(parsed) == len(found) else None


def _parse(line: str) -> _Parsed | None:
    if plain := _IMPORT.fullmatch(line):
        return _Parsed(plain["indent"], "", (plain["module"],))
    if named := _FROM.fullmatch(line):
        return _Parsed(named["indent"], named["module"], tuple(named["names"].split(", ")))
    if item := _ITEM.fullmatch(line):
        return _Parsed(item["indent"], _LIST, (item["name"],))
    return None


def _merge_lines(sides: Sequence[Sequence[_Parsed]]) -> list[_Parsed]:
    """One name a line: lines are what is added and removed."""
    base, ours, theirs = map(set, sides)
    return list(_merge_sets(base, ours, theirs))


def _merge_modules(sides: Sequence[Sequence[_Parsed]]) -> list[_Parsed] | None:
    """Several names a line, each module once."""
    sets = [{line.module: set(line.names) for line in side} for side in sides]
    key = next((one for one in NAME_ORDERS if all(_are_sorted(line.names, one) for side in sides for line in side)), None)
    if key is None or any(len(one) < len(side) for one, side in zip(sets, sides, strict=True)):
        return None
    indent = next(line.indent for side in sides for line in side)
    merged = {name: _merge_sets(*(one.get(name, set()) for one in sets)) for one in sets for name in one}
    return [_Parsed(indent, name, tuple(sorted(names, key=key))) for name, names in merged.items() if names]


_T = TypeVar("_T")


def _merge_sets(base: set[_T], ours: set[_T], theirs: set[_T]) -> set[_T]:
    return (ours & theirs) | (ours - base) | (theirs - base)


def _spell(line: _Parsed) -> str:
    if line.module == _LIST:
        return f"{line.indent}{line.names[0]},\n"
    if not line.module:
        return f"{line.indent}import {line.names[0]}\n"
    return f"{line.indent}from {line.module} import {', '.join(line.names)}\n"


def _is_sorted(lines: Sequence[_Parsed], order: _Order) -> bool:
    return list(lines) == sorted(lines, key=order)


def _are_sorted(names: Sequence[str], key: Callable[[str], tuple[str, ...]]) -> bool:
    return list(names) == sorted(names, key=key)


def _by_kind(name: str) -> tuple[str, ...]:
    """CONSTANTS, Classes, everything else."""
    kind = "a" if len(name) > 1 and name.isupper() else "b" if name[0].isupper() else "c"
    return kind, name


def _by_name(name: str) -> tuple[str, ...]:
    return name.casefold(), name


NAME_ORDERS: tuple[Callable[[str], tuple[str, ...]], ...] = (_by_kind, _by_name, lambda name: (name,))


def _first(line: _Parsed) -> str:
    return line.names[0] if line.module in ("", _LIST) else line.module


ORDERS: tuple[_Order, ...] = (
    lambda line: ("b" if line.module else "a", _first(line), *line.names),
    lambda line: ("b" if line.module else "a", _first(line).casefold(), *line.names),
    lambda line: (_first(line), *line.names),
    lambda line: (_first(line).casefold(), *line.names),
    lambda line: _by_kind(_first(line)),
)
"""Plain imports first, or all by module; capitals first, or not."""
