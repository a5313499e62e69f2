"""An agent under its supervisor."""

from __future__ import annotations

from pathlib import Path

from orchd.adapters.agent_watch import AgentWatch
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.process_tree import ProcessTree
from orchd.adapters.run_files import PROGRESS
from orchd.model.agent import Clocks
from orchd.model.limits import AGENT_WORDS_CHARS

SAYS = b'{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash","input":{"command":"make"}}]}}\n'
DONE = b'{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","result":"done"}\n'


def hear(folder: Path) -> int:
    """How many calls are known in the end; progress is written below `folder`."""
    watch = AgentWatch(PROGRAMS["claude"], Clocks(), ProcessTree(), folder)
    watch.tee(lambda _: None)(SAYS)
    watch.pulse()
    return watch.close(0, timed_out=False).tools


def test_what_a_program_prints_beside_its_stream_is_kept_when_it_does_not_finish(tmp_path: Path):
    for code, kept in ((1, "Error: no such key"), (0, "")):
        watch = AgentWatch(PROGRAMS["claude"], Clocks(), ProcessTree(), tmp_path)
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
