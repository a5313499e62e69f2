"""How many runs of gates it takes to land what is green of a save, and how often one waits: `python bench/gating.py`.

On the pure core, without a repository: 16 tasks of which none, one, two or more turn the gates red, at every place, or at some
at random where there are too many. Counted are runs on a tree (that a red one is asked once more is left out in all ways, and
main's own result is known), and rounds: runs that begin together are waited for together. Until every good task has landed and
every culprit is known. Against it: each task gated by itself, one after the other; and halving a red batch until the culprits
are found.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from orchd.core import gating
from orchd.model.save import Gate, GateResult, Merged, Save, SaveItem, SaveStep, Verdict
from tables import render_table

TASKS, SAMPLES, SEED = 16, 400, 4
TARGETS = {0: 1.0, 1: 6.5, 2: 10.5}
GATES = (Gate("unit", "make"),)
HEADS = ("red", "way", "runs (mean)", "rounds (mean)", "target", "reached")
Bad = frozenset[int]
"""The tasks that turn the gates red."""
Spent = tuple[int, int]
"""Runs and rounds."""


def main() -> int:
    """Count and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    lines = list(count_runs(parser.parse_args().samples))
    print(render_table(HEADS, lines))
    return int(any("NO" in line for line in lines))


def count_runs(samples: int) -> Iterator[tuple[str, ...]]:
    """For each number of culprits: this, one at a time and two, then one by one, and halving."""
    for culprits in (0, 1, 2, 4, 8):
        cases = place(culprits, samples)
        target = TARGETS.get(culprits)
        for name, count in WAYS.items():
            runs, rounds = (sum(spent) / len(cases) for spent in zip(*map(count, cases), strict=True))
            aim = target if name.startswith("orchd") else None
            reached = ("" if aim is None else f"<= {aim:g}", "" if aim is None else "yes" if runs <= aim else "NO")
            yield (f"{culprits} of {TASKS}", name, f"{runs:.2f}", f"{rounds:.2f}", *reached)


def place(culprits: int, samples: int) -> list[Bad]:
    """Everywhere, or at so many random places."""
    if math.comb(TASKS, culprits) <= samples:
        return list(map(frozenset, itertools.combinations(range(TASKS), culprits)))
    dice = random.Random(SEED)
    return [frozenset(dice.sample(range(TASKS), culprits)) for _ in range(samples)]


def search(bad: Bad, width: int = 1) -> Spent:
    """As orchd does it: save after save, until nothing is left."""
    tasks, runs, rounds = list(range(TASKS)), 0, 0
    while tasks:
        save = _make_save(len(tasks), width)
        while probes := gating.next_probes(save):
            runs += sum(index > 0 for index in probes)
            rounds += any(index > 0 for index in probes)
            for index in probes:
                save = _hear(save, index, green=bad.isdisjoint(tasks[:index]))
        lands = gating.landable(save)
        tasks = tasks[lands + 1 :]
    return runs, rounds


def serial(bad: Bad) -> Spent:
    """Each task by itself; a red one is asked no second time."""
    return TASKS, TASKS


def halve(bad: Bad) -> Spent:
    """A red batch is cut in two, and each half is gated, down to single tasks."""

    def gate(tasks: tuple[int, ...]) -> int:
        if not bad.intersection(tasks) or len(tasks) == 1:
            return 1
        middle = len(tasks) // 2
        return 1 + gate(tasks[:middle]) + gate(tasks[middle:])

    runs = gate(tuple(range(TASKS)))
    return runs, runs


def _make_save(size: int, width: int) -> Save:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"tip{at}") for at in range(size))
    chain = tuple(Merged(item, f"head{at}", f"tree{at}") for at, item in enumerate(items))
    save = Save("save", "default", "base", items, GATES, 1, 0, step=SaveStep.MERGED, base_tree="tree", chain=chain)
    return replace(save, width=width)


def _hear(save: Save, index: int, *, green: bool) -> Save:
    verdict = Verdict(index, green, (GateResult("unit", green, 0 if green else 1, 1.0),))
    return replace(save, verdicts=(*save.verdicts, verdict))


WAYS: dict[str, Callable[[Bad], Spent]] = {
    "orchd, one at a time": search,
    "orchd, two at a time": lambda bad: search(bad, 2),
    "one by one": serial,
    "halving": halve,
}

if __name__ == "__main__":
    raise SystemExit(main())
