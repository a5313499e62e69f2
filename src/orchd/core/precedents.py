"""Precedents: how a person settled a conflict once, so that it can be proposed when the same one comes again.

A conflict is the same when the two sides and the base are the same at its disputed places, wherever these are and whichever
side is ours; or, where the person changed more than these places, when all three texts are the same. Rule: a precedent is only
ever proposed. Nothing that merges asks for one; a person takes it by an answer like any other. Clients use it: light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TypeAlias

from orchd.core.threeway import Chunk, Lines, ThreeWay, compare, split_lines
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId

Trio: TypeAlias = tuple[str, str, str]
"""The texts of base, ours and theirs."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """What a person made of the conflict of `run` at `path`: these lines at each disputed place, or the whole text. `commit`
    is what the answer came to; the precedent counts where that has landed."""

    run: RunId
    path: str
    places: tuple[Lines, ...] = ()
    whole: str = ""
    commit: Oid = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a file would become if it were settled as before, in `run` at `path`."""

    text: str
    run: RunId
    path: str


def name_conflict(trio: Trio) -> tuple[str, ...]:
    """The names under which a precedent for it is kept: that of the three texts, then that of its disputed places."""
    ways = _compare(trio)
    places = [(one.base, *sorted((one.ours, one.theirs))) for one in ways.disputed] if ways else []
    whole = (trio[0], *sorted(trio[1:]))
    return (_digest("texts", whole), *([_digest("places", places)] if places else []))


def set_precedent(trio: Trio, settled: str, run: RunId, path: str) -> Mapping[str, Precedent]:
    """What to remember of a text that a person settled, by name: its places where it is the merge outside of them."""
    ways = _compare(trio)
    places = _find_places(ways, split_lines(settled)) if ways and ways.disputed else None
    names = name_conflict(trio)
    if places is not None:
        return {names[-1]: Precedent(run, path, places)}
    return {names[0]: Precedent(run, path, whole=settled)} if settled else {}


def propose(trio: Trio, known: Mapping[str, Precedent]) -> Proposed | None:
    """What is proposed for a conflict, from what is known by its names. None: nothing of it was settled before."""
    ways = _compare(trio)
    for name in name_conflict(trio):
        said = known.get(name)
        text = (said.whole or (_fill(ways, said.places) if ways else "")) if said else ""
        if said and text:
            return Proposed(text, said.run, said.path)
    return None


def _compare(trio: Trio) -> ThreeWay | None:
    return compare(*map(split_lines, trio))


def _find_places(ways: ThreeWay, settled: Lines) -> tuple[Lines, ...] | None:
    """The lines that stand at each disputed place. None: the text differs elsewhere, too, or nobody can say where a place
    ends."""
    first, *between, last = _list_fixed(ways)
    end = len(settled) - len(last)
    if end < len(first) or settled[: len(first)] != first or settled[end:] != last:
        return None
    found, rest = list[Lines](), settled[len(first) : end]
    for fixed in between:
        starts = [at for at in range(len(rest)) if rest[at : at + len(fixed)] == fixed]
        if not fixed or len(starts) != 1:
            return None
        found.append(rest[: starts[0]])
        rest = rest[starts[0] + len(fixed) :]
    return (*found, rest)


def _list_fixed(ways: ThreeWay) -> list[Lines]:
    """What stands before, between and behind the disputed places."""
    fixed: list[Lines] = [()]
    for part in ways.parts:
        lines = part.plain if isinstance(part, Chunk) else part
        fixed = [*fixed, ()] if lines is None else [*fixed[:-1], fixed[-1] + lines]
    return fixed


def _fill(ways: ThreeWay, places: tuple[Lines, ...]) -> str:
    """Empty where the places do not fit: others, or a last line without an end that would run into the next one."""
    if len(places) != len(ways.disputed):
        return ""
    fixed = _list_fixed(ways)
    lines = [line for around, place in zip(fixed, (*places, ()), strict=True) for line in (*around, *place)]
    return ways.fill(places) if all(line.endswith("\n") for line in lines[:-1]) else ""


def _digest(kind: str, what: object) -> str:
    return hashlib.sha1(repr((kind, what)).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
