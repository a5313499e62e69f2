"""The save under way, as `orchd status` and `orchd ps` print it."""

from __future__ import annotations

from orchd.cli.fields import Row
from orchd.core.progress import name_items, tell_excluded, tell_step
from orchd.model.ids import GATE_MARK
from orchd.model.save import Save
from orchd.model.snapshot import State

NO_SAVE: Row = {"step": "", "excluded": ()}


def view_saves(state: State) -> tuple[Row, ...]:
    """One record for each save under way: there is at most one."""
    return (_view_save(state.save),) if state.save else ()


def view_save_runs(save: Save | None, now_ms: int) -> tuple[Row, ...]:
    """The same among what runs."""
    if save is None:
        return ()
    unknown = dict.fromkeys(("attempt", "pid", "left_seconds", "tools", "tokens", "cost"))
    texts = {"run": f"{GATE_MARK}{save.id}", "kind": "save", "task": name_items(save), "last_tool": ""}
    elapsed_seconds = max(0.0, (now_ms - save.date_ms) / 1000)
    said = {"step": tell_step(save), "excluded": tell_excluded(save)}
    return ({**unknown, **texts, "elapsed_seconds": elapsed_seconds, "claims": (), **said},)


def _view_save(save: Save) -> Row:
    return {
        "save": save.id,
        "session": save.session,
        "step": tell_step(save),
        "since": save.date_ms,
        "links": len(save.chain or save.items),
        "excluded": tell_excluded(save),
    }
