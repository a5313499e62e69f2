"""Claims: does a glob cover a path, and can two claims meet?

Overlap is decided for files that do not exist yet, as the intersection of two glob languages, on folded names (two names
that one file system would take for the same file overlap). When in doubt, it says overlap: two tasks that wait for each
other lose minutes, two that collide lose work.
"""

from __future__ import annotations

import fnmatch
import functools
import itertools
import operator
import re
from collections.abc import Callable, Iterable, Sequence

from orchd.core.folding import fold_name
from orchd.model.claim import Mode, PathSpec

_WILD = re.compile(r"[*?]+")

GETS_ALONG = frozenset({(Mode.READ, Mode.READ), (Mode.APPEND, Mode.APPEND)})


def covers(spec: PathSpec, path: str) -> bool:
    """Whether `path` (from the root, `/` between segments) is one that the glob names. Compared exactly."""
    return _match_segments(_expand(spec.glob), path.split("/"))


def find_clash(ours: Iterable[PathSpec], theirs: Iterable[PathSpec]) -> tuple[PathSpec, PathSpec] | None:
    """The first pair that cannot be held at the same time, or None."""
    held = tuple(theirs)
    for mine in ours:
        for other in held:
            if (mine.mode, other.mode) not in GETS_ALONG and overlaps(mine.glob, other.glob):
                return mine, other
    return None


@functools.lru_cache(maxsize=65536)
def overlaps(first: str, second: str) -> bool:
    """Whether any path could be named by both globs."""
    return _meet(_segments(first), _segments(second), "**", _meet_segments)


@functools.lru_cache(maxsize=65536)
def literal_prefix(glob: str) -> tuple[str, ...]:
    """The folded segments before the first one with a wildcard: globs overlap only if one of their prefixes begins with
    the other."""
    return tuple(itertools.takewhile(lambda segment: "*" not in segment, _segments(glob)))


def _match_segments(globs: tuple[str, ...], path: list[str]) -> bool:
    """Walks the segments with the set of places reached so far: no backtracking, whatever the glob."""
    reached = _skip_stars(globs, {0})
    for segment in path:
        stay = {at for at in reached if at < len(globs) and globs[at] == "**"}
        step = {at + 1 for at in reached - stay if at < len(globs) and _pattern(globs[at]).match(segment)}
        reached = _skip_stars(globs, stay | step)
    return len(globs) in reached


def _skip_stars(globs: tuple[str, ...], reached: set[int]) -> set[int]:
    for at, segment in enumerate(globs):
        if at in reached and segment == "**":
            reached.add(at + 1)
    return reached


@functools.lru_cache(maxsize=65536)
def _pattern(segment: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(segment))


@functools.lru_cache(maxsize=65536)
def _expand(glob: str) -> tuple[str, ...]:
    """Segments; a final `**` is at least one segment, any other is any number of them."""
    segments = tuple(glob.split("/"))
    return (*segments[:-1], "*", "**") if segments[-1] == "**" else segments


@functools.lru_cache(maxsize=65536)
def _segments(glob: str) -> tuple[str, ...]:
    """Segments, folded. As one character can fold to several or to none, `?` may stand for any number of them here."""
    return tuple(s if s == "**" else "*".join(map(fold_name, _WILD.split(s))) for s in _expand(glob))


@functools.lru_cache(maxsize=65536)
def _meet_segments(first: str, second: str) -> bool:
    return _meet(first, second, "*", operator.eq)


def _meet(first: Sequence[str], second: Sequence[str], star: str, alike: Callable[[str, str], bool]) -> bool:
    """Whether two patterns name a common word; `star` stands for any number of letters.

    Bit n of `reached` says that the part of `first` read so far and the first n letters of `second` name a common word:
    one row of the table at a time, so the longest globs cost milliseconds and no recursion.
    """
    stars = _bits(letter == star for letter in second)
    same = functools.cache(lambda one: _bits(letter != star and alike(one, letter) for letter in second))
    reached = _skip(1, stars)
    for letter in first:
        if letter == star:
            reached = (2 << len(second)) - (reached & -reached)
        else:
            reached = _skip((reached & same(letter)) << 1 | reached & stars, stars)
        if not reached:
            return False
    return bool(reached >> len(second))


def _bits(places: Iterable[bool]) -> int:
    return sum(1 << at for at, there in enumerate(places) if there)


def _skip(reached: int, stars: int) -> int:
    """A star may stand for nothing, so whoever is before it is also behind it."""
    while (more := reached | (reached & stars) << 1) != reached:
        reached = more
    return reached
