"""Merging without a work tree: finished tasks become a chain of merge commits on the base.

Rule: a chain is a function of the save's record, and no merge is used that was not proven. git runs on an empty
repository of our own that only borrows the objects, so neither the configuration nor the attributes of this repository
or this user can change a byte of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import HERMETIC_CONFIG, Git
from orchd.adapters.quarantine import neutral_repository
from orchd.adapters.second_opinion import prove_merge
from orchd.adapters.tree_union import unite_trees
from orchd.core.wording import word_merge
from orchd.errors import GitError
from orchd.model.ids import Oid
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.save import Excluded, Merged, Save, SaveItem, Target
from orchd.model.snapshot import ChainSeen
from orchd.model.work import Reason

MERGE_CONFIG = (*HERMETIC_CONFIG, "merge.renames=true", "merge.directoryRenames=conflict", "merge.renormalize=false")


CONFLICT_CODE = 1
"""All other codes but 0 say that git itself failed (killed, no memory, no space), which is no verdict on a task."""


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
        return Excluded(item, Reason.CONFLICT, ("its history has nothing in common with main",))
    begun = save.start or item.base
    if begun and not repo.contains(save.base, begun):
        return Excluded(item, Reason.CONFLICT, (_tell_gone(save, begun),))
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
    objects = repo.place.git_dir / "objects"
    git = Git(neutral_repository(repo.place), MERGE_CONFIG)
    done = git.attempt("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs, extra=_borrow(objects))
    if done.returncode not in (0, CONFLICT_CODE):
        raise GitError(f"git merge-tree: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    tree, *paths = done.stdout.decode("utf-8", "replace").rstrip("\0").split("\0")
    return tree if done.returncode == 0 else tuple(paths[:DETAIL_ITEMS]) or ("git could not merge it",)


def _borrow(objects: Path) -> Mapping[str, str]:
    shallow = objects.parent / "shallow"
    known = {"GIT_SHALLOW_FILE": str(shallow)} if shallow.exists() else {}
    return {"GIT_OBJECT_DIRECTORY": str(objects), **known}
