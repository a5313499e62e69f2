"""Real merges once more: `python bench/replay.py REPOSITORY [--most 1000]`.

Every merge of two parents that people made in the repository (the newest first, each with one common base) is made again
as orchd makes it, and compared with what the people committed. Counted: how many come out as the people's tree, how many
are questions for a person, and how often the proofs of a merge raise an alarm on one that git makes without a conflict
(each alarm on a tree that equals the people's is certainly a false one). Then the conflicts: what each recipe alone makes of
the files, and what several together make of whole merges. Nothing is written into the repository: a bare copy is used.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.merge_chain import merge_commits
from orchd.adapters.merge_report import MergeReport
from orchd.adapters.place import Place
from orchd.adapters.replay import RealMerge, list_merges, replay_merge
from orchd.adapters.resolve import resolve_merge
from orchd.adapters.second_opinion import prove_merge
from orchd.core.lessons import Replayed, sum_up
from orchd.model.merge import Recipe, Resolving
from tables import render_table

MOST_FALSE_ALARMS = 0.01
SURE = Resolving((Recipe.WHITESPACE, Recipe.ADJACENT, Recipe.IMPORTS))
ALL = Resolving(tuple(recipe for recipe in Recipe if recipe is not Recipe.UNION))
SETS = {"whitespace, adjacent, imports": SURE, "these, superset, tokens": ALL}


def main() -> int:
    """Replay and print; 1 when too many alarms are false."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000, help="merges that are replayed")
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orchd-replay-") as folder:
        copy = Path(folder) / "copy.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", asked.repository, copy], check=True)
        (copy / "orch").mkdir()
        repo, replayed = open_repo(Place(copy, None, Path(folder))), list[Replayed]()
        counts = Counter(_replay_all(repo, asked.most, replayed))
    print(render_table(("what", "merges"), [(what, str(number)) for what, number in sorted(counts.items())]))
    clean = counts["clean, the people's tree"] + counts["clean, another tree than the people's"]
    share = counts["alarm on the people's own tree"] / max(1, clean)
    print(f"\nfalse alarms: {share:.2%} of {clean} merges without a conflict (target: <= {MOST_FALSE_ALARMS:.0%})\n")
    _print_recipes(replayed)
    print(f"\n{time.monotonic() - started:.0f} s")
    return int(share > MOST_FALSE_ALARMS)


def _print_recipes(replayed: list[Replayed]) -> None:
    lessons = sum_up(replayed)
    rows = [
        (str(one.recipe), str(one.files), str(one.same), f"{one.same / one.files:.0%}" if one.files else "")
        for one in lessons.recipes
    ]
    print(f"{lessons.files} text files in conflict that may be settled without asking\n")
    print(render_table(("recipe, alone", "files settled", "as the people", "share"), rows))


def _replay_all(repo: GitRepo, most: int, replayed: list[Replayed]) -> Iterator[str]:
    for merge in islice(list_merges(repo, "--all"), most):
        yield "all"
        made = merge_commits(repo, merge.base, merge.ours, merge.theirs)
        if made.clean:
            yield from _compare(repo, merge, made)
        else:
            yield "a question: git sees a conflict"
            yield from _settle(repo, merge, made)
        replayed.append(Replayed(disputed=False) if made.clean else replay_merge(repo, merge))


def _compare(repo: GitRepo, merge: RealMerge, made: MergeReport) -> Iterator[str]:
    equal = made.tree == repo.tree_of(merge.oid)
    yield "clean, the people's tree" if equal else "clean, another tree than the people's"
    faults = prove_merge(repo, merge.base, (merge.ours, merge.theirs), made.tree)
    if faults:
        yield "alarm on the people's own tree" if equal else "alarm on another tree"
        print(f"{merge.oid[:12]}: {'; '.join(faults[:3])}", file=sys.stderr)


def _settle(repo: GitRepo, merge: RealMerge, made: MergeReport) -> Iterator[str]:
    for name, resolving in SETS.items():
        settled = resolve_merge(repo, made, resolving)
        if settled is not None:
            yield f"settled by {name}"
            if settled[0] == repo.tree_of(merge.oid):
                yield f"settled by {name}: the people's tree"
            if prove_merge(repo, merge.base, (merge.ours, merge.theirs), settled[0], [one.path for one in settled[1]]):
                yield f"settled by {name}: refused by the proofs"


if __name__ == "__main__":
    sys.exit(main())
