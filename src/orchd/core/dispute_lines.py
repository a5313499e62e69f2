"""The disputed places of a file, for reading."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from orchd.core.inert import inert
from orchd.core.threeway import Chunk, Lines, compare, split_lines
from orchd.model.limits import DISPUTE_LINES

CONTEXT_LINES = 2

Texts: TypeAlias = tuple[str, str, str]
"""Base, ours, theirs."""


def tell_dispute(texts: Texts) -> tuple[str, ...]:
    """The disputed places of a file, for reading: the lines around, then what each side made of it. Limited and inert."""
    ways = compare(*map(split_lines, texts))
    if ways is None:
        return ("too large to be shown here",)
    lines = list(_tell_chunks(split_lines(texts[0]), ways.disputed))
    more = len(lines) - DISPUTE_LINES
    return (*lines[:DISPUTE_LINES], f"... and {more} more lines") if more > 0 else tuple(lines)


def tell_change(ours: str, proposed: str) -> tuple[str, ...]:
    """How a proposed text differs from ours, as a diff. Limited and inert."""
    told = difflib.unified_diff(split_lines(ours), split_lines(proposed), n=CONTEXT_LINES)
    shown = (line for line in told if not line.startswith(("---", "+++")))
    return tuple(_mark("", itertools.islice(shown, DISPUTE_LINES))) or ("it is as ours",)


def _tell_chunks(base: Lines, chunks: tuple[Chunk, ...]) -> Iterator[str]:
    for chunk in chunks:
        end = chunk.start + len(chunk.base)
        yield f"@@ line {chunk.start + 1} of the base"
        yield from _mark("  ", base[max(0, chunk.start - CONTEXT_LINES) : chunk.start])
        for name in ("base", "ours", "theirs"):
            yield from _mark(f"{name:6}| ", getattr(chunk, name)) if getattr(chunk, name) else (f"{name:6}| (no lines)",)
        yield from _mark("  ", base[end : end + CONTEXT_LINES])


def _mark(mark: str, lines: Iterable[str]) -> Iterator[str]:
    return (mark + inert(line.removesuffix("\n").replace("\t", "    ")) for line in lines)
