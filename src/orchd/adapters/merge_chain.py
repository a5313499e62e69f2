"""Merging without a work tree: finished tasks become a chain of merge commits on the base.

Rule: a chain is a function of the save's record, and no merge is used that was not proven.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.merge_report import report_merge
from orchd.adapters.second_opinion import prove_merge
from orchd.adapters.tree_union import unite_trees
from orchd.core.wording import word_merge
from orchd.model.ids import Oid
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.save import Excluded, Merged, Save, SaveItem, Target
from orchd.model.snapshot import ChainSeen
from orchd.model.work import Reason


def build_chain(repo: GitRepo, save: Save, titles: Sequence[str]) -> ChainSeen:
    """Merge the items in order; one that cannot be merged is left out with a reason. The links of a line hold each other:
    after one that is left out there is nothing more to merge."""
    head, chain, excluded = save.base, list[Merged](), list[Excluded]()
    for item, title in zip(save.items, titles, strict=True):
        made = _merge_item(repo, save, item, word_merge(item, title, save), head)
        if isinstance(made, Excluded):
            excluded.append(made)
            if save.start:
                break
        else:
            chain.append(made)
            head = made.head
    return ChainSeen(repo.tree_of(save.base), tuple(chain), tuple(excluded))


def _merge_item(repo: GitRepo, save: Save, item: SaveItem, message: str, head: Oid) -> Merged | Excluded:
    near = item.base and repo.parents_of(item.tip) == (item.base,)
    found: object = item.base if near else repo.library.merge_base(head, item.tip)
    if found is None:
        return Excluded(item, Reason.BASE, ("its history has nothing in common with main",))
    begun = save.start or item.base
    if begun and not repo.contains(save.base, begun):
        return Excluded(item, Reason.BASE, (_tell_gone(save, begun),))
    if str(found) == item.tip:
        return Merged(item, head, repo.tree_of(head))
    tree = merge_commits(repo, str(found), head, item.tip)
    if isinstance(tree, tuple):
        return Excluded(item, Reason.CONFLICT, tree)
    if faults := prove_merge(repo, str(found), (head, item.tip), tree):
        return Excluded(item, Reason.PROOF, faults)
    return Merged(item, repo.write_commit(tree, [head, item.tip], message, save.date_ms), tree)


def merge_commits(repo: GitRepo, base: Oid, ours: Oid, theirs: Oid) -> Oid | tuple[str, ...]:
    """The merged tree of two commits, or the paths that stand against it. Raises GitError when git came to no verdict."""
    united = unite_trees(repo, *map(repo.tree_of, (base, ours, theirs)))
    return _merge_trees(repo, ours, theirs) if united is None else united


def _tell_gone(save: Save, begun: Oid) -> str:
    if save.target is Target.LINE:
        return f"the line of its session was cut: it does not contain {begun[:12]} any more, which the task was started from"
    if save.start:
        return f"main does not contain {begun[:12]}, which the session began on"
    return f"main was moved back: it does not contain {begun[:12]} any more, which the task was started from"


def _merge_trees(repo: GitRepo, ours: Oid, theirs: Oid) -> Oid | tuple[str, ...]:
    """The merged tree, or the paths that stand against it. Raises GitError when git did not come to a verdict."""
    report = report_merge(repo.place, ours, theirs)
    if report.clean:
        return report.tree
    return tuple(one.path for one in report.disputes[:DETAIL_ITEMS]) or ("git could not merge it",)
