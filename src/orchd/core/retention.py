"""Retention: which checkpoints keep their tags, and why. The idea of one table of reasons is restic's (`forget`).

Rule: whatever has one reason to stay stays. What goes is the tag; the commit stays in main's history.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from orchd.model.dataclass import dataclass
from orchd.model.limits import CHECKPOINT_DAYS, CHECKPOINTS_LAST
from orchd.model.save import Checkpoint
from orchd.model.text import day_of


@dataclass(frozen=True, slots=True)
class Ties:
    """Names of checkpoints that something holds: that people pinned, that were promoted anywhere or are to be, on which a
    session begins, and that main does not contain, so that nothing but the tag may hold their work."""

    pinned: frozenset[str] = frozenset()
    promoted: frozenset[str] = frozenset()
    begun_on: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """A checkpoint, and every reason to keep its tag; none: it may go."""

    checkpoint: Checkpoint
    why: tuple[str, ...]


Rule = Callable[[Sequence[Checkpoint], Ties], Iterable[str]]


def judge_checkpoints(checkpoints: Iterable[Checkpoint], ties: Ties) -> tuple[Judged, ...]:
    """What is said of each, the newest first."""
    newest_first = sorted(checkpoints, key=lambda one: (one.created_ms, one.name), reverse=True)
    kept = [(why, frozenset(rule(newest_first, ties))) for why, rule in RULES]
    return tuple(Judged(one, tuple(why for why, names in kept if one.name in names)) for one in newest_first)


def _first(checkpoints: Sequence[Checkpoint], _: Ties) -> Iterable[str]:
    return (one.name for one in checkpoints[-1:])


def _last(checkpoints: Sequence[Checkpoint], _: Ties) -> Iterable[str]:
    return (one.name for one in checkpoints[:CHECKPOINTS_LAST])


def _daily(checkpoints: Sequence[Checkpoint], _: Ties) -> Iterable[str]:
    """The last one of each day; days without any do not count, and no clock is asked."""
    of_days: dict[str, str] = {}
    for one in checkpoints:
        of_days.setdefault(day_of(one.created_ms), one.name)
    return list(of_days.values())[:CHECKPOINT_DAYS]


def _tied(pick: Callable[[Ties], Collection[str]]) -> Rule:
    return lambda _, ties: pick(ties)


RULES: tuple[tuple[str, Rule], ...] = (
    ("the first", _first),
    (f"one of the last {CHECKPOINTS_LAST}", _last),
    (f"the last of its day, of {CHECKPOINT_DAYS} days", _daily),
    ("pinned", _tied(lambda ties: ties.pinned)),
    ("promoted", _tied(lambda ties: ties.promoted)),
    ("a session begins there", _tied(lambda ties: ties.begun_on)),
    ("main does not contain it", _tied(lambda ties: ties.apart)),
)
"""Each reason to keep a tag."""
