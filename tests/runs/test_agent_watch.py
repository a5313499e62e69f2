"""An agent under its supervisor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchd.adapters.agent_watch import AgentWatch
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.process_tree import ProcessTree
from orchd.adapters.run_files import PROGRESS
from orchd.adapters.run_step import StepNow, list_progress, name_progress, note_step, read_step
from orchd.model.agent import Clocks, Price, Watch
from orchd.model.limits import AGENT_WORDS_CHARS

SAYS = b'{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash","input":{"command":"make"}}]}}\n'
DONE = b'{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","result":"done"}\n'


def hear(folder: Path) -> int:
    """How many calls are known in the end; progress is written below `folder`."""
    watch = AgentWatch(PROGRAMS["claude"], Clocks(), ProcessTree(), folder / PROGRESS)
    watch.tee(lambda _: None)(SAYS)
    watch.pulse()
    return watch.close(0, timed_out=False).tools


def test_what_a_program_prints_beside_its_stream_is_kept_when_it_does_not_finish(tmp_path: Path):
    for code, kept in ((1, "Error: no such key"), (0, "")):
        watch = AgentWatch(PROGRAMS["claude"], Clocks(), ProcessTree(), tmp_path / PROGRESS)
        take = watch.tee(lambda _: None)
        take(b"x" * 3000 + b"\n" + SAYS + b"  Error: no such key\n" + (DONE if code == 0 else b""))
        report = watch.close(code, timed_out=False)
        assert report.finished == (code == 0)
        assert report.printed.endswith(kept) and len(report.printed) <= AGENT_WORDS_CHARS


def test_progress_that_cannot_be_written_ends_nobody(tmp_path: Path):
    assert hear(tmp_path / "gone") == 1


def test_progress_is_written_where_it_can_be(tmp_path: Path):
    assert hear(tmp_path) == 1
    assert '"tools": 1' in (tmp_path / PROGRESS).read_text()


def test_the_agent_of_each_command_tells_for_itself_and_which_step_it_is(tmp_path: Path):
    for at in (10, 2, 0):
        name_progress(tmp_path, at).write_text("{}")
    assert [at for at, _ in list_progress(tmp_path)] == [0, 2, 10]
    assert read_step(tmp_path) == StepNow()
    note_step(tmp_path, "write")
    assert read_step(tmp_path).name == "write" and 0 <= read_step(tmp_path).seconds < 60
    note_step(tmp_path / "gone", "write")


@pytest.mark.parametrize(("cost", "ends"), [(0, True), (0.000009, False), (0.00001, True)])
def test_who_tells_tokens_as_it_goes_is_ended_when_its_money_is_spent(tmp_path: Path, cost: float, ends: bool):
    """By its price, when it says that it was free."""
    clocks = Clocks(micros=10, price=Price("m", 10**6, 10**6, 10**6, "2026-11-27"))
    watch = AgentWatch(PROGRAMS["opencode"], clocks, ProcessTree(), tmp_path / PROGRESS)
    told = {"reason": "tool-calls", "tokens": {"input": 9, "output": 2}, "cost": cost}
    watch.tee(lambda _: None)(json.dumps({"type": "step_finish", "part": told}).encode() + b"\n")
    assert watch.close(-15, timed_out=True).ended_by is (Watch.MONEY if ends else Watch.WALL)
