"""Saving: which tree to gate next, what may land, whom to blame.

The chain holds one link per task. The whole chain is gated first; when it is red, the longest green prefix is searched
by halving, and the first link after it is the culprit by inference. What landed is always a prefix whose very tree was
gated green (or everything, where no gates are configured).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from orchd.core.conflicts import order_merges
from orchd.core.exit_words import tell_exit
from orchd.core.sessions import find_start, is_landing_due, session_of, takes_saves, works_apart
from orchd.core.statuses import ACTIVE
from orchd.model.config import Config
from orchd.model.ids import Oid, SaveId, SessionId, TaskId, gate_run
from orchd.model.limits import GATHER_SECONDS, SAVE_ITEMS
from orchd.model.run import Exit, Outcome
from orchd.model.save import Excluded, Gate, GateResult, Save, SaveItem, Target, Verdict
from orchd.model.session import Session
from orchd.model.snapshot import State
from orchd.model.work import Reason, Status, Task

RED_BEFORE = "main itself is red: the gates fail without this task, too"


def plan_save(state: State, base: Oid, config: Config, now_ms: int) -> Save | None:
    """The next save: a line that is to land, else the first SAVE_ITEMS ready tasks of the session whose turn it is, in the
    order of `order_merges`. `base` is main; ready tasks of a session that works apart go to its line."""
    if state.save is not None:
        return None
    due = next((name for name in sorted(state.sessions) if is_landing_due(state, state.sessions[name])), None)
    if due is not None:
        session = state.sessions[due]
        items = tuple(replace(_item(task, state), tip=task.commit) for task in (state.tasks[name] for name in session.line))
        return _make_save(Save("", due, base, items, (), state.next_number, now_ms, start=session.start), session, config)
    ready = _find_savable(state)
    if not ready:
        return None
    ready.sort(key=lambda task: task.order)
    session = session_of(state, ready[0].spec.session)
    name, apart = session.spec.id, works_apart(session)
    taken = [task for task in ready if task.spec.session == name][:SAVE_ITEMS]
    items = tuple(_item(task, state) for task in order_merges(taken, state.conflicts))
    target, base = (Target.LINE, find_start(state, name, base)) if apart else (Target.MAIN, base)
    return _make_save(Save("", name, base, items, (), state.next_number, now_ms, target=target), session, config)


def _make_save(save: Save, session: Session, config: Config) -> Save:
    """With its gates, those of the configuration first, and its id."""
    gates = config.gates + session.spec.gates
    return replace(save, gates=gates, id=_identify(save.session, save.base, save.items, gates, save.number))


def _find_savable(state: State) -> list[Task]:
    ready = (task for task in state.tasks.values() if task.status is Status.READY)
    return [task for task in ready if takes_saves(session_of(state, task.spec.session))]


def gathers_until(state: State, now_ms: int) -> int | None:
    """Until when (milliseconds) the next save waits for more tasks; None: it does not. It waits only for tasks that run, and
    not when the clock was set back."""
    ready = [task.ended_ms for task in _find_savable(state)]
    if state.save is not None or not 0 < len(ready) < SAVE_ITEMS:
        return None
    waits = any(task.status in ACTIVE for task in state.tasks.values())
    until = min(ready) + int(GATHER_SECONDS * 1000)
    return until if waits and min(ready) <= now_ms < until else None


def next_probe(save: Save) -> int | None:
    """How many links to gate together next (0: the base itself, before the first link is blamed); None when enough is
    known."""
    if not save.gates or not save.chain:
        return None
    green, red = bounds(save)
    if red is None:
        return None if green == len(save.chain) else len(save.chain)
    if red == 1:
        return None if any(verdict.index == 0 for verdict in save.verdicts) else 0
    return None if red - green == 1 else (green + red) // 2


def bounds(save: Save) -> tuple[int, int | None]:
    """The longest prefix known green (0: the base) and the shortest known red."""
    green = max((v.index for v in save.verdicts if v.green), default=0)
    return green, min((v.index for v in save.verdicts if not v.green and v.index > 0), default=None)


def landable(save: Save) -> int:
    """How many links may land once no probe is left."""
    return bounds(save)[0] if save.gates else len(save.chain)


def blame(save: Save) -> tuple[Excluded, ...]:
    """The item that turned the chain red, with the gates that said so and the run that has their log."""
    red = bounds(save)[1]
    if red is None:
        return ()
    verdict = next(v for v in save.verdicts if v.index == red and not v.green)
    log = gate_run(save.id, verdict.index, verdict.attempt)
    before = (RED_BEFORE,) if any(v.index == 0 and not v.green for v in save.verdicts) else ()
    return (Excluded(save.chain[red - 1].item, Reason.GATE, (*describe_red(verdict.results), *before, log)),)


def lands_nothing_new(save: Save) -> bool:
    """Whether the tree that may land is the base's own: main and tags are then left alone."""
    return save.lands > 0 and save.chain[save.lands - 1].tree == save.base_tree


def judge_gates(save: Save, index: int, ended: Exit) -> Verdict:
    """The verdict of a gate run that ended by itself. Green needs a green result of every gate."""
    results = tuple(GateResult(r.name, r.code == 0 and not r.timed_out, r.code, r.seconds, r.timed_out) for r in ended.results)
    complete = ended.outcome is Outcome.EXITED and [r.gate for r in results] == [gate.name for gate in save.gates]
    return Verdict(index, complete and all(r.green for r in results), results, save.gate_attempt)


def describe_red(results: Iterable[GateResult]) -> tuple[str, ...]:
    """One line for each red gate."""
    return tuple(f"gate `{result.gate}` {_tell_red(result)}" for result in results if not result.green)


def _tell_red(result: GateResult) -> str:
    if result.timed_out:
        return f"timed out after {result.seconds:.0f} s"
    if result.code < 0 and not result.seconds:
        return "left no evidence of its end"
    return tell_exit(result.code)


def tasks_of(save: Save) -> frozenset[TaskId]:
    """The tasks that a save works on and has not excluded."""
    return frozenset(item.task for item in save.items) - {gone.item.task for gone in save.excluded}


def _item(task: Task, state: State) -> SaveItem:
    fence = state.leases[task.spec.id].fence
    return SaveItem(task.spec.id, task.generation, task.attempt, task.tip, task.base, fence)


def _identify(session: SessionId, base: Oid, items: tuple[SaveItem, ...], gates: tuple[Gate, ...], number: int) -> SaveId:
    """The number is part of it because dates and names inside the objects follow from it."""
    return hashlib.sha256(repr((session, base, items, gates, number)).encode()).hexdigest()[:12]
