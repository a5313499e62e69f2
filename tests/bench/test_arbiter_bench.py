"""The simulation and its oracle: no schedule is shorter than the lower bound; both agree where nothing is to decide."""

from __future__ import annotations

import random

import pytest

from arbiter import PATTERNS, Job, find_best, lower_bound, make_queue, simulate
from orchd.core.arbiter import decide
from orchd.core.desk import Room
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.snapshot import Cause


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_schedule_is_shorter_than_the_lower_bound(pattern: str) -> None:
    dice = random.Random(1)
    jobs = [Job(tuple(map(PathSpec, PATTERNS[pattern](dice))), dice.choice((1, 5, 9))) for _ in range(25)]
    best, bound = find_best(jobs, 3, dice), lower_bound(jobs, 3)
    assert bound <= best
    assert bound <= simulate(jobs, 3) <= sum(job.minutes for job in jobs)


def test_one_claim_makes_one_line_and_apart_all_slots_are_used() -> None:
    same = [Job((PathSpec("a/**"),), 2) for _ in range(5)]
    assert simulate(same, 4) == find_best(same, 4, random.Random(1)) == lower_bound(same, 4) == 10
    apart = [Job((PathSpec(f"a{at}/**"),), 2) for at in range(8)]
    assert simulate(apart, 4) == find_best(apart, 4, random.Random(1)) == lower_bound(apart, 4) == 4


def test_the_queue_that_is_timed_has_claims_to_look_at() -> None:
    causes = [decision.cause for decision in decide(make_queue(50), Room(Config(parallel=8), 0))]
    assert len(causes) == 50
    assert causes.count(Cause.CLAIM) >= 30
