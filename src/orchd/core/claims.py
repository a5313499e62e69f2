"""Claims: does a glob cover a path, and can two claims meet?

Overlap is decided for files that do not exist yet, as the intersection of two glob languages, on names folded for case
and decomposed (two names that one file system would take for the same file overlap). When in doubt, it says overlap:
two tasks that wait for each other lose minutes, two that collide lose work.
"""

from __future__ import annotations

import fnmatch
import functools
import re
import unicodedata
from collections.abc import Iterable

from orchd.model.claim import Mode, PathSpec

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
    return _meet_paths(_segments(first), _segments(second))


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


@functools.lru_cache(maxsize=4096)
def _pattern(segment: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(segment))


@functools.lru_cache(maxsize=4096)
def _expand(glob: str) -> tuple[str, ...]:
    """Segments; a final `**` is at least one segment, any other is any number of them."""
    segments = tuple(glob.split("/"))
    return (*segments[:-1], "*", "**") if segments[-1] == "**" else segments


@functools.lru_cache(maxsize=4096)
def _segments(glob: str) -> tuple[str, ...]:
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", glob).casefold())
    # One character can fold to several, so `?` may stand for any number of them here.
    return _expand(folded.replace("?", "*"))


@functools.lru_cache(maxsize=65536)
def _meet_paths(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    if not first or not second:
        return all(segment == "**" for segment in first or second)
    if first[0] == "**":
        return _meet_paths(first[1:], second) or _meet_paths(first, second[1:])
    if second[0] == "**":
        return _meet_paths(second, first)
    return _meet_segments(first[0], second[0]) and _meet_paths(first[1:], second[1:])


@functools.lru_cache(maxsize=65536)
def _meet_segments(first: str, second: str) -> bool:
    if not first or not second:
        return set(first or second) <= {"*"}
    if first[0] == "*":
        return _meet_segments(first[1:], second) or _meet_segments(first, second[1:])
    if second[0] == "*":
        return _meet_segments(second, first)
    return first[0] == second[0] and _meet_segments(first[1:], second[1:])
