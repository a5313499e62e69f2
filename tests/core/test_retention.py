"""Which checkpoints keep their tags: counted by hand, and each reason is needed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.core import retention
from orchd.core.retention import Ties, judge_checkpoints
from orchd.model.save import Checkpoint
from orchd.model.text import day_of

DAY_MS = 86_400_000
NOON_MS = DAY_MS // 2


def checkpoint(name: str, at_ms: int) -> Checkpoint:
    return Checkpoint(name, "c", at_ms, "default", (), "unit")


def kept(many: list[Checkpoint], ties: Ties = Ties()) -> set[str]:  # noqa: B008 - frozen
    return {one.checkpoint.name for one in judge_checkpoints(many, ties) if one.why}


def daily(days: int, each: int) -> list[Checkpoint]:
    """`each` checkpoints on each of `days` days, in their order."""
    return [checkpoint(f"{day:03}-{at}", day * DAY_MS + NOON_MS + at) for day in range(days) for at in range(each)]


def test_the_first_the_last_twenty_and_one_a_day_for_thirty_days_stay() -> None:
    names = kept(daily(100, 3))
    last = {one.name for one in daily(100, 3)[-20:]}
    assert names == {"000-0", *last, *(f"{day:03}-2" for day in range(70, 100))}


def test_what_something_holds_stays() -> None:
    many = daily(100, 3)
    for field in ("pinned", "promoted", "begun_on", "apart"):
        assert kept(many, replace(Ties(), **{field: frozenset({"005-1"})})) == kept(many) | {"005-1"}


@pytest.mark.parametrize("at", range(len(retention.RULES)))
def test_no_reason_can_be_left_out(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    many, ties = daily(100, 3), Ties(*(frozenset({f"00{n}-1"}) for n in range(4)))
    whole = kept(many, ties)
    monkeypatch.setattr(retention, "RULES", (*retention.RULES[:at], *retention.RULES[at + 1 :]))
    assert kept(many, ties) < whole


TIMES = st.lists(st.integers(0, 90 * DAY_MS), max_size=80)


@given(TIMES)
def test_pruning_again_takes_nothing_more_and_nothing_new_is_lost(times: list[int]) -> None:
    many = [checkpoint(f"{at:03}", ms) for at, ms in enumerate(times)]
    names = kept(many)
    left = [one for one in many if one.name in names]
    assert kept(left) == names
    assert len(names) >= min(20, len(many))
    days = {day_of(one.created_ms) for one in left}
    assert sorted({day_of(one.created_ms) for one in many})[-30:] == sorted(days)[-30:]
