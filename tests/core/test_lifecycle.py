"""The tables of the core are complete, and they say what the product says."""

from __future__ import annotations

import itertools
from typing import get_args

import lifecycle_page
import oracle
import playbook
import pytest

from orchd.core import evolve, lifecycle, statuses
from orchd.engine.execute import perform
from orchd.errors import OrchdError
from orchd.model.action import Action
from orchd.model.message import Event, TaskRetried, TaskWithdrawn
from orchd.model.work import Status


def test_the_table_is_the_one_that_was_agreed() -> None:
    table = {
        event: {(old.value, new.value) for old, news in moves.items() for new in news}
        for event, moves in lifecycle.MOVES.items()
    }
    assert table == oracle.LIFE


def test_the_groups_of_statuses_are_the_ones_that_were_agreed() -> None:
    assert (statuses.ACTIVE, statuses.OPEN) == (oracle.ACTIVE, oracle.OPEN)
    assert (statuses.FINISHED, statuses.SUCCEEDED) == (oracle.FINISHED, oracle.SUCCEEDED)


def test_every_move_outside_the_table_is_refused() -> None:
    for event, old, new in itertools.product(oracle.LIFE, Status, Status):
        if (old.value, new.value) in oracle.LIFE[event]:
            assert lifecycle.move(event, old, new) is new
        else:
            with pytest.raises(OrchdError):
                lifecycle.move(event, old, new)


def test_every_event_has_a_rule() -> None:
    missing = [kind for kind in get_args(Event) if evolve.apply.dispatch(kind) is evolve.apply.dispatch(object)]
    assert not missing


def test_every_action_has_a_rule() -> None:
    missing = [kind for kind in get_args(Action) if perform.dispatch(kind) is perform.dispatch(object)]
    assert not missing


def test_an_event_that_is_not_allowed_changes_nothing() -> None:
    state = playbook.state_of(playbook.task(Status.WAITING))
    with pytest.raises(OrchdError):
        evolve.evolve(state, [TaskWithdrawn("a"), TaskRetried("a")])
    assert state.tasks["a"].status is Status.WAITING


def test_an_event_of_a_save_needs_a_save() -> None:
    with pytest.raises(OrchdError):
        evolve.evolve(playbook.state_of(), [playbook.SaveLanded("save1", "C")])


def test_every_status_can_be_reached_and_only_landed_work_stays_for_good() -> None:
    moves = {move for pairs in oracle.LIFE.values() for move in pairs}
    assert {new for _, new in moves} == set(Status)
    assert {old for old, _ in moves} == set(Status)


def test_the_page_about_the_lifecycle_is_up_to_date() -> None:
    assert lifecycle_page.PAGE.read_text() == lifecycle_page.page(), "run `python tests/core/lifecycle_page.py`"
