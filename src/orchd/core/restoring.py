"""Restoring: a tree that main had before comes back, as a task that runs no command.

It lands like everything else: it claims all, is merged with what came later, and is gated. Rule: only a tree of main's own
history can come back this way, so nothing gets past the airlock that was never on main.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.model.claim import PathSpec
from orchd.model.ids import DEFAULT_SESSION, Oid
from orchd.model.message import TaskSeen
from orchd.model.snapshot import Intent, Snapshot, State
from orchd.model.work import Answer, Rework, Source, TaskSpec

NO_COMMAND = "echo 'this was asked for once: ask again with orchd undo or orchd restore' >&2; exit 1"
"""Stands where other tasks have their command; nobody runs it."""


def word_restore(source: Oid, onto: Oid, title: str) -> tuple[str, ...]:
    """The words of the request: the commit whose tree comes back, the one that it takes the place of (empty: main, when it
    is its turn), and what people call that."""
    return (source, onto, title)


def hear_restore(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[TaskSeen]:
    """A task that brings a tree back. Nothing when the words make no sense, or when it is there already."""
    if len(intent.words) == 3 and intent.words[0] and intent.subject not in state.tasks:
        source, onto, title = intent.words
        spec = TaskSpec(intent.subject, title, NO_COMMAND, DEFAULT_SESSION, claims=(PathSpec("**"),), noop=True)
        rework = Rework(Answer.RESTORE, source, onto, "")
        yield TaskSeen(spec, source, Source.COMMIT, "", 1, state.next_order, snapshot.now_ms, rework)
