"""Saving: which finished tasks go into the next save, and when. Which of them may land is `core.gating`'s."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from orchd.core.conflicts import order_merges
from orchd.core.gating import expects_red
from orchd.core.schedule import list_due, next_end_ms
from orchd.core.screens import is_screening
from orchd.core.sessions import find_start, is_landing_due, session_of, works_apart
from orchd.core.statuses import ACTIVE
from orchd.model.config import Config
from orchd.model.ids import Oid, SaveId, TaskId
from orchd.model.limits import GATHER_SECONDS, SAVE_ITEMS
from orchd.model.merge import Resolving
from orchd.model.save import GatePhase, Save, SaveItem, Target
from orchd.model.session import Session
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Task


def plan_save(state: State, base: Oid, config: Config, now_ms: int, *, rushed: bool = False) -> Save | None:
    """The next save: a line that is to land, else the first SAVE_ITEMS due tasks of the session whose turn it is, in the
    order of `order_merges`. `base` is main; ready tasks of a session that works apart go to its line. `rushed` as in
    `list_due`."""
    if state.save is not None:
        return None
    due = next((name for name in sorted(state.sessions) if is_landing_due(state, state.sessions[name])), None)
    if due is not None:
        session = state.sessions[due]
        items = tuple(replace(_item(task, state), tip=task.commit) for task in (state.tasks[name] for name in session.line))
        save = Save("", due, base, items, (), state.next_number, now_ms, start=session.start)
        return _make_save(save, session, config, state)
    ready = list_due(state, config, now_ms, rushed=rushed)
    if not ready:
        return None
    ready.sort(key=lambda task: task.order)
    session = session_of(state, ready[0].spec.session)
    name, apart = session.spec.id, works_apart(session)
    taken = [task for task in ready if task.spec.session == name][:SAVE_ITEMS]
    items = tuple(_item(task, state) for task in order_merges(taken, state.conflicts))
    target, base = (Target.LINE, find_start(state, name, base)) if apart else (Target.MAIN, base)
    return _make_save(Save("", name, base, items, (), state.next_number, now_ms, target=target), session, config, state)


def _make_save(save: Save, session: Session, config: Config, state: State) -> Save:
    """With its gates, those of the configuration first, how they are run, and its id."""
    gates = tuple(gate for gate in config.gates + session.spec.gates if gate.phase is not GatePhase.PROMOTE)
    resolving = choose_resolving(config, gated=bool(gates))
    made = replace(save, gates=gates, width=config.gates_at_once, one_by_one=expects_red(state), resolving=resolving)
    return replace(made, id=_identify(made))


def choose_resolving(config: Config, *, gated: bool) -> Resolving:
    """Which conflicts a save may settle by itself. Without a gate that judges the outcome only what a person named."""
    return config.resolving if gated else Resolving((), config.resolving.union)


def is_rushed(state: State, snapshot: Snapshot) -> bool:
    """Whether whoever looks ends when nothing is left to do, and nothing runs any more: then no time is waited for."""
    return snapshot.until_idle and not any(task.status in ACTIVE for task in state.tasks.values())


def gathers_until(state: State, snapshot: Snapshot) -> int | None:
    """Until when (milliseconds) the next save waits for more tasks; None: it does not. It waits only for tasks that run or
    are judged by themselves, and not when the clock was set back."""
    now_ms = snapshot.now_ms
    ready = [task.ended_ms for task in list_due(state, snapshot.config, now_ms, rushed=is_rushed(state, snapshot))]
    if state.save is not None or not 0 < len(ready) < SAVE_ITEMS:
        return None
    waits = is_screening(state) or any(task.status in ACTIVE for task in state.tasks.values())
    until = min(ready) + int(GATHER_SECONDS * 1000)
    return until if waits and min(ready) <= now_ms < until else None


def wakes_at(state: State, snapshot: Snapshot) -> int | None:
    """When (milliseconds) time alone lets the next save begin; None: never."""
    ends = (gathers_until(state, snapshot), next_end_ms(state, snapshot.config, snapshot.now_ms))
    return None if state.save else min((end for end in ends if end is not None), default=None)


def lands_nothing_new(save: Save) -> bool:
    """Whether the tree that may land is the base's own: main and tags are then left alone."""
    return save.lands > 0 and save.chain[save.lands - 1].tree == save.base_tree


def tasks_of(save: Save) -> frozenset[TaskId]:
    """The tasks that a save works on and has not excluded."""
    return frozenset(item.task for item in save.items) - {gone.item.task for gone in save.excluded}


def _item(task: Task, state: State) -> SaveItem:
    fence = state.leases[task.spec.id].fence
    return SaveItem(task.spec.id, task.generation, task.attempt, task.tip, task.base, fence, task.skipped, task.spent)


def _identify(save: Save) -> SaveId:
    """The number is part of it because dates and names inside the objects follow from it."""
    what = (save.session, save.base, save.items, save.gates, save.number, save.resolving)
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]
