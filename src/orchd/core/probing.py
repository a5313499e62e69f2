"""Probing: what a run of gates on one tree has said, as events. The judgement is `core.gating`'s."""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.attempts import UNSEEN
from orchd.core.gating import hear, judge, probe_run
from orchd.core.room import was_starved
from orchd.model.message import GateLost, GateRan, GateStarved, GateTried
from orchd.model.run import Phase
from orchd.model.save import Save, Try
from orchd.model.snapshot import Known, Snapshot


def is_due(save: Save, index: int, snapshot: Snapshot) -> bool:
    """Whether the run of a probe has not begun."""
    return snapshot.runs.get(probe_run(save, index), UNSEEN).phase is Phase.ABSENT


def hear_gates(
    save: Save, index: int, known: Known, snapshot: Snapshot
) -> Iterator[GateRan | GateTried | GateLost | GateStarved]:
    """What is known of one tree, or what its run said; nothing while it goes on."""
    seen = snapshot.runs.get(probe_run(save, index), UNSEEN)
    over = seen.phase in (Phase.LOST, Phase.ENDED)
    last = (hear(save, index, seen.exit) if seen.exit else Try(index)) if over else None
    verdict = judge(save, index, known, last)
    if last is not None and was_starved(seen, snapshot) and not (verdict and verdict.green):
        yield GateStarved(save.id, index, snapshot.now_ms)
    elif verdict is not None:
        yield GateRan(save.id, verdict)
    elif last is not None:
        yield GateTried(save.id, index, last.results) if last.results else GateLost(save.id, index)
