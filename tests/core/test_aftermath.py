"""What a task remembers of its attempts is bounded, however often and however badly it failed."""

from __future__ import annotations

from dataclasses import replace

import part_scenes
from hypothesis import given
from hypothesis import strategies as st
from playbook import task

from orchd.adapters.codec import dumps, encode
from orchd.core.aftermath import follow, measure, prune
from orchd.model.agent import Failure
from orchd.model.limits import MEMORY_BYTES, MEMORY_SHARE, SETBACKS, STEP_ATTEMPTS
from orchd.model.message import RemedyFound
from orchd.model.recovery import Candidate, Tried
from orchd.model.work import Reason, Setback, Status

LINES = st.lists(st.text(max_size=3000), max_size=50).map(tuple)
MOST = MEMORY_SHARE * MEMORY_BYTES


@given(st.lists(LINES, max_size=SETBACKS), st.lists(st.text(max_size=2000), max_size=STEP_ATTEMPTS))
def test_a_memory_fits_its_budget_and_is_not_touched_where_it_does(details: list[tuple[str, ...]], whats: list[str]) -> None:
    setbacks = tuple(Setback(at, Reason.AGENT, detail) for at, detail in enumerate(details))
    tried = tuple(Tried(Candidate("p"), Failure.UNKNOWN, what=what) for what in whats)
    before = replace(task(Status.FAILED), setbacks=setbacks, tried=tried)
    after = prune(before)
    assert measure(after) <= MOST
    assert prune(after) == after
    assert (after == before) == (measure(before) <= MOST)
    assert [one.attempt for one in after.setbacks] == [one.attempt for one in setbacks], "each is remembered"


def test_the_oldest_is_shortened_first_and_says_so() -> None:
    long = tuple(f"line {at} " + "x" * 100 for at in range(190))
    found = prune(replace(task(Status.FAILED), setbacks=(Setback(1, detail=long), Setback(2, detail=("why",)))))
    assert found.setbacks[1].detail == ("why",)
    assert found.setbacks[0].detail == (long[0], "(188 lines left out)", long[-1])


def test_a_task_that_fails_for_ever_has_a_small_record() -> None:
    spec = part_scenes.stepping(fallbacks=("codex",)).tasks["a"].spec
    mine = replace(task(Status.FAILED), spec=spec)
    for attempt in range(1, 60):
        mine = replace(mine, attempt=attempt, detail=("e" * 2000,) * 50, status=Status.FAILED)
        tried = Tried(Candidate("p"), Failure.UNKNOWN, what="w" * 2000, attempt=attempt, step=f"s{attempt // 3}")
        mine = follow(replace(mine, status=Status.WAITING), RemedyFound("a", tried, Status.WAITING))
    mine = replace(mine, detail=())
    assert len(mine.setbacks) <= SETBACKS and len(mine.tried) <= STEP_ATTEMPTS
    assert len(dumps(encode(replace(mine, spec=replace(spec, steps=()))))) < MEMORY_BYTES
