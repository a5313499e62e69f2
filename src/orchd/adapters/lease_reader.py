"""The leases as the stored state has them now, whoever stored it: what a late writer is told by.

Rule: read again from `refs/orch/state` at each question. A daemon that slept through a takeover has an old state in its
memory, and with it old fences.
"""

from __future__ import annotations

from orchd.adapters.codec import decode
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry
from orchd.adapters.records import claim_path, load_record
from orchd.model.claim import Lease
from orchd.model.ids import STATE_REF, TaskId


class StoredLeases:
    """The leases that stand now."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo

    def fence_of(self, task: TaskId) -> int | None:
        """The fence of the lease of `task`; None when it has none, or one that expired."""
        lease = self.lease_of(task)
        return lease.fence if lease else None

    def lease_of(self, task: TaskId) -> Lease | None:
        """The lease of `task`; None when it has none, or one that expired."""
        version = self._repo.refs.read(STATE_REF)
        entry = find_entry(self._repo, self._repo.tree_of(version), claim_path(task)) if version else None
        record = self._repo.fetch([entry.oid])[0] if entry else None
        if record is None:
            return None
        lease = decode(Lease, load_record("claim", record))
        return None if lease.expired_ms else lease
