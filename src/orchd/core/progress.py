"""How far the save in flight is: what `orchd status` and `orchd ps` say while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchd.core.gating import bounds, next_probes
from orchd.core.inert import inert
from orchd.model.save import Excluded, Save, SaveStep, Target

SHOWN_ITEMS = 5


def tell_step(save: Save) -> str:
    """Where it is, in a few words."""
    held = f", held: {save.hold}" if save.hold else ""
    return f"{_STEPS[save.step](save)}{held}"


def tell_excluded(save: Save) -> tuple[str, ...]:
    """Each task that is left out, with its reason and what was found."""
    return tuple(map(_tell_excluded, save.excluded))


def name_items(save: Save) -> str:
    """The tasks that a save still works on."""
    gone = {excluded.item.task for excluded in save.excluded}
    return shorten_list([item.task for item in save.items if item.task not in gone])


def shorten_list(items: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(map(inert, items[:SHOWN_ITEMS]))
    return f"{shown} and {len(items) - SHOWN_ITEMS} more" if len(items) > SHOWN_ITEMS else shown


def _tell_excluded(gone: Excluded) -> str:
    found = ", ".join(map(inert, gone.detail))
    return f"{gone.item.task}: {gone.reason}{f' ({found})' if found else ''}"


def _tell_gating(save: Save) -> str:
    """`gating 2 of 3`: the gates run on the tree after the first 2 of 3 links; 0 is the base alone."""
    probes = next_probes(save)
    if not probes:
        return "gated"
    green, red = bounds(save)
    known = f"; green up to {green}, red at {red}" if red is not None else ""
    return f"gating {' and '.join(map(str, sorted(probes)))} of {len(save.chain)}{known}"


def _tell_landing(save: Save) -> str:
    where = "integrating" if save.target is Target.LINE else "landing"
    return f"{where} {save.lands} of {len(save.chain)}"


_STEPS: Mapping[SaveStep, Callable[[Save], str]] = {
    SaveStep.PLANNED: lambda save: f"merging {len(save.items)}",
    SaveStep.MERGED: _tell_gating,
    SaveStep.GATED: _tell_landing,
    SaveStep.LANDED: lambda save: f"publishing {save.lands} of {len(save.chain)}",
}
