"""How many runs of gates it takes to land what is green of a save: `python bench/gating.py`.

On the pure core, without a repository: 16 tasks of which none, one, two or more at random places turn the gates red. Counted
are runs on a tree (that a red one is asked once more is left out in all ways, and main's own result is known), until every
good task has landed and every culprit is known. Against it: each task gated by itself, one after the other; and halving a red
batch until the culprits are found.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from orchd.core import gating
from orchd.model.save import Gate, GateResult, Merged, Save, SaveItem, SaveStep, Verdict
from tables import Row, render_rows

TASKS, SAMPLES, SEED = 16, 400, 4
TARGETS = {0: 1.0, 1: 6.5, 2: 10.5}
GATES = (Gate("unit", "make"),)
Bad = frozenset[int]
"""The tasks that turn the gates red."""


def main() -> int:
    """Count and print; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    rows = list(count_runs(parser.parse_args().samples))
    print(render_rows(rows))
    return int(any(row.most is not None and sum(row.values) / len(row.values) > row.most for row in rows))


def count_runs(samples: int) -> Iterator[Row]:
    """For each number of culprits: this, one by one, and halving."""
    for culprits in (0, 1, 2, 4, 8):
        dice = random.Random(SEED)
        cases = [frozenset(dice.sample(range(TASKS), culprits)) for _ in range(samples)]
        for name, count in WAYS.items():
            runs = tuple(float(count(bad)) for bad in cases)
            mean = f"{sum(runs) / len(runs):.2f}"
            target = TARGETS.get(culprits) if name == "orchd" else None
            yield Row(f"{culprits} of {TASKS} red, {name} (mean {mean})", "runs", runs, target)


def search(bad: Bad, width: int = 1) -> int:
    """As orchd does it: save after save, until nothing is left."""
    tasks, runs = list(range(TASKS)), 0
    while tasks:
        save = _make_save(len(tasks), width)
        while probes := gating.next_probes(save):
            for index in probes:
                runs += index > 0
                save = _hear(save, index, green=bad.isdisjoint(tasks[:index]))
        lands = gating.landable(save)
        tasks = tasks[lands + 1 :]
    return runs


def serial(bad: Bad) -> int:
    """Each task by itself; a red one is asked no second time."""
    return TASKS


def halve(bad: Bad) -> int:
    """A red batch is cut in two, and each half is gated, down to single tasks."""

    def gate(tasks: tuple[int, ...]) -> int:
        if not bad.intersection(tasks) or len(tasks) == 1:
            return 1
        middle = len(tasks) // 2
        return 1 + gate(tasks[:middle]) + gate(tasks[middle:])

    return gate(tuple(range(TASKS)))


def _make_save(size: int, width: int) -> Save:
    items = tuple(SaveItem(f"t{at}", 1, 1, f"tip{at}") for at in range(size))
    chain = tuple(Merged(item, f"head{at}", f"tree{at}") for at, item in enumerate(items))
    save = Save("save", "default", "base", items, GATES, 1, 0, step=SaveStep.MERGED, base_tree="tree", chain=chain)
    return replace(save, width=width)


def _hear(save: Save, index: int, *, green: bool) -> Save:
    verdict = Verdict(index, green, (GateResult("unit", green, 0 if green else 1, 1.0),))
    return replace(save, verdicts=(*save.verdicts, verdict))


WAYS: dict[str, Callable[[Bad], int]] = {
    "orchd": search,
    "orchd, two at a time": lambda bad: search(bad, 2),
    "one by one": serial,
    "halving": halve,
}

if __name__ == "__main__":
    raise SystemExit(main())
