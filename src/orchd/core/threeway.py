"""Two sides of a text over their common base, cut into chunks: where nobody, one side, or both changed something.

Rule: the same limits as git's own merge: changes of the two sides that overlap or touch are one chunk. Lines keep their ends.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from orchd.model.dataclass import dataclass
from orchd.model.limits import MERGE_STEPS
from orchd.model.merge import Side

Lines: TypeAlias = tuple[str, ...]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A place where the sides and the base differ. `start` is where it begins in the base, counted from 0. `joined` are the
    lines with the changes of both, where these only touch each other; None where they overlap."""

    start: int
    base: Lines
    ours: Lines
    theirs: Lines
    joined: Lines | None = None

    @property
    def plain(self) -> Lines | None:
        """What it comes to where there is nothing to settle; None: both sides changed it, and not alike."""
        if self.ours == self.theirs or self.theirs == self.base:
            return self.ours
        return self.theirs if self.ours == self.base else None


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """The lines of the base that nobody changed, and the chunks between them, in order."""

    parts: tuple[Lines | Chunk, ...]

    @property
    def disputed(self) -> tuple[Chunk, ...]:
        """The chunks that need settling."""
        return tuple(part for part in self.parts if isinstance(part, Chunk) and part.plain is None)

    def fill(self, settled: Sequence[Lines]) -> str:
        """The text, with these lines in the place of the disputed chunks."""
        left = iter(settled)
        texts = (_tell(part, left) for part in self.parts)
        return "".join(chain.from_iterable(texts))

    def take(self, side: Side) -> str:
        """The text with one side's lines wherever the two stand against each other."""
        return self.fill([one.ours if side is Side.OURS else one.theirs for one in self.disputed])


def _tell(part: Lines | Chunk, left: Iterator[Lines]) -> Lines:
    if not isinstance(part, Chunk):
        return part
    plain = part.plain
    return next(left) if plain is None else plain


def split_lines(text: str) -> Lines:
    """Only LF ends a line."""
    return tuple(_LINE.findall(text))


def compare(base: Lines, ours: Lines, theirs: Lines) -> ThreeWay | None:
    """The chunks of two sides. None: comparing them could take too long."""
    hunks = [_find_hunks(base, side) for side in (ours, theirs)]
    mine, other = hunks
    if mine is None or other is None:
        return None
    return ThreeWay(tuple(_cut(base, (ours, theirs), (mine, other))))


@dataclass(frozen=True, slots=True)
class _Hunk:
    """Lines `start` to `end` of the base became lines `first` to `last` of a side."""

    start: int
    end: int
    first: int
    last: int


def _find_hunks(base: Lines, side: Lines) -> list[_Hunk] | None:
    head, tail = _same_ends(base, side)
    old, new = base[head : len(base) - tail], side[head : len(side) - tail]
    if _count_steps(old, new) > MERGE_STEPS:
        return None
    codes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_Hunk(i + head, j + head, k + head, m + head) for tag, i, j, k, m in codes if tag != "equal"]


def _same_ends(one: Lines, other: Lines) -> tuple[int, int]:
    """How many lines they have in common at the beginning, and then at the end."""
    short = min(len(one), len(other))
    head = next((at for at in range(short) if one[at] != other[at]), short)
    left = short - head
    return head, next((at for at in range(left) if one[-1 - at] != other[-1 - at]), left)


def _count_steps(old: Lines, new: Lines) -> int:
    """What comparing costs at most in the first round: each pair of equal lines is looked at."""
    known = Counter(old)
    return sum(known[line] * count for line, count in Counter(new).items()) + len(old) + len(new)


def _cut(base: Lines, sides: tuple[Lines, Lines], hunks: tuple[list[_Hunk], list[_Hunk]]) -> Iterator[Lines | Chunk]:
    """Clusters of hunks that overlap or touch, and what is between them."""
    marked = sorted((hunk.start, hunk.end, at) for at in (0, 1) for hunk in hunks[at])
    done, shift, left = 0, [0, 0], [list(reversed(one)) for one in hunks]
    while marked:
        start, end, _ = marked.pop(0)
        while marked and marked[0][0] <= end:
            end = max(end, marked.pop(0)[1])
        yield base[done:start]
        taken = [_take(one, end) for one in left]
        firsts = [start + shift[at] for at in (0, 1)]
        shift = [shift[at] + sum((h.last - h.first) - (h.end - h.start) for h in taken[at]) for at in (0, 1)]
        ours, theirs = (sides[at][firsts[at] : end + shift[at]] for at in (0, 1))
        yield Chunk(start, base[start:end], ours, theirs, _join(base, (start, end), sides, taken))
        done = end
    yield base[done:]


def _take(hunks: list[_Hunk], end: int) -> list[_Hunk]:
    taken = []
    while hunks and hunks[-1].start <= end:
        taken.append(hunks.pop())
    return taken


def _join(base: Lines, place: tuple[int, int], sides: tuple[Lines, Lines], taken: Sequence[Sequence[_Hunk]]) -> Lines | None:
    """The changes of both, one after the other; None when any two overlap, or when nobody knows which comes first."""
    if any(_overlap(one, other) for one in taken[0] for other in taken[1]):
        return None
    at, lines = place[0], list[str]()
    for hunk, side in sorted(((h, s) for s in (0, 1) for h in taken[s]), key=lambda pair: (pair[0].start, pair[0].end)):
        lines += base[at : hunk.start]
        lines += sides[side][hunk.first : hunk.last]
        at = hunk.end
    return (*lines, *base[at : place[1]])


def _overlap(one: _Hunk, other: _Hunk) -> bool:
    """Two insertions at one place do, too: nobody knows which comes first."""
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    if one.start == one.end:
        return other.start < one.start < other.end
    if other.start == other.end:
        return one.start < other.start < one.end
    return max(one.start, other.start) < min(one.end, other.end)
