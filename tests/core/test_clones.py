"""Several clones of one remote: one owner at a time, one accepted result, and agreement in the end."""

from __future__ import annotations

import clone_scenes
import clones
import pytest
import request_scenes  # noqa: F401 - its scenes are on the programme
import walk

STEPS = 200


@pytest.mark.parametrize("chunk", range(3))
def test_random_walks_of_two_clones_land_each_task_once_and_agree_in_the_end(chunk: int) -> None:
    for seed in range(chunk * 60, (chunk + 1) * 60):
        walk_from(seed, 2)


def test_random_walks_of_three_clones_land_each_task_once_and_agree_in_the_end() -> None:
    for seed in range(5000, 5040):
        walk_from(seed, 3)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chunk", range(4))
def test_many_long_walks_of_clones(chunk: int) -> None:
    for seed in range(10**6 + chunk * 10**5, 10**6 + chunk * 10**5 + 200):
        walk_from(seed, 2 + seed % 2, 60 + seed % 300)


def walk_from(seed: int, count: int, steps: int = STEPS) -> clones.Going:
    try:
        return clones.walk_clones(walk.Seeded(seed), steps, count)
    except Exception as error:
        error.add_note(f"clones.walk_clones(walk.Seeded({seed}), {steps}, {count})")
        raise


@pytest.mark.parametrize("rule", clone_scenes.SCENES, ids=lambda rule: rule.__name__.replace("_", "-"))
def test_scene(rule: clone_scenes.Scene) -> None:
    rule()
