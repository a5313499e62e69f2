"""A quick pass over the core with fixed seeds, without pytest: the mutants run it in a child. Raises when a rule breaks."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import agent_scenes  # noqa: F401 - its scenes are on the programme
import answer_scenes  # noqa: F401 - its scenes are on the programme
import clone_scenes
import clones
import cost_rules
import crowd
import extension_rules
import failure_facts
import foresight
import gate_scenes  # noqa: F401 - its scenes are on the programme
import goal_step_scenes  # noqa: F401 - its scenes are on the programme
import gone_scenes  # noqa: F401 - its scenes are on the programme
import goods_rules
import landing_scenes  # noqa: F401 - its scenes are on the programme
import lease_scenes  # noqa: F401 - its scenes are on the programme
import oracle
import part_scenes  # noqa: F401 - its scenes are on the programme
import playbook
import precedent_scenes  # noqa: F401 - its scenes are on the programme
import proposal_scenes  # noqa: F401
import queueing
import recovery_rules
import recovery_scenes  # noqa: F401 - its scenes are on the programme
import request_scenes
import resolving_scenes  # noqa: F401 - its scenes are on the programme
import restore_scenes  # noqa: F401 - its scenes are on the programme
import rules
import schedule_scenes
import screen_scenes  # noqa: F401 - its scenes are on the programme
import session_scenes
import step_scenes  # noqa: F401 - its scenes are on the programme
import walk

import orchd
from orchd.model.claim import PathSpec
from orchd.model.work import Status, TaskSpec

WALKS, STEPS = 110, 80
CLONE_WALKS, CLONE_STEPS = 30, 200
STATUSES = (*(Status.WAITING,) * 4, Status.RUNNING, Status.STOPPING, Status.READY, Status.LANDED, Status.FAILED)


def check_all() -> None:
    """Rules first (they are cheap), then walks."""
    dice = random.Random(7)
    recovery_rules.check_quickly()
    failure_facts.check_facts()
    cost_rules.check_quickly()
    playbook.play_all()
    assert request_scenes.REQUESTS and session_scenes.MANUAL and schedule_scenes.BY_HAND, "its scenes are on the programme"
    for scene in foresight.SCENES:
        scene()
    check_claims(dice)
    extension_rules.check_circle()
    extension_rules.check_kept()
    extension_rules.check_foreign()
    extension_rules.check_line()
    extension_rules.check_expired()
    for seed in range(60):
        extension_rules.check_crowd(walk.Seeded(seed), 2 + seed % 4, 25)
    for size in range(1, 9):
        for _ in range(6):
            bad = frozenset(at for at in range(size) if dice.random() < 0.3)
            rules.check_search(bad, size, 1 + size % 3)
            rules.check_search(bad, size, 1 + size % 3, one_by_one=True)
    for _ in range(60):
        check_graph(dice)
        check_arbiter(dice)
        check_goods(dice)
    check_index(dice)
    queueing.check_kept_slot()
    queueing.check_no_place_for_who_waits_for_a_person()
    queueing.check_broad_first()
    queueing.check_scarcity()
    check_crowds(dice)
    for age_ms, ready in ((0, 1), (249, 2), (250, 1), (-1, 1), (10, 0), (10, 63), (10, 64)):
        for others in ((), (Status.RUNNING,), (Status.STOPPING, Status.WAITING), (Status.WAITING, Status.LANDED)):
            rules.check_gathering(age_ms, ready, others)
    clone_scenes.play_all()
    for seed in range(WALKS):
        walk.walk(walk.Seeded(seed), STEPS)
    for seed in range(CLONE_WALKS):
        clones.walk_clones(walk.Seeded(seed), CLONE_STEPS)


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


def check_goods(dice: random.Random) -> None:
    tasks = []
    for order, name in enumerate("abcdefgh"):
        resources = tuple(one for one in ("db", "gpu") if dice.random() < 0.3)
        paths = (PathSpec(f"{name}/**"),)
        spec = TaskSpec(name, "t", "r", claims=paths, resources=resources, ports=dice.randrange(3))
        tasks.append(rules.waiting(spec, order))
    goods_rules.check_provider(tasks[:4])
    goods_rules.check_goods(tasks, frozenset(port for port in range(1, 9) if dice.random() < 0.3))


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
        session, priority = dice.choice(("default", "other")), dice.choice((0, 0, 1, 11))
        spec = TaskSpec(name, "t", "r", session, others, claims=claims, priority=priority)
        tasks.append(rules.waiting(spec, order, dice.choice(STATUSES), dice.randrange(8) * 300_000))
    queueing.check_arbiter(tasks, dice.randrange(5), dice.sample(range(8), 8), dice.choice((0, 2_600_000, 3_800_000)))


def check_index(dice: random.Random) -> None:
    """Holders and askers over globs that share beginnings."""
    for at_once in (1, 2, 3):
        globs = [(PathSpec(dice.choice(walk.GLOBS), dice.choice(walk.MODES)),) for _ in range(24)]
        queueing.check_held(globs[:12], globs[6:], at_once)


def check_crowds(dice: random.Random) -> None:
    for priority in (95, 80, 60):
        for claims in crowd.CLAIMS[:2]:
            crowd.check_start(dice.randrange, priority, claims, dice.choice(("", "slow")))
    for parallel in (1, 2, 5):
        crowd.check_shares(dice.randrange, parallel, (30, 4, 9))


if __name__ == "__main__":
    if not Path(orchd.__file__).is_relative_to(sys.argv[1]):
        sys.exit("this is not the copy")
    check_all()
