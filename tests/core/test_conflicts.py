"""Predicted conflicts: every scene, and the order of merging for any tasks."""

from __future__ import annotations

import pytest
from foresight import SCENES, task
from hypothesis import given, settings
from hypothesis import strategies as st

from orchd.core.conflicts import order_merges
from orchd.model.snapshot import Conflict


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_scene(scene) -> None:
    scene()


NAMES = "abcdefgh"


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_the_order_keeps_all_respects_needs_and_depends_on_nothing_else(data: st.DataObject):
    count = data.draw(st.integers(1, len(NAMES)))
    tasks = []
    for at, name in enumerate(NAMES[:count]):
        needs = tuple(data.draw(st.sets(st.sampled_from(NAMES[:at]), max_size=2))) if at else ()
        tasks.append(task(name, data.draw(st.integers(0, 3)) * 10 + at, needs=needs, priority=data.draw(st.integers(-1, 1))))
    pairs = data.draw(st.sets(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=12))
    conflicts = [Conflict(one, other, ("p",)) for one, other in sorted(pairs) if one < other]
    order = order_merges(tasks, conflicts)
    names = [one.spec.id for one in order]
    assert sorted(names) == sorted(NAMES[:count])
    assert all(names.index(need) < names.index(one.spec.id) for one in order for need in one.spec.needs)
    assert order_merges(data.draw(st.permutations(tasks)), data.draw(st.permutations(conflicts))) == order
