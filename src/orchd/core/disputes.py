"""What is disputed in a merge, in words: for whoever has to decide. Clients use it: light."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchd.core.inert import inert
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.merge import CONTENTS, STRUCTURAL, Dispute

if TYPE_CHECKING:
    from orchd.core.precedents import Proposed

FILE_MODES = frozenset({0o100644, 0o100755})


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute, and how its lines are shown; none: it is no text, or there is too much. `proposed` is what it would become
    if it were settled as the same conflict was before, `change` how that differs from ours."""

    dispute: Dispute
    lines: tuple[str, ...] = ()
    proposed: Proposed | None = None
    change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """All that a result conflicts with: `onto` is what has landed (ours), `goals` what that was for, the newest first. Without
    disputes the two merge by now."""

    onto: Oid
    disputed: tuple[Disputed, ...]
    goals: tuple[str, ...] = ()

    @property
    def proposes(self) -> bool:
        """Whether all of it was settled before."""
        return bool(self.disputed) and all(one.proposed is not None for one in self.disputed)


def name_structural(dispute: Dispute) -> str:
    """Why no choice of a file settles a dispute; empty: one does."""
    return next((_name_kind(kind) for kind in dispute.kinds if kind in STRUCTURAL), "")


def take_whole(dispute: Dispute) -> bool:
    """Whether only one file or the other can be taken: they are not two plain texts."""
    sides = dispute.ours, dispute.theirs
    plain = all(one is not None and one.mode in FILE_MODES for one in sides)
    return not plain or (dispute.base is not None and dispute.base.mode not in FILE_MODES)


def name_dispute(dispute: Dispute) -> str:
    """What kind of conflict it is, in a few words."""
    if name_structural(dispute):
        return name_structural(dispute)
    if dispute.base is None:
        return "both added it" if dispute.ours and dispute.theirs else "renamed differently"
    if dispute.ours is None:
        return "ours removed or renamed it, theirs changed it" if dispute.theirs else "both renamed it"
    if dispute.theirs is None:
        return "ours changed it, theirs removed or renamed it"
    if dispute.kinds == (CONTENTS,) and not take_whole(dispute):
        return "both changed the same lines"
    return ", ".join(_name_kind(kind) for kind in dispute.kinds if kind != CONTENTS) or "both changed it"


def _name_kind(kind: str) -> str:
    return inert(kind.removeprefix("CONFLICT (").removesuffix(")"))
