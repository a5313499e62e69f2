"""A quick pass over the core with fixed seeds, without pytest: the mutants run it in a child. Raises when a rule breaks."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import oracle
import playbook
import rules
import walk

import orchd
from orchd.model.claim import PathSpec
from orchd.model.work import Status, TaskSpec

WALKS, STEPS = 110, 80
STATUSES = (*(Status.WAITING,) * 4, Status.RUNNING, Status.STOPPING, Status.READY, Status.LANDED, Status.FAILED)


def check_all() -> None:
    """Rules first (they are cheap), then walks."""
    dice = random.Random(7)
    playbook.play_all()
    check_claims(dice)
    for size in range(1, 9):
        for _ in range(6):
            rules.check_search(frozenset(at for at in range(size) if dice.random() < 0.3), size)
    for _ in range(60):
        check_graph(dice)
        check_arbiter(dice)
    for seed in range(WALKS):
        walk.walk(walk.Seeded(seed), STEPS)


def check_claims(dice: random.Random) -> None:
    paths = oracle.all_paths(depth=2)
    for first in walk.GLOBS:
        for second in walk.GLOBS:
            rules.check_apart(first, second)
            rules.check_clash((PathSpec(first, dice.choice(walk.MODES)),), (PathSpec(second, dice.choice(walk.MODES)),))
        for path in paths:
            rules.check_covers(first, path)
    for one, other in oracle.TWINS:
        rules.check_overlap(one, other, [one, other])


def check_graph(dice: random.Random) -> None:
    names = "abcdef"
    needs = {name: [other for other in (*names, "known", "ghost") if dice.random() < 0.12] for name in names}
    rules.check_cycles(needs)
    rules.check_graph(needs, frozenset({"known"}))


def check_arbiter(dice: random.Random) -> None:
    tasks = []
    for order, name in enumerate("abcdefgh"):
        others = tuple(other for other in "abcdefgh"[:order] if dice.random() < 0.15)
        claims = (PathSpec(dice.choice(walk.GLOBS), dice.choice(walk.MODES)),)
        spec = TaskSpec(name, "t", "r", needs=others, claims=claims, priority=dice.randrange(2))
        tasks.append(rules.waiting(spec, order, dice.choice(STATUSES)))
    rules.check_arbiter(tasks, dice.randrange(5), dice.sample(range(8), 8))
    small = [rules.waiting(TaskSpec(f"s{at}", "t", "r", claims=(PathSpec(f"a/{at}"),)), at) for at in range(4)]
    rules.check_fairness(rules.waiting(TaskSpec("broad", "t", "r", claims=(PathSpec("a/**"),))), small, 2)


if __name__ == "__main__":
    if not Path(orchd.__file__).is_relative_to(sys.argv[1]):
        sys.exit("this is not the copy")
    check_all()
