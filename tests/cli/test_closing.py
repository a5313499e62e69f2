"""How a run closes: it never says that nothing happened when something did, nor that others' trouble is its own."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from cli_samples import make_save, make_state, make_task

from orchd.app import Served
from orchd.cli.closing import close_run
from orchd.model.problem import Problem
from orchd.model.save import Hold, SaveStep
from orchd.model.snapshot import State
from orchd.model.work import Reason, Status


def close(before, *after, only=None, signals=(), **changes):
    asked = frozenset(only) if only else None
    return close_run(Served(make_state(*after, **changes), make_state(*before), asked, signals))


@pytest.mark.parametrize(
    ("status", "reason", "summary", "code"),
    [(Status.FAILED, Reason.GATE, "1 failed", 1), (Status.LANDED, None, "1 landed", 0)],
)
def test_a_task_whose_attempt_ended_before_the_run_counts_when_it_came_to_its_end_in_it(status, reason, summary, code):
    before = make_task(status=Status.SAVING, ended_ms=1)
    assert close([before], make_task(status=status, reason=reason, ended_ms=1)) == (summary, code)


@pytest.mark.parametrize("status", [Status.FAILED, Status.LANDED, Status.CANCELLED])
def test_what_was_over_before_the_run_does_not_count(status):
    assert close([make_task(status=status)], make_task(status=status)) == ("nothing to do", 0)


def test_what_main_says_has_landed_before_does_not_count_for_a_state_that_has_just_begun():
    known = make_task(status=Status.LANDED, seen_ms=9, ended_ms=1)
    assert close([], known) == ("nothing to do", 0)
    assert close([], replace(known, ended_ms=9)) == ("1 landed", 0)


def test_another_attempt_or_generation_that_ends_like_the_last_counts():
    old = make_task(status=Status.FAILED, reason=Reason.EXIT)
    assert close([old], replace(old, attempt=2)) == ("1 failed", 1)
    assert close([old], replace(old, generation=2)) == ("1 failed", 1)


def test_what_is_held_or_waits_counts_whenever_it_came():
    held = make_task(status=Status.HELD, reason=Reason.CONFLICT)
    assert close([held], held) == ("1 waiting for you", 6)
    assert close([make_task()], make_task()) == ("1 still waiting", 1)


def test_tasks_that_were_not_asked_for_count_neither_in_words_nor_in_the_exit_code():
    good, need = make_task("good", Status.LANDED), make_task("need", Status.LANDED)
    good = replace(good, spec=replace(good.spec, needs=("need",)))
    others = (
        make_task("bad", Status.FAILED, Reason.EXIT),
        make_task("held", Status.HELD, Reason.CONFLICT),
        make_task("waits"),
    )
    problem = Problem(".orch/tasks/other.yaml", 1, 1, "E001", "bad")
    save = make_save(SaveStep.GATED, hold=Hold.DIRTY)
    changes = {"problems": (problem,), "save": save}
    assert close([], good, need, *others, only={"good"}, **changes) == ("2 landed", 0)
    assert close([], good, need, *others, **changes)[1] == 6
    assert close([], good, only={"other"}, problems=(problem,)) == ("1 problem(s) in files", 1)


def test_an_interrupted_run_says_what_goes_on_and_what_is_left_to_save():
    summary, code = close_run(
        Served(
            make_state(make_task("a", Status.RUNNING), make_task("b", Status.READY)),
            State(),
            None,
            (signal.SIGINT, signal.SIGINT),
        )
    )
    assert "1 go on under their supervisors" in summary
    assert "1 have ended and are saved at the next start" in summary
    assert code == 130
