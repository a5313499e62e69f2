"""The cases that every agent program is put through, and what orchd concludes from what it printed then."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchd.adapters.agents.events import Lines
from orchd.adapters.agents.programs import PROGRAMS
from orchd.core.failures import Facts, name_failure
from orchd.model.agent import Permit, Report, Rule, Tool, Watch

RECORDED = Path(__file__).parent / "recorded"
OPEN = tuple(Rule(Permit.ALLOW, tool) for tool in (Tool.READ, Tool.EDIT, Tool.SHELL))
GIT_ONLY = (*OPEN[:2], Rule(Permit.ALLOW, Tool.SHELL, "git *"))
NO_EDIT = (OPEN[0], OPEN[2])
# Programs whose rules know only whole tools are asked to edit without leave.
FORBIDDEN: Mapping[str, tuple[Rule, ...]] = {"codex": NO_EDIT, "aider": NO_EDIT}
# For what ends by itself: a program may take 20 s to start, and many times that on a machine that is full.
RUN_SECONDS = 240.0


@dataclass(frozen=True)
class Case:
    """`mode` and `command` are those of the scripted model. `seconds` after which our clock ends it; `kill`: it is killed
    as soon as its tool runs; `resumes`: it goes on with the conversation of the case `ok`; `noise`: lines that are no JSON
    and events that nobody knows are put between those of `ok`."""

    name: str
    mode: str = "tool"
    command: str = "echo hi > out.txt"
    seconds: float = RUN_SECONDS
    kill: bool = False
    resumes: bool = False
    noise: bool = False
    forbidden: bool = False
    clock: Watch | None = None


CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        Case("ok"),
        Case("nothing done", "nothing"),
        Case("denied", forbidden=True),
        Case("400", "400"),
        Case("401", "401"),
        Case("429", "429", seconds=40, clock=Watch.SILENCE),
        Case("500", "500", seconds=40, clock=Watch.SILENCE),
        Case("hang", "hang", seconds=25, clock=Watch.SILENCE),
        Case("killed", command="touch began; sleep 60", kill=True),
        Case("huge output", "huge", "echo hi > out.txt; head -c 5000000 /dev/zero | tr '\\0' x"),
        Case("noise", noise=True),
        Case("resume", command="echo again > again.txt", resumes=True),
    )
}
# What is not there, and why.
UNRECORDED: Mapping[tuple[str, str], str] = {
    ("aider", "killed"): "runs no commands",
    ("aider", "resume"): "has no conversations",
    **{("shell", name): "asks no model" for name in ("400", "401", "429", "500", "resume")},
    ("shell", "denied"): "only the sandbox holds it",
}
# Command lines of the shell, where there is no model to ask for them.
LINES: Mapping[str, str] = {"nothing": "true", "hang": "sleep 3600"}
NOISE = (
    b"Warning: a line for people",
    b"",
    b'{"type":',
    b"\xff\xfe\x00",
    b"[1,2,3]",
    b'{"type":"a-kind-of-tomorrow","nested":{"deep":[1]}}',
    b'{"type":7,"message":"odd"}',
    b'{"no":"type"}',
)


def rules_of(program: str, case: Case) -> tuple[Rule, ...]:
    return FORBIDDEN.get(program, GIT_ONLY) if case.forbidden else OPEN


def read_recorded(program: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((RECORDED / f"{program}.json").read_text(encoding="utf-8"))
    return found


def recorded_cases(program: str) -> Iterator[tuple[Case, Mapping[str, Any]]]:
    """The recorded ones, and those that are made from them."""
    recorded = read_recorded(program)["cases"]
    for case in CASES.values():
        if case.noise:
            yield case, {**recorded["ok"], "lines": with_noise(recorded["ok"]["lines"])}
        elif case.name in recorded:
            yield case, recorded[case.name]


def with_noise(lines: list[str]) -> list[str]:
    noise = [piece.decode("latin-1") for piece in NOISE]
    return [*noise, *(one for line in lines for one in (line, *noise))]


def judge(program: str, stream: bytes, code: int, ended_by: Watch | None = None) -> Report:
    """The report of a whole stream, as a supervisor comes to it."""
    lines, report = Lines(), Report()
    for line in (*lines.feed(stream), lines.rest()):
        report = PROGRAMS[program].read(line, report)
    return replace(PROGRAMS[program].close(report, code), ended_by=ended_by)


def conclude(program: str, report: Report, code: int, *, changed: bool) -> str:
    """In the words of the table."""
    if report.finished and changed:
        return "finished; gates decide"
    if report.finished and not report.denied:
        return "nothing done"
    failure = name_failure(Facts(program=program, report=report, code=code, late=report.ended_by is not None))
    refused = f" ({report.denied[0].split()[0]} refused)" if report.denied else ""
    return f"{failure}{refused}"


# What is too long to be kept: the beginning of a text and how much more there was, and lines that repeat.
KEPT_CHARS = 240
KEPT_LINES = 30
_MORE = re.compile(r"<<(\d+) more>>")
_LINES = re.compile(r"<<(\d+) lines like the last>>")


def trim(line: str) -> str:
    """The line without long texts and lists."""
    try:
        event = json.loads(line)
    except ValueError:
        return _cut(line)
    return json.dumps(_shorten(event), separators=(",", ":"), ensure_ascii=False)


def trim_lines(lines: list[str]) -> list[str]:
    if len(lines) <= 2 * KEPT_LINES:
        return lines
    left_out = len(lines) - 2 * KEPT_LINES
    return [*lines[:KEPT_LINES], f"<<{left_out} lines like the last>>", *lines[-KEPT_LINES:]]


def restore(lines: list[str]) -> bytes:
    """The stream as it was, nearly: what was cut out of a text is filled up with x."""
    whole: list[str] = []
    for line in lines:
        repeated = _LINES.fullmatch(line)
        whole += [whole[-1]] * int(repeated[1]) if repeated else [_MORE.sub(lambda found: "x" * int(found[1]), line)]
    return "\n".join(whole).encode("utf-8", "replace") + b"\n"


def _shorten(found: Any) -> Any:
    if isinstance(found, str):
        return _cut(found)
    if isinstance(found, list):
        return [_shorten(one) for one in found[:8]]
    return {key: _shorten(one) for key, one in found.items()} if isinstance(found, dict) else found


def _cut(text: str) -> str:
    return text if len(text) <= KEPT_CHARS else f"{text[:KEPT_CHARS]}<<{len(text) - KEPT_CHARS} more>>"
