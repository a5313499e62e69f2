"""What merging and restoring cost against plain git: `python bench/saving.py [REPOSITORY] [--repo] [--rounds 3]`.

Merging: the results of 30 tasks, each a commit on main that changes three files of its own, become orchd's chain of merges
(with the proofs of each), and once more a loop of `git merge` in a work tree. CPU of everything that is started, and the trees
must be the same. Restoring: a checkpoint in a folder of its own, against `git worktree add`, by the wall clock; what the
command line costs before that is in `measure.py commands`. Rounds alternate, and so does who is first in a round. REPOSITORY is
copied and only its files are used; without it there are 4000 small ones. With `--repo DIR` the results are what people made on
30 branches of its history (`real_branches.py`).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from orchd.adapters.git_repo import open_repo
from orchd.adapters.merge_chain import build_chain
from orchd.adapters.person_tree import add_person_tree
from orchd.adapters.place import find_place
from orchd.model.save import Save, SaveItem
from real_branches import Branches, cut_branches
from samples import Sample, make_environment, make_sample
from tables import Row, describe_machine, render_rows

BRANCHES, FILES, CHANGED = 30, 4000, 3
MOST_CPU, MOST_RESTORE = 1 / 3, 1.3


def main() -> int:
    """Measure and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", nargs="?", type=Path)
    parser.add_argument("--repo", type=Path, help="a repository whose history has branches of people")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(describe_machine(Path(folder)) + "\n")
        sample = _open_sample(Path(folder), asked.repo or asked.repository)
        work = _cut_real(sample) if asked.repo else _make_work(sample)
        rows = [*measure_merging(sample, work, asked.rounds), *measure_restoring(sample, asked.rounds)]
    print(render_rows(rows))
    return int(any(row.most is not None and sorted(row.values)[len(row.values) // 2] > row.most for row in rows))


def measure_merging(sample: Sample, work: Branches, rounds: int) -> Iterator[Row]:
    """CPU of both ways, and their ratio in each round."""
    ours, plain = list[float](), list[float]()
    for number in range(rounds):
        made = _clone(sample, f"chain-{number}")
        ways = (
            partial(_time_cpu, partial(_chain, made, work), ours),
            partial(_time_cpu, partial(_merge_loop, made, work), plain),
        )
        if len({way() for way in (ways if number % 2 else ways[::-1])}) != 1:
            raise SystemExit("the two ways made different trees")
        shutil.rmtree(made.top)
    yield Row(f"merging {BRANCHES} branches, orchd with its proofs: CPU", "ms", tuple(ours))
    yield Row(f"merging {BRANCHES} branches, a loop of `git merge`: CPU", "ms", tuple(plain))
    yield Row("ratio", "", tuple(a / b for a, b in zip(ours, plain, strict=True)), MOST_CPU)


def measure_restoring(sample: Sample, rounds: int) -> Iterator[Row]:
    """Time of both ways, and their ratio in each round."""
    place, commit = find_place(sample.top), sample.git("rev-parse", "main").strip()
    ours, plain = list[float](), list[float]()
    folder = sample.top.parent / "restored"
    ways = (
        partial(_time_wall, partial(add_person_tree, place, folder, commit), ours),
        partial(_time_wall, partial(sample.git, "worktree", "add", "-q", "--detach", str(folder), commit), plain),
    )
    for number in range(rounds):
        for way in ways if number % 2 else ways[::-1]:
            os.sync()
            way()
            sample.git("worktree", "remove", "--force", str(folder))
    yield Row("a checkpoint in a new folder, orchd", "ms", tuple(ours))
    yield Row("`git worktree add` of the same commit", "ms", tuple(plain))
    yield Row("ratio", "", tuple(a / b for a, b in zip(ours, plain, strict=True)), MOST_RESTORE)


def _chain(sample: Sample, work: Branches) -> str:
    items = tuple(SaveItem(f"t{at}", 1, 1, tip, work.base) for at, tip in enumerate(work.tips))
    save = Save("bench", "default", work.base, items, (), 1, int(time.time() * 1000))
    seen = build_chain(open_repo(find_place(sample.top)), save, [""] * len(items))
    if len(seen.chain) != len(items):
        raise SystemExit(f"left out: {seen.excluded}")
    return seen.chain[-1].tree


def _merge_loop(sample: Sample, work: Branches) -> str:
    for tip in work.tips:
        sample.git("merge", "-q", "--no-ff", "-m", "merge", tip)
    return sample.git("rev-parse", "HEAD^{tree}").strip()


def _make_work(sample: Sample) -> Branches:
    main, tips = sample.git("rev-parse", "main").strip(), tuple(make_tips(sample))
    return Branches(main, tips)


def _cut_real(sample: Sample) -> Branches:
    """The checkout shows their base then."""
    work = cut_branches(open_repo(find_place(sample.top)), BRANCHES)
    sample.git("checkout", "-q", "-B", "main", work.base)
    changed = sorted(len(sample.git("diff", "--name-only", work.base, tip).splitlines()) for tip in work.tips)
    print(f"{BRANCHES} branches of people onto {work.base[:12]}; files that each changes: {changed}\n")
    return work


def make_tips(sample: Sample) -> Iterator[str]:
    """Each on main, changing files that no other one changes; they are in the repository, under refs of their own."""
    files = [name for name in sample.git("ls-files").splitlines() if (sample.top / name).is_file() and '"' not in name]
    for number in range(BRANCHES):
        sample.git("checkout", "-q", "-B", f"task-{number}", "main")
        for name in files[number * CHANGED : (number + 1) * CHANGED]:
            with (sample.top / name).open("ab") as file:
                file.write(b"# changed\n")
        sample.git("commit", "-qam", f"task {number}")
        yield sample.git("rev-parse", "HEAD").strip()
    sample.git("checkout", "-q", "main")


def _open_sample(folder: Path, repository: Path | None) -> Sample:
    if repository is None:
        return make_sample(folder, FILES)
    sample = Sample(folder / "project", make_environment(folder))
    subprocess.run(["git", "clone", "-q", "--no-local", str(repository), str(sample.top)], env=sample.environment, check=True)
    sample.git("checkout", "-q", "-B", "main")
    return sample


def _clone(sample: Sample, name: str) -> Sample:
    copy = Sample(sample.top.parent / name, sample.environment)
    shutil.copytree(sample.top, copy.top, symlinks=True)
    copy.git("update-index", "-q", "--refresh")
    return copy


def _time_cpu(work: Callable[[], str], into: list[float]) -> str:
    before = _cpu_seconds()
    made = work()
    into.append((_cpu_seconds() - before) * 1000)
    return made


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _time_wall(work: Callable[[], object], into: list[float]) -> None:
    begun = time.perf_counter()
    work()
    into.append((time.perf_counter() - begun) * 1000)


if __name__ == "__main__":
    raise SystemExit(main())
