"""Tables as text: aligned for people, tab-separated for programs. Columns are measured in terminal cells, not characters.

Rule: every cell goes through `inert`, so no cell can break out of its line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from orchd.core.inert import inert

GAP = "  "
MIN_CELLS = 7
"""So that the widest table, that of checkpoints, fits into 80 cells with whole names."""
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def count_cells(text: str) -> int:
    """How many cells of a terminal `text` takes: wide (CJK) characters take two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def shorten(text: str, cells: int) -> str:
    """`text`, cut to at most `cells` cells; an ellipsis shows the cut."""
    if count_cells(text) <= cells:
        return text
    kept, used = [], 1
    for character in text:
        used += _cells_of(character)
        if used > cells:
            break
        kept.append(character)
    return "".join(kept) + "…"


def align_rows(rows: Sequence[Sequence[str]], room: int, whole: Collection[int] = ()) -> list[list[str]]:
    """Cells padded so that columns stand under each other. Where `room` (cells) is too small, the widest columns are cut
    first, but never those at the places `whole`; and none below MIN_CELLS."""
    safe = [[inert(cell) for cell in row] for row in rows]
    widths = [max(map(count_cells, column)) for column in zip(*safe, strict=True)]
    _narrow(widths, room - len(GAP) * (len(widths) - 1), [at for at in range(len(widths)) if at not in whole])
    cut = [[shorten(cell, width) for cell, width in zip(row, widths, strict=True)] for row in safe]
    return [[*map(_pad, row[:-1], widths), row[-1]] for row in cut]


def _narrow(widths: list[int], room: int, places: Sequence[int]) -> None:
    """Take from the widest of `places` until all fit into `room`; of equals the last one gives first."""
    while sum(widths) > room and places:
        widest = max(places, key=lambda at: (widths[at], at))
        if widths[widest] <= MIN_CELLS:
            return
        widths[widest] -= 1


def join_tabs(cells: Sequence[str]) -> str:
    """One line of tab-separated values; tabs and line ends inside a cell are spelled as escapes."""
    return "\t".join(map(inert, cells))


def tell_span(seconds: float) -> str:
    """A duration in its two largest units: `45s`, `3m 5s`, `2h 0m`, `4d 1h`."""
    left = max(0, int(seconds))
    start = next((i for i, (size, _) in enumerate(_UNITS) if left >= size), len(_UNITS) - 1)
    parts = []
    for size, name in _UNITS[start : start + 2]:
        parts.append(f"{left // size}{name}")
        left %= size
    return " ".join(parts)


def tell_bytes(count: int) -> str:
    """An amount in its largest unit that fits: `512 B`, `1.5 GiB`."""
    size, unit = float(count), "B"
    for bigger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, bigger
    return f"{size:.1f}".removesuffix(".0") + f" {unit}"


def tell_instant(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC: `2026-01-31T09:30:00.250Z`."""
    whole = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _pad(text: str, cells: int) -> str:
    return text + " " * (cells - count_cells(text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
