"""Merges that people made, made again: what git and the recipes come to, against what was committed.

Rule: the repository is only read; what git writes meanwhile goes to a folder that is thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry
from orchd.adapters.merge_report import report_merge
from orchd.adapters.quarantine import Quarantine
from orchd.adapters.resolve import read_texts
from orchd.core.lessons import Replayed
from orchd.core.resolving import may_resolve, resolve
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.merge import Dispute, Recipe


@dataclass(frozen=True, slots=True)
class RealMerge:
    """A merge of two parents with one common base, which neither of them is."""

    oid: Oid
    base: Oid
    ours: Oid
    theirs: Oid


def list_merges(repo: GitRepo, *starts: str) -> Iterator[RealMerge]:
    """The merges in the history of `starts` (`--all`: of everything), the newest first, without those that orchd made."""
    options = ("--min-parents=2", "--max-parents=2", "--parents", "--invert-grep", "--grep=^Orch-Save: ")
    for line in repo.git.run("rev-list", *options, *starts).decode().splitlines():
        oid, ours, theirs = line.split()
        bases = repo.git.attempt("merge-base", "--all", ours, theirs).stdout.decode().split()
        if len(bases) == 1 and bases[0] not in (ours, theirs):
            yield RealMerge(oid, bases[0], ours, theirs)


def replay_merges(repo: GitRepo, branch: str, most: int) -> Iterator[Replayed]:
    """What the newest merges of a branch come to when they are made again."""
    with tempfile.TemporaryDirectory(prefix="orchd-replay-") as folder:
        store = Quarantine(repo.place, Path(folder)).redirect()
        for merge in islice(list_merges(repo, branch), most):
            yield replay_merge(repo, merge, store)


def replay_merge(repo: GitRepo, merge: RealMerge, store: Mapping[str, str] | None = None) -> Replayed:
    """What one merge comes to. A merge that git cannot make at all teaches nothing."""
    try:
        report = report_merge(repo.place, merge.ours, merge.theirs, store)
    except GitError:
        return Replayed(disputed=False)
    outcomes = (judge_recipes(repo, merge, one) for one in report.disputes if may_resolve(one))
    return Replayed(not report.clean, tuple(one for one in outcomes if one is not None))


def judge_recipes(repo: GitRepo, merge: RealMerge, dispute: Dispute) -> Mapping[Recipe, bool] | None:
    """For each recipe that settles the file by itself: whether that is what the people committed. None: it is no text."""
    texts = read_texts(repo, dispute)
    if texts is None:
        return None
    people = find_entry(repo, repo.tree_of(merge.oid), dispute.path)
    committed = repo.read(people.oid) if people.oid else None
    made = {recipe: resolve(texts, [recipe]) for recipe in Recipe}
    return {recipe: one.text.encode() == committed for recipe, one in made.items() if one is not None}
