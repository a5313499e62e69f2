"""Screening: from a finished task to the word of its own gates about it, before it may come into a save.

A screening is a save of one link that lands nothing: the link is the task's own commit, so that whatever judges the gates of a
save judges it, too, and its results are stored like all others. It ends with the result that it is about.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace

from orchd.core.gating import blame
from orchd.core.probing import hear_gates, is_due
from orchd.core.room import hold_for_room
from orchd.core.screens import gates_of
from orchd.model.ids import SaveId
from orchd.model.message import Event, GateRan, ScreenedOut, ScreeningBegun
from orchd.model.save import Gate, Merged, Save, SaveItem, SaveStep
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Status, Task

OWN = 1
"""The tree of the task stands where that of the only link of a save would."""


def screen_tasks(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """What begins, is known or was said about finished tasks by themselves."""
    for task in state.tasks.values():
        if task.status is not Status.READY:
            continue
        screening = state.screenings.get(task.spec.id)
        if screening is not None:
            yield from _judge(task, screening, snapshot)
        elif gates := gates_of(task, state, snapshot.config):
            yield ScreeningBegun(_make(task, gates, state, snapshot.now_ms))


def _judge(task: Task, screening: Save, snapshot: Snapshot) -> Iterator[Event]:
    """Nothing before it was looked up what is known of its tree."""
    stored = snapshot.screenings.get(task.spec.id)
    if stored is None or screening.verdicts:
        return
    heard = hear_gates(screening, OWN, stored.known, snapshot)
    held = hold_for_room(screening, snapshot, waits=is_due(screening, OWN, snapshot))
    for event in itertools.islice(itertools.chain(heard, held), 1):
        yield event
        if isinstance(event, GateRan) and not event.verdict.green:
            [gone] = blame(replace(screening, verdicts=(event.verdict,)))
            yield ScreenedOut(task.spec.id, gone.detail)


def _make(task: Task, gates: tuple[Gate, ...], state: State, now_ms: int) -> Save:
    fence = state.leases[task.spec.id].fence
    item = SaveItem(task.spec.id, task.generation, task.attempt, task.tip, task.base, fence)
    chain = (Merged(item, task.tip, ""),)
    save = Save("", task.spec.session, task.base, (item,), gates, 0, now_ms, step=SaveStep.MERGED, chain=chain)
    return replace(save, id=_identify(save))


def _identify(save: Save) -> SaveId:
    """The moment is part of it, so that the same result is judged anew by runs of its own where it is ready once more."""
    what = ("screening", save.session, save.items, save.gates, save.date_ms)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]
