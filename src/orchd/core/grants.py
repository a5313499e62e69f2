"""How a lease changes while its task runs: a request is noted, granted or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchd.model.claim import Extension, Lease, PathSpec, Refusal
from orchd.model.limits import REFUSALS


def extend(lease: Lease, paths: Sequence[PathSpec]) -> Lease:
    """A lease that also holds `paths`."""
    fresh = tuple(path for path in dict.fromkeys(paths) if path not in lease.paths)
    return replace(lease, paths=lease.paths + fresh, extended=lease.extended + fresh)


def refuse(lease: Lease, refusal: Refusal) -> Lease:
    """A lease that also remembers a refusal; of each kind (command line, control folder) the last REFUSALS."""
    others = [one for one in lease.refused if one.ask or one.paths != refusal.paths]
    kinds = [[one for one in (*others, refusal) if bool(one.ask) is asked][-REFUSALS:] for asked in (False, True)]
    return replace(lease, refused=(*kinds[0], *kinds[1]))


def note(lease: Lease, want: Extension) -> Lease:
    """A lease that also has a request."""
    return replace(lease, wants=(*lease.wants, want))


def drop_want(lease: Lease, order: int) -> Lease:
    """The lease without the wish that came as the one of that number."""
    return replace(lease, wants=tuple(want for want in lease.wants if want.order != order))
