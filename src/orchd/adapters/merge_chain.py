"""Merging without a work tree: finished tasks become a chain of merge commits on the base.

Rule: a chain is a function of the save's record, and no merge is used that was not proven.
"""

from __future__ import annotations

from collections.abc import Sequence

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.merge_report import MergeReport, report_merge
from orchd.adapters.patience import outlast
from orchd.adapters.resolve import resolve_merge
from orchd.adapters.second_opinion import prove_merge
from orchd.adapters.tree_union import unite_trees
from orchd.core.inert import inert
from orchd.core.wording import word_merge
from orchd.errors import GitError
from orchd.model.ids import Oid, RunId
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.save import Excluded, Merged, Save, SaveItem, Target
from orchd.model.snapshot import ChainSeen
from orchd.model.work import Reason


def build_chain(repo: GitRepo, save: Save, titles: Sequence[str]) -> ChainSeen:
    """Merge the items in order; one that cannot be merged is left out with a reason. The links of a line hold each other:
    after one that is left out there is nothing more to merge."""
    head, chain, excluded = save.base, list[Merged](), list[Excluded]()
    for item, title in zip(save.items, titles, strict=True):
        try:
            made = _merge_item(repo, save, item, title, head)
        except (GitError, pygit2.GitError) as error:
            made = Excluded(item, Reason.PROOF, (outlast(repo.place, attempt_run(item), "merge", error),))
        if isinstance(made, Excluded):
            excluded.append(made)
            if save.start:
                break
        else:
            chain.append(made)
            head = made.head
    return ChainSeen(repo.tree_of(save.base), tuple(chain), tuple(excluded))


def attempt_run(item: SaveItem) -> RunId:
    """The run that made an item."""
    return f"{item.task}.{item.generation}.{item.attempt}"


def _merge_item(repo: GitRepo, save: Save, item: SaveItem, title: str, head: Oid) -> Merged | Excluded:
    near = item.base and repo.parents_of(item.tip) == (item.base,)
    found: object = item.base if near else repo.library.merge_base(head, item.tip)
    if found is None:
        return Excluded(item, Reason.BASE, ("its history has nothing in common with main",))
    begun = save.start or item.base
    if begun and not repo.contains(save.base, begun):
        return Excluded(item, Reason.BASE, (_tell_gone(save, begun),))
    if str(found) == item.tip:
        return Merged(item, head, repo.tree_of(head))
    report = merge_commits(repo, str(found), head, item.tip)
    settled = (report.tree, ()) if report.clean else resolve_merge(repo, report, save.resolving)
    if settled is None:
        return Excluded(item, Reason.CONFLICT, _name_paths(report))
    tree, resolved = settled
    if faults := prove_merge(repo, str(found), (head, item.tip), tree, [one.path for one in resolved]):
        return Excluded(item, Reason.PROOF, faults)
    message = word_merge(item, title, save, resolved)
    return Merged(item, repo.write_commit(tree, [head, item.tip], message, save.date_ms), tree, resolved)


def merge_commits(repo: GitRepo, base: Oid, ours: Oid, theirs: Oid) -> MergeReport:
    """The merge of two commits. Raises GitError when git came to no verdict."""
    united = unite_trees(repo, *map(repo.tree_of, (base, ours, theirs)))
    return report_merge(repo.place, ours, theirs) if united is None else MergeReport(united, clean=True)


def _name_paths(report: MergeReport) -> tuple[str, ...]:
    return tuple(inert(one.path) for one in report.disputes[:DETAIL_ITEMS]) or ("git could not merge it",)


def _tell_gone(save: Save, begun: Oid) -> str:
    if save.target is Target.LINE:
        return f"the line of its session was cut: it does not contain {begun[:12]} any more, which the task was started from"
    if save.start:
        return f"main does not contain {begun[:12]}, which the session began on"
    return f"main was moved back: it does not contain {begun[:12]} any more, which the task was started from"
