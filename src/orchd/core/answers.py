"""Answers: what a person may say to a result that is held, and what follows from it.

Rule: an answer is about the very result that the person saw. It never runs the command again; the airlock judges that
result once more, so that whatever policy forbids stays out.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchd.core.policy import Change, is_claimed
from orchd.core.statuses import is_open_question
from orchd.model.claim import PathSpec
from orchd.model.ids import Oid
from orchd.model.message import TaskAnswered
from orchd.model.work import Answer, Rework, Task

ANSWERS = frozenset(Answer)


def word_answer(answer: Answer, tip: Oid, globs: Iterable[str]) -> tuple[str, ...]:
    """The words of the request: the answer, the result that it is about, and what the claim is widened by."""
    return (answer, tip, *globs)


def hear_answer(task: Task, words: tuple[str, ...]) -> TaskAnswered | None:
    """What such words come to. None: nothing is asked any more, or about another result."""
    said, tip, *globs = (*words, "", "")[: max(2, len(words))]
    if said not in ANSWERS or not is_open_question(task) or tip != task.tip:
        return None
    claims = dict.fromkeys((*task.spec.claims, *map(PathSpec, globs)))
    return TaskAnswered(task.spec.id, Rework(Answer(said), tip, task.base, task.ref), tuple(claims))


def find_outside(changes: Iterable[Change], claims: tuple[PathSpec, ...]) -> tuple[Change, ...]:
    """The changes that no claim allows, in their order."""
    return tuple(change for change in changes if not is_claimed(change, claims))
