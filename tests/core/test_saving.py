"""The search for what may land."""

from __future__ import annotations

import itertools

import playbook
import pytest
import rules
import screen_scenes
from hypothesis import given, settings
from hypothesis import strategies as st
from playbook import kinds

from orchd.core import gating, saving, schedule
from orchd.core.landing import STEPS
from orchd.model.config import Config
from orchd.model.limits import SAVE_ITEMS
from orchd.model.save import SaveStep
from orchd.model.work import Status


def test_the_search_is_right_and_short_for_every_small_set_of_bad_items() -> None:
    for size in range(1, 8):
        for bad in itertools.product((False, True), repeat=size):
            found = frozenset(at for at in range(size) if bad[at])
            for width in (1, 2, 3):
                rules.check_search(found, size, width)
                rules.check_search(found, size, width, one_by_one=True)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(1, SAVE_ITEMS), st.sets(st.integers(0, SAVE_ITEMS - 1), max_size=5))
def test_the_search_is_right_and_short_for_any_save(size: int, bad: set[int]) -> None:
    rules.check_search(frozenset(at for at in bad if at < size), size)


@given(st.integers(-300, 600), st.integers(0, SAVE_ITEMS + 1), st.lists(st.sampled_from(Status), max_size=3))
def test_a_save_gathers_only_while_somebody_runs_and_for_a_short_time(age_ms: int, ready: int, others: list[Status]) -> None:
    rules.check_gathering(age_ms, ready, [status for status in others if status is not Status.READY])


def test_without_gates_everything_lands_unjudged() -> None:
    save = rules.a_save(3, ())
    assert (gating.next_probes(save), gating.landable(save), gating.blame(save)) == ((), 3, ())


def test_a_save_takes_a_limited_number_of_tasks() -> None:
    tasks = [playbook.replace(playbook.task(Status.READY), order=at) for at in range(SAVE_ITEMS + 3)]
    tasks = [playbook.replace(t, spec=playbook.replace(playbook.SPEC, id=f"t{t.order}")) for t in tasks]
    save = saving.plan_save(playbook.state_of(*reversed(tasks)), "base", Config(), 0)
    assert save is not None
    assert [item.task for item in save.items] == [f"t{at}" for at in range(SAVE_ITEMS)]


def test_every_step_of_a_save_has_a_row() -> None:
    assert set(STEPS) == set(SaveStep)


def test_without_the_guard_a_task_that_its_own_gates_have_not_judged_comes_into_a_save(monkeypatch: pytest.MonkeyPatch) -> None:
    state = screen_scenes.begun()
    assert kinds(screen_scenes.goes_on(state, screen_scenes.RED, now_ms=300)) == ["GateTried"]
    monkeypatch.setattr(schedule, "is_cleared", lambda *_: True)
    assert "SavePlanned" in kinds(screen_scenes.goes_on(state, screen_scenes.RED, now_ms=300))
