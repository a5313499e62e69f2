"""Real merges once more: `python bench/replay.py REPOSITORY [--most 1000]`.

Every merge of two parents that people made in the repository (the newest first, each with one common base) is made again
as orchd makes it, and compared with what the people committed. Counted: how many come out as the people's tree, how many
are questions for a person, and how often the proofs of a merge raise an alarm on one that git makes without a conflict
(each alarm on a tree that equals the people's is certainly a false one). Nothing is written into the repository: a bare
copy is used.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.merge_chain import merge_commits
from orchd.adapters.place import Place
from orchd.adapters.second_opinion import prove_merge
from orchd.model.ids import Oid
from tables import render_table

MOST_FALSE_ALARMS = 0.01


def main() -> int:
    """Replay and print; 1 when too many alarms are false."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--most", type=int, default=1000, help="merges that are replayed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="orchd-replay-") as folder:
        copy = Path(folder) / "copy.git"
        subprocess.run(["git", "clone", "-q", "--bare", "--shared", asked.repository, copy], check=True)
        (copy / "orch").mkdir()
        counts = Counter(_replay_all(open_repo(Place(copy, None, Path(folder))), asked.most))
    print(render_table(("what", "merges"), [(what, str(number)) for what, number in sorted(counts.items())]))
    clean = counts["clean, the people's tree"] + counts["clean, another tree than the people's"]
    share = counts["alarm on the people's own tree"] / max(1, clean)
    print(f"\nfalse alarms: {share:.2%} of {clean} merges without a conflict (target: <= {MOST_FALSE_ALARMS:.0%})")
    return int(share > MOST_FALSE_ALARMS)


def _replay_all(repo: GitRepo, most: int) -> Iterator[str]:
    listed = repo.git.run("rev-list", "--all", "--min-parents=2", "--max-parents=2", "--parents").decode().splitlines()
    replayed = 0
    for merge, ours, theirs in (line.split() for line in listed):
        bases = repo.git.attempt("merge-base", "--all", ours, theirs).stdout.decode().split()
        if len(bases) != 1 or bases[0] in (ours, theirs):
            continue
        yield from _replay(repo, merge, (bases[0], ours, theirs))
        replayed += 1
        if replayed == most:
            return


def _replay(repo: GitRepo, merge: Oid, trio: tuple[Oid, Oid, Oid]) -> Iterator[str]:
    base, *sides = trio
    made = merge_commits(repo, *trio)
    yield "all"
    if not made.clean:
        yield "a question: git sees a conflict"
        return
    equal = made.tree == repo.tree_of(merge)
    yield "clean, the people's tree" if equal else "clean, another tree than the people's"
    faults = prove_merge(repo, base, (sides[0], sides[1]), made.tree)
    if faults:
        yield "alarm on the people's own tree" if equal else "alarm on another tree"
        print(f"{merge[:12]}: {'; '.join(faults[:3])}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
