"""Leases: when the holder of a claim counts as crashed, and whose work is fenced off.

Rule: no wall clock decides here. Silence is measured by whoever watches, on its own monotonic clock, and an expired lease
is stored before anything is done about it: from then on nothing that its holder brings is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchd.core.statuses import ACTIVE
from orchd.core.watched import current_run
from orchd.model.limits import LEASE_SECONDS
from orchd.model.message import Event, LeaseExpired
from orchd.model.run import Phase, RunSeen
from orchd.model.save import Save, SaveItem
from orchd.model.snapshot import Snapshot, State


def expire_leases(state: State, snapshot: Snapshot) -> Iterator[Event]:
    """One event for each attempt whose supervisor is there and gives no heartbeat. A lease without a fence is older than
    heartbeats and does not expire."""
    for name, lease in state.leases.items():
        task = state.tasks[name]
        seen = snapshot.runs.get(current_run(task)) if task.status in ACTIVE else None
        if seen and is_silent(seen) and lease.fence and not lease.expired_ms:
            yield LeaseExpired(name, lease.fence, snapshot.now_ms)


def is_silent(seen: RunSeen) -> bool:
    """Whether a supervisor that is there has given no heartbeat for too long."""
    return seen.phase is Phase.RUNNING and seen.silent_seconds >= LEASE_SECONDS


def holds_tokens(save: Save, state: State) -> bool:
    """Whether the state still has the token of every item that would land."""
    return all(_has_token(link.item, state) for link in save.chain[: save.lands])


def _has_token(item: SaveItem, state: State) -> bool:
    task, lease = state.tasks.get(item.task), state.leases.get(item.task)
    token = (item.generation, item.attempt, item.fence)
    return task is not None and lease is not None and token == (task.generation, task.attempt, lease.fence)
