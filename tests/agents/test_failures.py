"""The class of a failed attempt: from facts, and from texts that people saw."""

from __future__ import annotations

from dataclasses import replace

import pytest
from error_texts import macro_f1, read_texts
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.failures import Facts, name_failure, read_words
from orchd.model.agent import Failure, Report, Usage, Watch

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


LATE = "Request timed out."
FACTS = {
    "nothing is left of a lost one": (Facts(lost=True, printed="401 unauthorized"), F.LOST),
    "a clock overrules words": (Facts(report=Report(ended_by=Watch.PROGRESS, error="429 rate limit")), F.TIMEOUT),
    "repetition is no lack of time": (Facts(report=Report(ended_by=Watch.REPETITION)), F.CONVERGENCE_FAILURE),
    "a silent one that was refused": (Facts(report=Report(ended_by=Watch.SILENCE, status=429)), F.RATE_LIMIT),
    "a silent one": (Facts(report=Report(ended_by=Watch.SILENCE)), F.TIMEOUT),
    "a status overrules words": (Facts(report=Report(status=503, error="invalid api key")), F.UNAVAILABLE),
    "a login": (Facts(report=Report(status=401, error="rate limit, try again")), F.AUTH),
    "no money is no pace": (Facts(report=Report(status=429, error="insufficient_quota: check billing")), F.BUDGET),
    "a daily pace is no money": (Facts(report=Report(status=429, error="RESOURCE_EXHAUSTED check billing")), F.RATE_LIMIT),
    "a 400 says what it is": (Facts(report=Report(status=400, error="prompt is too long")), F.TOKEN_EXHAUSTED),
    "a 400 that says nothing": (Facts(report=Report(status=400, error="hm")), F.CONFIG),
    "a code of the program": (Facts("gemini", code=41), F.AUTH),
    "a program that is not there": (Facts("codex", code=127, report=Report(error="overloaded")), F.CONFIG),
    "a shell that its tools ended with": (Facts("codex", code=127, report=Report(tools=1)), F.UNKNOWN),
    "the same code of another": (Facts("codex", code=41), F.UNKNOWN),
    "a red gate": (Facts(gate="tests", report=Report(finished=True)), F.CONVERGENCE_FAILURE),
    "a refused tool": (Facts(report=Report(denied=("Bash(rm)",), finished=True)), F.PERMISSION),
    "its tokens are used up": (Facts(tokens=1000, report=Report(usage=Usage(800, 0, 100))), F.TOKEN_EXHAUSTED),
    "its tokens are not used up": (Facts(tokens=1000, report=Report(usage=Usage(800, 0, 99))), F.UNKNOWN),
    "its money is used up": (Facts(micros=500, report=Report(usage=Usage(cost_micros=500))), F.BUDGET),
    "it could not be started": (Facts(unfit=True, printed="overloaded"), F.CONFIG),
    "it ran out of its time": (Facts(late=True), F.TIMEOUT),
    "what it printed": (Facts(code=1, printed=LATE), F.TIMEOUT),
    "its error before what it printed": (Facts(report=Report(error="overloaded"), printed=LATE), F.UNAVAILABLE),
    "it crashed": (Facts(code=-11), F.MODEL_FAILURE),
    "it says it is done": (Facts(code=0, report=Report(finished=True)), F.CONVERGENCE_FAILURE),
    "nobody knows": (Facts(code=1), F.UNKNOWN),
}


@pytest.mark.parametrize(("facts", "failure"), FACTS.values(), ids=FACTS)
def test_facts_come_first(facts: Facts, failure: Failure) -> None:
    assert name_failure(facts) is failure


@given(st.text(), st.sampled_from([401, 403]), st.booleans())
def test_a_refused_login_is_one_whatever_is_printed(text: str, status: int, finished: bool) -> None:
    report = Report(status=status, error=text, finished=finished)
    assert name_failure(Facts(report=report, printed=text)) is F.AUTH


@given(st.text(max_size=20_000))
def test_any_text_has_a_class(text: str) -> None:
    report = Report(error=text)
    assert name_failure(Facts(report=replace(report, status=0))) in Failure
