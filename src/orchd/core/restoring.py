"""Restoring: a tree that main had before comes back, as a task that runs no command.

It lands like everything else: it claims all, is merged with what came later, and is gated. Rule: only a tree of main's own
history can come back this way, so nothing gets past the airlock that was never on main.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.gone import find_gone, tell_lost
from orchd.core.phrases import NO_COMMAND
from orchd.model.claim import PathSpec
from orchd.model.ids import DEFAULT_SESSION, Oid
from orchd.model.message import RequestRefused, TaskSeen
from orchd.model.snapshot import Intent, Snapshot, State
from orchd.model.tenure import Refused
from orchd.model.work import Answer, Rework, Source, TaskSpec


def word_restore(source: Oid, onto: Oid, title: str) -> tuple[str, ...]:
    """The words of the request: the commit whose tree comes back, the one that it takes the place of (empty: main, when it
    is its turn), and what people call that."""
    return (source, onto, title)


def hear_restore(intent: Intent, state: State, snapshot: Snapshot) -> Iterator[TaskSeen | RequestRefused]:
    """A task that brings a tree back. Nothing when the words make no sense, or when it is there already; what main does not
    contain any more can neither be taken back nor brought back so."""
    if len(intent.words) != 3 or not intent.words[0] or intent.subject in state.tasks:
        return
    source, onto, title = intent.words
    lost = find_gone(onto or source, state)
    if lost is not None:
        if intent.id not in {one.intent for one in state.refused}:
            why = tell_lost(lost.checkpoint, state.branch or "main")
            yield RequestRefused(Refused(intent.id, intent.verb, intent.subject, DEFAULT_SESSION, "", why))
    else:
        spec = TaskSpec(intent.subject, title, NO_COMMAND, DEFAULT_SESSION, claims=(PathSpec("**"),), noop=True)
        rework = Rework(Answer.RESTORE, source, onto, "")
        yield TaskSeen(spec, source, Source.COMMIT, "", 1, state.next_order, snapshot.now_ms, rework)
