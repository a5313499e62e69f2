"""What agents cost: nothing twice, nothing guessed, no cap passed."""

from __future__ import annotations

import random

import cost_rules
from hypothesis import given
from hypothesis import strategies as st


@given(st.randoms(use_true_random=False))
def test_a_resumed_conversation_is_never_counted_twice(dice: random.Random) -> None:
    cost_rules.check_resumed(dice)


@given(st.randoms(use_true_random=False))
def test_no_cap_is_passed_by_runs_that_keep_to_what_they_were_allowed(dice: random.Random) -> None:
    cost_rules.check_caps(dice)


def test_prices_and_rests_row_by_row() -> None:
    cost_rules.check_scenes()
