"""Checkpoints that main has lost, and what people said about that.

Rule: only a person settles a loss, by name and time. That something landed later says nothing by itself: it takes the place of
what was lost only where somebody asked for that very task again, and that was done. Clients use this, so it stays light.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchd.core.inert import inert
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, TaskId
from orchd.model.save import Checkpoint
from orchd.model.text import moment_of

WAIVED, AGAIN = "waived", "asked for again"
SAID = re.compile(rf"({WAIVED}|{AGAIN}): (\S+) by (.+) at (\S+)")
"""A line of the note on a lost commit."""

TOKEN = re.compile(r"(\S+) (\d+)\.(\d+) ")
"""Of one task in the trailer of a checkpoint: its name, its generation, its attempt."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a checkpoint landed, as its trailer names it."""

    task: TaskId
    generation: int
    attempt: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Loss:
    """A checkpoint that main does not contain (any more): its tag, its commit, its work, and the note of what people said."""

    checkpoint: str
    commit: Oid
    work: tuple[Work, ...] = ()
    note: str = ""


def parse_work(checkpoint: str, tokens: Iterable[str]) -> tuple[Work, ...]:
    """The work of a checkpoint from the values of its trailer."""
    found = filter(None, map(TOKEN.match, tokens))
    return tuple(Work(said[1], int(said[2]), int(said[3]), checkpoint) for said in found)


def is_unbroken(tip: Oid, checkpoints: Sequence[Checkpoint]) -> bool:
    """Whether each of `checkpoints` was built on another one of them, down from `tip`: then all are there, and git need not
    be asked."""
    left = {one.commit: one.base for one in checkpoints}
    while tip in left:
        tip = left.pop(tip)
    return not left


def word_waiver(checkpoint: str, who: str, at_ms: int) -> str:
    """The line with which `who` says that main lost a checkpoint on purpose."""
    return f"{WAIVED}: {checkpoint} by {who} at {moment_of(at_ms)}\n"


def word_again(task: TaskId, who: str, at_ms: int) -> str:
    """The line with which `who` asks for the work of a task again that main lost."""
    return f"{AGAIN}: {task} by {who} at {moment_of(at_ms)}\n"


def asks_again(loss: Loss) -> bool:
    """Whether all that was lost was asked for again, so that it matters what landed later."""
    return bool(loss.work) and all(_find(loss, AGAIN, one.task) for one in loss.work)


def tell_settled(loss: Loss, landed: Iterable[Work]) -> str:
    """What settles the loss, where `landed` is what main contains; empty: nothing does yet."""
    waiver = _find(loss, WAIVED, loss.checkpoint)
    if waiver:
        return f"{WAIVED} by {waiver}"
    there = tuple(landed)
    later = [found for one in loss.work if (found := _find_later(one, there))]
    if not asks_again(loss) or len(later) < len(loss.work):
        return ""
    names = ", ".join(dict.fromkeys(inert(one.checkpoint) for one in later))
    asked = ", ".join(f"{inert(one.task)} by {_find(loss, AGAIN, one.task)}" for one in loss.work)
    return f"superseded by {names} ({AGAIN}: {asked})"


def _find_later(lost: Work, landed: Iterable[Work]) -> Work | None:
    """What takes its place: the newest later attempt of the same. A new wording is another generation, and something else."""
    same = (one for one in landed if (one.task, one.generation) == (lost.task, lost.generation) and one.attempt > lost.attempt)
    return max(same, key=lambda one: one.attempt, default=None)


def tell_waived(subject: str, note: str) -> str:
    """Who has waived `subject`, and when; empty: nobody has."""
    return _find(Loss("", "", note=note), WAIVED, subject)


def _find(loss: Loss, what: str, subject: str) -> str:
    """Who said it, and when; empty when nobody did. The first one counts."""
    for line in loss.note.splitlines():
        said = SAID.fullmatch(line)
        if said and said[1] == what and said[2] == subject:
            return inert(f"{said[3]} at {said[4]}")
    return ""
