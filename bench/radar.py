"""The conflict radar: 20 live branches, which are 190 pairs, on a repository of thousands of files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from orchd.adapters.git_radar import GitRadar
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.git_trees import edit_tree
from samples import make_sample
from tables import Row

BRANCHES = 20
FILES_PER_BRANCH = 5
SHARED = "src/package-0/module-0.py"


def measure_radar(folder: Path, files: int, samples: int) -> Iterator[Row]:
    """Where no two branches touch the same file, where all do and merge, where all conflict; and one commit more."""
    sample = make_sample(folder, files)
    repo = open_repo(sample.place)
    main = sample.git("rev-parse", "main").strip()
    pairs = BRANCHES * (BRANCHES - 1) // 2
    for kind, expected in (("apart", 0), ("meeting", 0), ("in conflict", pairs)):
        tips = [_commit_branch(repo, main, number, kind) for number in range(BRANCHES + 1)]
        whole, cpu, more = zip(*(_time_look(repo, main, tips, expected) for _ in range(samples)), strict=True)
        yield Row(f"{BRANCHES} branches {kind}, all {pairs} pairs", "ms", whole, most=500)
        yield Row(f"{BRANCHES} branches {kind}, CPU of that", "ms", cpu)
        yield Row(f"{BRANCHES} branches {kind}, one commit more", "ms", more)


def _time_look(repo: GitRepo, main: str, tips: list[str], expected: int) -> tuple[float, float, float]:
    """Milliseconds: of the first look, of the processor meanwhile (with git's), of a look at one commit more."""
    radar = GitRadar(repo)
    begin, used = time.monotonic(), _count_cpu()
    found = radar.look(main, tips[:BRANCHES])
    whole, used = time.monotonic(), _count_cpu() - used
    count = len(found)
    radar.look(main, [*tips[1:BRANCHES], tips[BRANCHES]])
    end = time.monotonic()
    if count != expected:
        raise RuntimeError(f"{count} conflicts were predicted instead of {expected}")
    return (whole - begin) * 1000, used * 1000, (end - whole) * 1000


def _count_cpu() -> float:
    """Seconds of the processor that this process and its children have used."""
    return sum(os.times()[:4])


def _commit_branch(repo: GitRepo, main: str, number: int, kind: str) -> str:
    """A commit that changes files of its own, and one line of a file that all share: its own, or the same."""
    names = [f"src/package-{number + 1}/module-{50 * (number + 1) + at}.py" for at in range(FILES_PER_BRANCH)]
    blobs = {name: repo.write_blob(f"CHANGED = {number}\n".encode()) for name in names}
    if kind != "apart":
        lines = [f"LINE = {at}\n" if at % 3 else "\n" for at in range(3 * BRANCHES + 3)]
        lines[3 * number if kind == "meeting" else 0] = f"NUMBER = {number}\n"
        blobs[SHARED] = repo.write_blob("".join(lines).encode())
    base = main if kind == "apart" else _commit_shared(repo, main)
    tree = edit_tree(repo, repo.tree_of(base), blobs)
    return repo.write_commit(tree, [base], f"branch {number}\n", number)


def _commit_shared(repo: GitRepo, main: str) -> str:
    text = "".join(f"LINE = {at}\n" if at % 3 else "\n" for at in range(3 * BRANCHES + 3))
    tree = edit_tree(repo, repo.tree_of(main), {SHARED: repo.write_blob(text.encode())})
    return repo.write_commit(tree, [main], "shared\n", 0)
