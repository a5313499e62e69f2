"""What full durability costs: `python bench/durability.py [--rounds 5] [--tasks 20]`, in a folder on a real disk (`TMPDIR`).

The same is done twice in each round, on copies of one repository: with every sync that orchd and git make, and once more with
a library in front of the C library that answers each of them at once (`fsync` and its kin). Saving: the results of 30 tasks are
merged, sealed, landed and published. Tasks: command tasks from their files to the branch, by `orchd run`. Who is first changes
with each round, and what the disk has still to write is waited for before each. Needs a C compiler.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_saves import GitSaves
from orchd.model.claim import Lease, PathSpec
from orchd.model.save import Save, SaveItem, SaveStep
from samples import ORCHD, Sample, make_sample
from saving import make_tips
from tables import Row, describe_machine, render_rows

FILES, MOST = 1000, 1.15
SOURCE = """
int fsync(int f) { return 0; }
int fdatasync(int f) { return 0; }
int syncfs(int f) { return 0; }
int sync_file_range(int f, long long o, long long n, unsigned int s) { return 0; }
"""


def main() -> int:
    """Measure and print; 1 when the target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--land", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.land:
        return _land(Sample(asked.land, os.environ))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(describe_machine(folder) + "\n")
        eased = _build_library(folder)
        made = make_sample(folder, FILES)
        tips = list(make_tips(made))
        ways: tuple[tuple[str, Callable[[Sample], object]], ...] = (
            (f"saving {len(tips)} results", _save),
            (f"{asked.tasks} tasks, from file to branch", partial(_run_tasks, asked.tasks)),
        )
        rows = [row for what, work in ways for row in _compare(what, work, made, eased, asked.rounds)]
    print(render_rows(rows))
    return int(any(row.most is not None and sorted(row.values)[len(row.values) // 2] > row.most for row in rows))


def _compare(what: str, work: Callable[[Sample], object], made: Sample, eased: Path, rounds: int) -> Iterator[Row]:
    durable, easy = list[float](), list[float]()
    for number in range(rounds):
        ways = [(durable, {}), (easy, {"LD_PRELOAD": str(eased)})]
        for times, more in ways if number % 2 else ways[::-1]:
            copy = Sample(made.top.with_name("copy"), {**made.environment, **more})
            shutil.copytree(made.top, copy.top, symlinks=True)
            copy.git("update-index", "-q", "--refresh")
            os.sync()
            begun = time.perf_counter()
            work(copy)
            times.append((time.perf_counter() - begun) * 1000)
            shutil.rmtree(copy.top)
    yield Row(f"{what}: with all syncs", "ms", tuple(durable))
    yield Row(f"{what}: with none", "ms", tuple(easy))
    yield Row("ratio", "", tuple(a / b for a, b in zip(durable, easy, strict=True)), MOST)


def _save(sample: Sample) -> None:
    argv = [sys.executable, __file__, "--land", str(sample.top)]
    subprocess.run(argv, env={**os.environ, **sample.environment}, check=True)


def _land(sample: Sample) -> int:
    """In a process of its own: merge, seal, prove, land, publish."""
    repo, main = open_repo(sample.place), sample.git("rev-parse", "main").strip()
    names = sorted(sample.git("for-each-ref", "--format=%(objectname)", "refs/heads/task-*").split())
    items = tuple(SaveItem(f"t{at}", 1, 1, tip, main) for at, tip in enumerate(names))
    save, titles = Save("bench", "default", main, items, (), 1, int(time.time() * 1000)), ("A task",) * len(items)
    saves = GitSaves(repo, "main", lambda task: Lease(task, "bench", 1, (PathSpec("**"),), 0))
    saves.merge(save, titles)
    seen = saves.look(save, main).chain
    assert seen is not None
    gated = replace(save, step=SaveStep.GATED, base_tree=seen.base_tree, chain=seen.chain, lands=len(seen.chain))
    saves.land(gated, titles)
    return int(sample.git("rev-parse", "main").strip() == main)


def _run_tasks(count: int, sample: Sample) -> None:
    for number in range(count):
        sample.write_task(f"task-{number}", f"echo {number} > made-{number}.txt", claims=[f"made-{number}.txt"])
    sample.run(ORCHD, "run", "--quiet")
    made = sample.git("ls-tree", "--name-only", "main").split()
    if not {f"made-{number}.txt" for number in range(count)} <= set(made):
        raise SystemExit("not everything landed")


def _build_library(folder: Path) -> Path:
    source, library = folder / "ease.c", folder / "ease.so"
    source.write_text(SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    return library


if __name__ == "__main__":
    raise SystemExit(main())
