"""What codex and gemini write of their use while they work, beside their streams, as it was recorded: it ends a run whose
budget is used up, and it is never counted beside the sum that the program tells at its end."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from cases import read_recorded

from orchd.adapters.agent_diary import DiaryReader
from orchd.adapters.agent_watch import AgentWatch
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.process_tree import ProcessTree
from orchd.adapters.run_files import PROGRESS
from orchd.model.agent import USUAL_CLOCKS, Clocks, Price, Report, Usage, Watch

FIRST = Usage(1000, 300, 50)
both = pytest.mark.parametrize("program", ["codex", "gemini"])
PRICE = Price("m", 10**6, 10**6, 10**6, "2026-11-27")


class Run:
    """The recorded run `case` of a program. Its diary is in the place in which the program puts it."""

    def __init__(self, program: str, case: str, home: Path, clocks: Clocks = USUAL_CLOCKS) -> None:
        kept, first = (read_recorded(program)["cases"][name] for name in (case, "ok"))
        diary = PROGRAMS[program].signs.diary
        assert diary
        name = diary.pattern.format(self.conversation(program)).replace("*", "x")
        self.file = home / diary.below / name
        self.file.parent.mkdir(parents=True, exist_ok=True)
        old = first["diary"] if case == "resume" else []
        self.file.write_text("".join(f"{line}\n" for line in old))
        self.lines: Sequence[str] = kept["lines"]
        self.diary: Sequence[str] = kept["diary"][len(old) :]
        reader = DiaryReader(diary, {"HOME": str(home)}, self.conversation(program) if old else "")
        self.watch = AgentWatch(PROGRAMS[program], clocks, ProcessTree(), home / PROGRESS, reader)
        self.hear = self.watch.tee(len)

    @staticmethod
    def conversation(program: str) -> str:
        report = Report()
        for line in read_recorded(program)["cases"]["ok"]["lines"]:
            report = PROGRAMS[program].read(line.encode(), report)
        return report.conversation

    def begin(self) -> None:
        """Up to its first call of a tool, which goes on."""
        at = next(at for at, line in enumerate(self.lines, 1) if '"item.started"' in line or '"tool_use"' in line)
        self.hear("".join(f"{line}\n" for line in self.lines[:at]).encode())
        self.lines = self.lines[at:]
        self.write(self.diary[0] + "\n")

    def write(self, text: str) -> None:
        with self.file.open("a") as file:
            file.write(text)
        self.watch.pulse()

    def end(self) -> Report:
        self.write("".join(f"{line}\n" for line in self.diary[1:]))
        self.hear("".join(f"{line}\n" for line in self.lines).encode())
        return self.watch.close(0, timed_out=False)


def tokens(usage: Usage) -> tuple[int, int, int]:
    return usage.input_tokens, usage.cached_tokens, usage.output_tokens


@both
@pytest.mark.parametrize("case", ["ok", "resume"])
@pytest.mark.parametrize(
    ("clocks", "ends"),
    [
        (Clocks(tokens=1050), Watch.TOKENS),
        (Clocks(tokens=1051), Watch.WALL),
        (Clocks(micros=1050, price=PRICE), Watch.MONEY),
        (Clocks(micros=1050), Watch.WALL),
    ],
)
def test_a_run_is_ended_in_the_middle_by_what_it_alone_has_used(
    program: str, case: str, clocks: Clocks, ends: Watch, tmp_path: Path
) -> None:
    run = Run(program, case, tmp_path, clocks)
    run.begin()
    report = run.watch.close(-15, timed_out=True)
    assert (report.ended_by, report.error) == (ends, "")
    before = 2 if (program, case) == ("codex", "resume") else 0
    assert tokens(report.usage) == tuple((before + 1) * one for one in tokens(FIRST))
    assert report.usage.cumulative is (program == "codex")


@both
@pytest.mark.parametrize("case", ["ok", "resume"])
def test_the_sum_at_the_end_counts_alone(program: str, case: str, tmp_path: Path) -> None:
    run = Run(program, case, tmp_path)
    run.begin()
    report = run.end()
    assert report.finished
    silent = Run(program, case, tmp_path / "silent")
    silent.file.unlink()
    silent.hear("".join(f"{line}\n" for line in silent.lines).encode())
    assert report == silent.watch.close(0, timed_out=False)


@both
def test_whatever_lies_in_the_place_of_the_diary_does_no_harm(program: str, tmp_path: Path) -> None:
    for at, spoil in enumerate((_link, _pipe, Path.mkdir, _noise)):
        run = Run(program, "ok", tmp_path / str(at), Clocks(tokens=1))
        run.file.unlink()
        spoil(run.file)
        run.hear("".join(f"{line}\n" for line in run.lines[:-1]).encode())
        run.watch.pulse()
        assert tokens(run.watch.close(-15, timed_out=True).usage) == (0, 0, 0)


def _link(path: Path) -> None:
    path.with_name("other").write_text(read_recorded("codex")["cases"]["ok"]["diary"][0] + "\n")
    path.symlink_to("other")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _noise(path: Path) -> None:
    path.write_bytes(b'"token_usage_record" "tokens"\n{"type":"gemini","tokens":7}\n\xff"tokens"{\n' + b"x" * 10**6)


def answer(name: str, made: int) -> bytes:
    told = {"input_tokens": 10, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": made}
    return json.dumps({"type": "assistant", "message": {"id": name, "usage": told}}).encode()


def result(made: int, since: str = "model_usage_since_last_result") -> bytes:
    told = {"m": {"inputTokens": 100, "outputTokens": made, "costUSD": 0.01}}
    return json.dumps({"type": "result", "is_error": False, since: told}).encode()


def test_an_answer_of_claude_counts_once_with_its_last_word_and_no_more_beside_a_sum() -> None:
    """Answers of sub-agents come between the pieces of its own."""
    report, seen = Report(), []
    rows = (answer("a", 1), answer("b", 1), answer("a", 5), result(7), answer("c", 1), result(8), result(9, "modelUsage"))
    for line in rows:
        report = PROGRAMS["claude"].read(line, report)
        seen.append((*tokens(report.usage), report.usage.cost_micros))
    counted = [(15, 3, 1, None), (30, 6, 2, None), (30, 6, 6, None)]
    assert seen == [*counted, (100, 0, 7, 10_000), (115, 3, 8, 10_000), (200, 0, 15, 20_000), (100, 0, 9, 10_000)]
