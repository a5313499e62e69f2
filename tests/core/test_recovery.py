"""What follows when an attempt of an agent came to nothing."""

from __future__ import annotations

import random

import failure_facts
import pytest
import recovery_page
import recovery_rules
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.failures import Facts, name_failure, read_words
from orchd.core.recovery import REMEDIES, TOLD, find_remedy
from orchd.model.agent import Failure
from orchd.model.recovery import Candidate, Case, Decompose, Escalate, Retry, Tried


@given(st.randoms(use_true_random=False))
def test_whatever_fails_a_step_ends_soon_and_nobody_is_asked_in_vain(dice: random.Random) -> None:
    recovery_rules.check_unrolled(dice)


def test_the_table_of_the_design_row_by_row() -> None:
    recovery_rules.check_table()
    recovery_rules.check_advice()


def test_every_move_is_told() -> None:
    assert {move for moves in REMEDIES.values() for move in moves} == set(TOLD)


def test_xai_model_unavailable_recovers_with_another_model_than_xai() -> None:
    failure = read_words("xai model unavailable")
    chain = (
        Candidate("opencode", "grok", "xai"),
        Candidate("opencode", "grok-mini", "xai"),
        Candidate("codex", "gpt", "openai"),
    )
    remedy = find_remedy(Case((Tried(chain[0], failure),), chain, 0))
    assert isinstance(remedy, Retry) and remedy.candidate.provider != "xai"


def test_token_exhaustion_recovers_by_decomposing() -> None:
    failure = read_words("prompt is too long: 202095 tokens > 200000 maximum")
    assert failure is Failure.TOKEN_EXHAUSTED
    chain = (Candidate("claude", "opus", "anthropic"),)
    assert find_remedy(Case((Tried(chain[0], failure),), chain, 0, parts=("read", "write"))) == Decompose(("read", "write"))


@pytest.mark.parametrize("failure", Failure)
def test_the_name_of_a_failure_is_no_evidence_of_it(failure: Failure) -> None:
    told = find_remedy(Case((Tried(Candidate("claude", "opus", "anthropic"), failure, attempt=3),) * 3, (), 0))
    assert isinstance(told, Escalate) and not told.setting.endswith((f": {failure}", "}"))


def test_the_page_is_made_from_the_tables() -> None:
    assert recovery_page.PAGE.read_text() == recovery_page.page(recovery_page.count_texts())


@pytest.mark.parametrize(("facts", "failure"), failure_facts.FACTS.values(), ids=failure_facts.FACTS)
def test_facts_come_first(facts: Facts, failure: Failure) -> None:
    assert name_failure(facts) is failure


@pytest.mark.parametrize(("text", "failure"), failure_facts.WORDS.items())
def test_of_two_that_fit_the_one_that_must_never_be_retried_or_the_cause_counts(text: str, failure: Failure) -> None:
    assert read_words(text) is failure
