"""The last proofs before a save lands: its tree, its chain, its gates, and the claim of each task.

Rule: whatever they find is an answer about tasks, told by the same look that finds it, and never just a refusal: who is asked
again for ever to land what must not land keeps everybody else waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchd.adapters.claim_proof import find_strays
from orchd.adapters.git_repo import GitRepo
from orchd.core.wording import landed_links
from orchd.errors import OrchdError
from orchd.model.claim import Lease
from orchd.model.ids import Oid, TaskId
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.save import Excluded, Merged, Save, Target
from orchd.model.work import Reason

LeaseOf = Callable[[TaskId], Lease | None]


def find_refused(repo: GitRepo, save: Save, commit: Oid, lease_of: LeaseOf) -> tuple[Excluded, ...]:
    """The tasks of a gated save that must not land as `commit` (for a line there is none), and why; empty: it may land."""
    faults = tuple(_find_line_faults(repo, save) if save.target is Target.LINE else _find_faults(repo, save, commit))
    if faults:
        return tuple(Excluded(link.item, Reason.PROOF, faults) for link in landed_links(save))
    return () if save.target is Target.LINE else tuple(_find_strayed(repo, save, lease_of))


def prove_landing(repo: GitRepo, save: Save, commit: Oid, lease_of: LeaseOf) -> None:
    """Raises OrchdError when anything of a gated save must not land."""
    for gone in find_refused(repo, save, commit, lease_of):
        what = f"outside the claim of {gone.item.task}: {gone.detail[0]}" if gone.reason is Reason.CLAIM else gone.detail[0]
        raise OrchdError(f"save {save.id} must not land: {what}", "nothing has moved; the task is held, and says more")


def _find_faults(repo: GitRepo, save: Save, commit: Oid) -> Iterator[str]:
    """What is wrong with a checkpoint commit: it has the gated tree, base and chain as parents, and the chain is sound."""
    link = last_link(save)
    if repo.tree_of(commit) != link.tree:
        yield "the tree of its checkpoint is not the gated one"
    if repo.parents_of(commit) != (save.base, link.head):
        yield "the parents of its checkpoint are not base and chain"
    yield from _find_line_faults(repo, save)


def _find_line_faults(repo: GitRepo, save: Save) -> Iterator[str]:
    if not is_sound(repo, save):
        yield "its chain of merges is broken"
    if save.gates and not is_green(save):
        yield "no gate was green on its tree"


def _find_strayed(repo: GitRepo, save: Save, lease_of: LeaseOf) -> Iterator[Excluded]:
    """Work outside the claim that its task has now. Whether it still has the lease of the save is not asked here."""
    for item in (link.item for link in landed_links(save)):
        lease = lease_of(item.task)
        strays = tuple(find_strays(repo, save, item, lease.paths)) if lease else ()
        if strays:
            yield Excluded(item, Reason.CLAIM, strays[:DETAIL_ITEMS])


def is_sound(repo: GitRepo, save: Save) -> bool:
    """Each link is a merge of its tip into the one before, or the one before already held it."""
    heads = (save.base, *(link.head for link in landed_links(save)))
    pairs = zip(heads, landed_links(save), strict=False)
    return all(
        repo.tree_of(link.head) == link.tree and (link.head == before or repo.parents_of(link.head) == (before, link.item.tip))
        for before, link in pairs
    )


def is_green(save: Save) -> bool:
    """Whether gates judged what lands."""
    return any(verdict.green and verdict.index == save.lands for verdict in save.verdicts)


def last_link(save: Save) -> Merged:
    """The end of what lands. Raises OrchdError when nothing does."""
    if not 0 < save.lands <= len(save.chain):
        raise OrchdError(f"save {save.id} has nothing to land", "this is a defect of orchd: please report it")
    return save.chain[save.lands - 1]
