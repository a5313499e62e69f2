"""Where nothing new is asked no gate runs, in real repositories; the bench counts the same."""

from __future__ import annotations

from pathlib import Path

import pytest

import gate_runs
from orchd.model.limits import AUDITED_ONE_IN
from samples import make_sample


@pytest.mark.slow
@pytest.mark.parametrize("what", gate_runs.WAYS)
def test_a_gate_that_was_green_on_a_tree_is_not_run_on_it_again(what: str, tmp_path: Path) -> None:
    """By chance one stored result in fifty is not believed: twice in a row that would be one in 2,500."""
    assert AUDITED_ONE_IN == 50
    runs = (gate_runs.WAYS[what](make_sample(tmp_path / str(number), 3), number) for number in range(2))
    assert 0 in runs
