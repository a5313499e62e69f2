"""From the turns of the arbiter to the records of `orchd plan`."""

from __future__ import annotations

from collections.abc import Iterable

from orchd.cli.fields import Row
from orchd.core.arbiter import Turn
from orchd.core.telling import tell_task
from orchd.model.snapshot import Cause, State


def view_plan(state: State, turns: Iterable[Turn]) -> tuple[Row, ...]:
    """One record for each waiting task, in the order in which they are asked."""
    return tuple(_view_turn(at, turn, state) for at, turn in enumerate(turns, 1))


def _view_turn(position: int, turn: Turn, state: State) -> Row:
    decision, standing, task = turn.decision, turn.standing, state.tasks[turn.decision.task]
    return {
        "position": position,
        "task": decision.task,
        "session": task.spec.session,
        "starts": decision.cause is Cause.NONE,
        "score_seconds": standing.score_ms / 1000,
        "priority": standing.priority,
        "waited_seconds": standing.waited_ms / 1000,
        "chain": standing.chain,
        "share": turn.share,
        "kept": turn.kept,
        "cause": str(decision.cause),
        "others": decision.others,
        "what": tell_task(task, state, decision).what,
    }
