"""The clocks of a running agent, and the detector of circles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.vigil import begin_vigil, find_expired, hear, note_work
from orchd.model.agent import Clocks, Report, Usage, Watch

CLOCKS = Clocks(10.0, 30.0, 3)


def call(number: int, tool: str = "Bash ls") -> Report:
    return Report(tools=number, last_tool=tool)


@pytest.mark.parametrize(("now", "clock"), [(9.9, None), (10.0, Watch.SILENCE)])
def test_silence_ends_it(now: float, clock: Watch | None) -> None:
    assert find_expired(begin_vigil(0.0), CLOCKS, now) is clock


def test_words_without_a_new_call_end_it_too() -> None:
    vigil = hear(hear(begin_vigil(0.0), call(1), 1.0), call(1), 30.0)
    assert find_expired(vigil, CLOCKS, 30.9) is None
    assert find_expired(vigil, CLOCKS, 31.0) is Watch.PROGRESS


def test_the_same_call_is_no_progress_and_after_a_few_times_a_circle() -> None:
    vigil = begin_vigil(0.0)
    for number, clock in ((1, None), (2, None), (3, Watch.REPETITION)):
        vigil = hear(vigil, call(number), float(number))
        assert find_expired(vigil, CLOCKS, float(number)) is clock
    assert vigil.moved == 1.0


def test_as_many_tokens_as_it_may_use_end_it_unless_it_has_finished() -> None:
    clocks = Clocks(10.0, 30.0, 3, tokens=100)
    for used, finished, clock in ((99, False, None), (100, False, Watch.TOKENS), (500, True, None)):
        report = Report(usage=Usage(used - 9, 0, 9), finished=finished)
        assert find_expired(hear(begin_vigil(0.0), report, 1.0), clocks, 1.0) is clock
    assert find_expired(hear(begin_vigil(0.0), Report(usage=Usage(10**9)), 1.0), CLOCKS, 1.0) is None


def test_another_call_begins_anew() -> None:
    vigil = begin_vigil(0.0)
    for number, tool in enumerate(("ls", "ls", "make", "ls", "ls"), 1):
        vigil = hear(vigil, call(number, tool), float(number))
    assert find_expired(vigil, CLOCKS, 5.0) is None


def test_tools_at_work_hold_both_clocks() -> None:
    vigil = note_work(begin_vigil(0.0), 29.0)
    assert find_expired(vigil, CLOCKS, 38.0) is None
    assert find_expired(vigil, CLOCKS, 39.0) is Watch.SILENCE


@given(st.lists(st.tuples(st.floats(0, 9.9), st.sampled_from("abc")), max_size=40))
def test_who_says_something_new_in_time_is_never_ended(steps: list[tuple[float, str]]) -> None:
    vigil, now, last = begin_vigil(0.0), 0.0, ""
    for number, (pause, tool) in enumerate(steps, 1):
        now += pause
        assert find_expired(vigil, CLOCKS, now) in (None, Watch.PROGRESS)
        tool = tool if tool != last else tool + "x"
        vigil, last = hear(vigil, call(number, tool), now), tool
        assert find_expired(vigil, CLOCKS, now) is None
