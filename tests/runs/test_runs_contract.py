"""What the port `Runs` promises, asked of the supervisors and of their memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_world import World, wait_for

from orchd.model.config import Config
from orchd.model.run import Command, Exit, Outcome, Phase, RunOrder
from orchd.ports import Runs
from twins.runs import ScriptedRuns

LONG = "sleep 1000"


class Both:
    """One of the two, with the same words for both."""

    def __init__(self, runs: Runs, head: str, lose) -> None:
        self.runs, self.head, self.lose = runs, head, lose

    def start(self, run: str, *lines: str) -> None:
        commands = tuple(Command(f"c{number}", line, 60.0) for number, line in enumerate(lines))
        self.runs.start(RunOrder(run, self.head, commands, collect=True), Config(kill_grace_seconds=0.2))

    def phase(self, run: str) -> Phase:
        return self.runs.look([run])[run].phase

    def end(self, run: str) -> Exit:
        wait_for(lambda: self.phase(run) is Phase.ENDED)
        left = self.runs.look([run])[run].exit
        assert left is not None
        return left


@pytest.fixture(params=["supervisors", "twin"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Both]:
    if request.param == "twin":
        twin = ScriptedRuns()
        yield Both(twin, "0" * 40, twin.lose)
        return
    world = World(tmp_path)
    yield Both(world.runs, world.head, world.lose)
    world.close()


def test_a_run_that_was_never_started_is_absent(both: Both):
    assert both.phase("never.1.1") is Phase.ABSENT
    both.runs.stop("never.1.1")
    both.runs.salvage("never.1.1")
    both.runs.discard("never.1.1")
    assert both.phase("never.1.1") is Phase.ABSENT


def test_commands_run_in_order_and_stop_at_the_first_that_fails(both: Both):
    both.start("a.1.1", "exit 0", "exit 3", "exit 0")
    left = both.end("a.1.1")
    assert (left.outcome, [(one.name, one.code) for one in left.results]) == (Outcome.EXITED, [("c0", 0), ("c1", 3)])


def test_a_run_is_started_at_most_once(both: Both):
    both.start("a.1.1", "exit 1")
    first = both.end("a.1.1")
    both.start("a.1.1", "exit 0")
    assert both.end("a.1.1") == first


def test_a_run_is_running_until_it_is_stopped(both: Both):
    both.start("a.1.1", LONG)
    assert both.phase("a.1.1") is Phase.RUNNING
    both.runs.stop("a.1.1")
    assert both.end("a.1.1").outcome is Outcome.STOPPED


def test_stopping_what_has_ended_changes_nothing(both: Both):
    both.start("a.1.1", "exit 0")
    before = both.end("a.1.1")
    both.runs.stop("a.1.1")
    assert both.end("a.1.1") == before


def test_a_lost_run_is_lost_until_it_is_salvaged(both: Both):
    both.start("a.1.1", LONG)
    both.lose("a.1.1")
    assert both.phase("a.1.1") is Phase.LOST
    both.runs.salvage("a.1.1")
    assert both.end("a.1.1").outcome is Outcome.LOST
    both.runs.salvage("a.1.1")
    assert both.end("a.1.1").outcome is Outcome.LOST


def test_salvage_leaves_a_run_alone_that_is_not_lost(both: Both):
    both.start("a.1.1", LONG)
    both.runs.salvage("a.1.1")
    assert both.phase("a.1.1") is Phase.RUNNING


def test_a_note_is_told_once_it_was_left_and_the_last_of_a_name_counts(both: Both):
    both.start("a.1.1", LONG)
    wait_for(lambda: "a.1.1" in both.runs.leftovers())
    for text in ("one", "two", "two"):
        both.runs.tell("a.1.1", "note.md", text)
    assert both.runs.look(["a.1.1"])["a.1.1"].told == {"note.md": "two"}


def test_telling_a_run_that_has_ended_or_never_was_changes_nothing(both: Both):
    both.runs.tell("never.1.1", "note.md", "one")
    both.start("a.1.1", "exit 0")
    before = both.end("a.1.1")
    both.runs.tell("a.1.1", "note.md", "one")
    assert both.end("a.1.1") == before
    both.runs.discard("a.1.1")
    both.runs.tell("a.1.1", "note.md", "two")
    assert not both.runs.leftovers()


def test_a_run_that_is_revoked_is_lost(both: Both):
    both.runs.revoke("never.1.1")
    both.start("a.1.1", LONG)
    both.runs.revoke("a.1.1")
    left = both.end("a.1.1")
    assert left.outcome is Outcome.LOST
    both.runs.revoke("a.1.1")
    assert both.end("a.1.1") == left


def test_after_beginning_anew_nothing_was_ever_started(both: Both):
    both.start("a.1.1", "exit 1")
    assert both.end("a.1.1").results[0].code == 1
    both.runs.begin_anew()
    both.runs.begin_anew()
    assert both.phase("a.1.1") is Phase.ABSENT
    assert not both.runs.leftovers()
    both.start("a.1.1", "exit 0")
    assert both.end("a.1.1").results[0].code == 0


def test_a_workspace_is_left_over_until_it_is_discarded_and_the_evidence_stays(both: Both):
    both.start("a.1.1", "exit 0")
    left = both.end("a.1.1")
    assert set(both.runs.leftovers()) == {"a.1.1"}
    both.runs.discard("a.1.1")
    both.runs.discard("a.1.1")
    assert not both.runs.leftovers()
    assert both.end("a.1.1") == left
