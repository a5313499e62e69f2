"""Landing: how the save in flight moves on, one table row per step. Evidence in, steps out.

Rule: main is asked to move only from the very base that the gated chain was built on; if main moved, the save is
abandoned before the commit point and its tasks are planned again on the new base.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from orchd.core.evolve import evolve
from orchd.core.gating import blame, landable, next_probes
from orchd.core.gone import UNBEGUN, list_landings
from orchd.core.ownership import find_next_number
from orchd.core.probing import hear_gates, is_due
from orchd.core.room import hold_for_room
from orchd.core.saving import gathers_until, is_rushed, lands_nothing_new, plan_save
from orchd.core.sessions import exclude_built_on, is_recalled
from orchd.model.message import (
    Event,
    LandingsGone,
    SaveAbandoned,
    SaveClosed,
    SaveGated,
    SaveHeld,
    SaveLanded,
    SaveMerged,
    SavePlanned,
    SaveRefused,
)
from orchd.model.save import Save, SaveStep, Target
from orchd.model.snapshot import SaveSeen, Snapshot, State

Step = Callable[[Save, SaveSeen, Snapshot], Iterator[Event]]


def begin_save(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """A new save when none is in flight and something is ready, and nothing more is about to be."""
    state = replace(state, next_number=find_next_number(state, snapshot.shared))
    rushed = is_rushed(state, snapshot)
    save = plan_save(state, snapshot.main, snapshot.config, snapshot.now_ms, rushed=rushed)
    if save is not None and gathers_until(state, snapshot) is None:
        yield SavePlanned(save)


def hear_gone(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """Which landings main has lost, or has again. What was asked for again and has begun is no landing any more; of what has
    not, nothing is left to do."""
    if snapshot.gone != state.gone:
        lost, back = snapshot.gone - state.gone, (state.gone - snapshot.gone) & list_landings(state).keys()
        moot = (name for name in back if state.tasks[name].status in UNBEGUN)
        yield LandingsGone(*(tuple(sorted(names)) for names in (snapshot.gone, lost, back, moot)))


def advance_save(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """The next steps of the save in flight, as far as the evidence goes."""
    seen = snapshot.save
    while state.save is not None and seen is not None and seen.id == state.save.id:
        if is_recalled(state.save, state, snapshot.main):
            yield SaveAbandoned(state.save.id, snapshot.now_ms)
            return
        events = tuple(STEPS[state.save.step](state.save, seen, snapshot))
        if not events:
            return
        yield from events
        state = evolve(state, events)


def _leave_planned(save: Save, seen: SaveSeen, snapshot: Snapshot) -> Iterator[Event]:
    if _is_overtaken(save, seen, snapshot):
        yield SaveAbandoned(save.id, snapshot.now_ms)
        return
    if seen.chain is None:
        return
    excluded = exclude_built_on(save, seen.chain.excluded)
    yield SaveMerged(save.id, seen.chain.base_tree, seen.chain.chain, excluded)
    if not seen.chain.chain:
        yield SaveAbandoned(save.id, snapshot.now_ms)


def _leave_merged(save: Save, seen: SaveSeen, snapshot: Snapshot) -> Iterator[Event]:
    probes = next_probes(save)
    if _is_overtaken(save, seen, snapshot):
        yield SaveAbandoned(save.id, snapshot.now_ms)
    elif probes:
        heard = (event for index in probes for event in hear_gates(save, index, snapshot.gates.known, snapshot))
        waits = any(is_due(save, index, snapshot) for index in probes)
        yield from itertools.islice(itertools.chain(heard, hold_for_room(save, snapshot, waits=waits)), 1)
    else:
        lands = landable(save)
        yield SaveGated(save.id, lands, exclude_built_on(save, blame(save)))
        if lands == 0:
            yield SaveAbandoned(save.id, snapshot.now_ms)


def _leave_gated(save: Save, seen: SaveSeen, snapshot: Snapshot) -> Iterator[Event]:
    if seen.landed:
        yield SaveLanded(save.id, seen.landed)
    elif _is_overtaken(save, seen, snapshot):
        yield SaveAbandoned(save.id, snapshot.now_ms)
    elif seen.refused:
        yield SaveRefused(save.id, exclude_built_on(save, seen.refused))
        yield SaveAbandoned(save.id, snapshot.now_ms)
    elif save.target is Target.LINE:
        yield from _leave_landed(save, seen, snapshot)
    elif lands_nothing_new(save):
        yield SaveClosed(save.id, snapshot.now_ms)
    elif (seen.hold, seen.hold_detail) != (save.hold, save.hold_detail):
        yield SaveHeld(save.id, seen.hold, seen.hold_detail)


def _leave_landed(save: Save, seen: SaveSeen, snapshot: Snapshot) -> Iterator[Event]:
    if seen.published and snapshot.gates.kept:
        merged = save.chain[: save.lands] if save.target is Target.LINE else ()
        yield SaveClosed(save.id, snapshot.now_ms, tuple(link.item.task for link in merged))


def _is_overtaken(save: Save, seen: SaveSeen, snapshot: Snapshot) -> bool:
    """Whether this save cannot land any more: main is not its base now, or somebody else took the name of its checkpoint.
    Nobody but orchd moves a line."""
    return save.target is Target.MAIN and (snapshot.main != save.base or seen.taken)


STEPS: Mapping[SaveStep, Step] = {
    SaveStep.PLANNED: _leave_planned,
    SaveStep.MERGED: _leave_merged,
    SaveStep.GATED: _leave_gated,
    SaveStep.LANDED: _leave_landed,
}
