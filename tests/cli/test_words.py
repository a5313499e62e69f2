"""The lines of a run: who was red and how it ended, problems once, and words about the service under their own label."""

from __future__ import annotations

import pytest
from cli_samples import make_state

from orchd.cli.narrator import Narrator
from orchd.core.attempts import _describe_exit
from orchd.core.chronicle import tell_events
from orchd.core.exit_words import tell_exit
from orchd.core.gating import describe_red
from orchd.model.message import GateRan, ProblemsChanged
from orchd.model.problem import Problem
from orchd.model.run import CommandResult, Exit, Outcome
from orchd.model.save import GateResult, Verdict
from orchd.model.snapshot import State

OLD = Problem(".orch/tasks/old.yaml", 1, 1, "E001", "old trouble")
NEW = Problem(".orch/tasks/new.yaml", 1, 1, "E001", "new trouble")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3, "ended with 3"),
        (127, "ended with 127 (command not found)"),
        (-9, "killed by signal 9 (SIGKILL)"),
        (-64, "killed by signal 64"),
    ],
)
def test_the_end_of_a_command_is_told_in_words(code, words):
    assert tell_exit(code) == words
    assert _describe_exit(Exit(Outcome.EXITED, (CommandResult("run", code, 1.0),)))[0].startswith(words)
    assert describe_red([GateResult("g", False, code, 1.0)]) == (f"gate `g` {words}",)


def test_a_gate_that_left_no_evidence_was_not_killed_by_a_signal():
    assert describe_red([GateResult("g", False, -1, 0.0)]) == ("gate `g` left no evidence of its end",)


def test_a_red_verdict_names_the_red_gates_only_and_a_green_one_all():
    results = (GateResult("lint", True, 0, 1.0), GateResult("unit", False, 1, 2.0))
    (red,) = tell_events([GateRan("s", Verdict(1, False, results))], State())
    assert "unit" in red.text and "lint" not in red.text
    (green,) = tell_events([GateRan("s", Verdict(1, True, results[:1]))], State())
    assert "lint" in green.text


def test_a_problem_is_told_when_it_is_new_and_not_again_when_another_comes(capsys):
    narrator = Narrator(quiet=False)
    narrator.told([ProblemsChanged((OLD,))], make_state(problems=(OLD,)))
    assert "old trouble" in capsys.readouterr().err
    narrator.told([ProblemsChanged((NEW, OLD))], make_state(problems=(NEW, OLD)))
    said = capsys.readouterr().err
    assert "new trouble" in said and "old trouble" not in said


def test_a_notice_stands_under_its_own_word_and_not_under_trouble(capfd):
    narrator = Narrator(quiet=False)
    narrator.notice("really?")
    narrator.notice("here", "serves")
    assert [line.split() for line in capfd.readouterr().err.splitlines()] == [["stop", "really?"], ["serves", "here"]]
