"""Answers: what a person may say to a result that is held, and what follows from it.

Rule: an answer is about the very result that the person saw. It never runs the command again; the airlock judges what it
comes to once more, so that whatever policy forbids stays out, and it is merged and gated like everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from orchd.core.policy import Change, is_claimed
from orchd.core.statuses import is_open_question
from orchd.model.claim import PathSpec
from orchd.model.ids import Oid
from orchd.model.message import TaskAnswered, TaskRetried
from orchd.model.work import Answer, Earlier, Reason, Rework, SettledFile, Task

ANSWERS: Mapping[Reason, frozenset[Answer]] = {
    Reason.CLAIM: frozenset({Answer.WIDEN, Answer.DROP}),
    Reason.CONFLICT: frozenset({Answer.OURS, Answer.THEIRS, Answer.FILES, Answer.EARLIER, Answer.TASK}),
}
"""What may be said to a result, by what is asked about it."""

_FILE = re.compile(r"([0-9a-f]{40}) (.+)", re.DOTALL)


def word_answer(answer: Answer, tip: Oid, globs: Iterable[str]) -> tuple[str, ...]:
    """The words of the request: the answer, the result that it is about, and what the claim is widened by."""
    return (answer, tip, *globs)


def word_settlement(answer: Answer, tip: Oid, onto: Oid, files: Iterable[SettledFile] = ()) -> tuple[str, ...]:
    """The words of an answer to a conflict of the result `tip` with `onto`, which had landed when the person looked."""
    return (answer, tip, onto, *(f"{file.blob} {file.path}" for file in files))


def hear_answer(task: Task, words: tuple[str, ...]) -> TaskAnswered | TaskRetried | None:
    """What such words come to. None: nothing is asked any more, or about another result, or the words make no sense."""
    said, tip, *more = (*words, "", "")[: max(2, len(words))]
    if not is_open_question(task) or task.reason is None or tip != task.tip or said not in ANSWERS[task.reason]:
        return None
    if said == Answer.TASK:
        return TaskRetried(task.spec.id, Earlier(task.tip, task.base, task.detail))
    hear = _hear_claim if task.reason is Reason.CLAIM else _hear_conflict
    return hear(task, Answer(said), more)


def _hear_claim(task: Task, said: Answer, globs: list[str]) -> TaskAnswered:
    claims = dict.fromkeys((*task.spec.claims, *map(PathSpec, globs)))
    return TaskAnswered(task.spec.id, Rework(said, task.tip, task.base, task.ref), tuple(claims))


def _hear_conflict(task: Task, said: Answer, more: list[str]) -> TaskAnswered | None:
    files = tuple(SettledFile(found[2], found[1]) for word in more[1:] if (found := _FILE.fullmatch(word)))
    if not more or not more[0] or len(files) != len(more) - 1:
        return None
    rework = Rework(said, task.tip, more[0], task.ref, task.base, files)
    return TaskAnswered(task.spec.id, rework, task.spec.claims)


def find_outside(changes: Iterable[Change], claims: tuple[PathSpec, ...]) -> tuple[Change, ...]:
    """The changes that no claim allows, in their order."""
    return tuple(change for change in changes if not is_claimed(change, claims))
