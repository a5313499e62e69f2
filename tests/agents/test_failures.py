"""The class of a failed attempt: from facts, and from texts that people saw."""

from __future__ import annotations

from dataclasses import replace

import pytest
from error_texts import macro_f1, read_texts
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.failures import Facts, name_failure, read_words
from orchd.model.agent import Failure, Report

F = Failure
TEXTS = read_texts()
NEVER_AGAIN = {F.AUTH, F.CONFIG, F.PERMISSION, F.BUDGET}


def test_there_are_enough_texts_and_each_has_its_source() -> None:
    assert len(TEXTS) >= 120
    assert len({one.text for one in TEXTS}) == len(TEXTS)
    assert all(one.source.startswith("https://") and len(one.text) <= 300 for one in TEXTS)
    assert {one.label for one in TEXTS} == set(F) - {F.LOST}, "LOST has no text: nobody was there to print one"


def test_the_texts_are_read_well_also_those_that_were_held_out() -> None:
    held = [one for one in TEXTS if one.held_out]
    assert len(held) > len(TEXTS) / 4
    assert macro_f1(TEXTS, read_words) >= 0.95
    assert macro_f1(held, read_words) >= 0.95


def test_reading_nothing_into_texts_is_far_worse() -> None:
    """The twin: without the table the same measure is near zero, so it does measure."""
    assert macro_f1(TEXTS, lambda text: F.UNKNOWN) < 0.1


def test_no_login_is_ever_read_as_something_to_try_again() -> None:
    for one in TEXTS:
        if one.label is F.AUTH:
            assert read_words(one.text) in NEVER_AGAIN, one


TRAPS = {
    "rate limit reached for gpt-4o on tokens per minute": F.RATE_LIMIT,
    "Too many tokens, please wait before trying again.": F.RATE_LIMIT,
    "invalid auth token": F.AUTH,
    "ModuleNotFoundError: No module named 'models'": F.UNKNOWN,
    "prompt is too long: 202095 tokens > 200000 maximum": F.TOKEN_EXHAUSTED,
    "xai model unavailable": F.UNAVAILABLE,
    "exceeded retry limit, last status: 401 Unauthorized": F.AUTH,
    "": F.UNKNOWN,
}


@pytest.mark.parametrize(("text", "failure"), TRAPS.items())
def test_words_that_look_like_another_class(text: str, failure: Failure) -> None:
    assert read_words(text) is failure


@given(st.text(), st.sampled_from([401, 403]), st.booleans())
def test_a_refused_login_is_one_whatever_is_printed(text: str, status: int, finished: bool) -> None:
    report = Report(status=status, error=text, finished=finished)
    assert name_failure(Facts(report=report, printed=text)) is F.AUTH


@given(st.text(max_size=20_000))
def test_any_text_has_a_class(text: str) -> None:
    report = Report(error=text)
    assert name_failure(Facts(report=replace(report, status=0))) in Failure
