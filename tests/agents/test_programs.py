"""Every program: reading never fails, rules never come out freer than written, nothing counts as done without its word."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cases import recorded_cases, restore
from hypothesis import given
from hypothesis import strategies as st

from orchd.adapters.agent_log import tell_stream
from orchd.adapters.agents import permits, programs
from orchd.adapters.agents.events import Lines, parse
from orchd.adapters.agents.program import Folders, Program
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.agents.reports import find_status
from orchd.model.agent import Effort, Job, Permit, Report, Rule, Tool
from orchd.model.limits import AGENT_LINE_BYTES

WORKSPACE = Folders("/w/space", "/w/private")
OPEN = tuple(Rule(Permit.ALLOW, tool) for tool in (Tool.READ, Tool.EDIT, Tool.SHELL))
every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)

# Keys and kinds that the streams use, so that what is generated gets past the first look.
KEYS = st.sampled_from(
    [
        "type",
        "subtype",
        "message",
        "content",
        "result",
        "usage",
        "error",
        "errors",
        "part",
        "state",
        "item",
        "tokens",
        "input",
        "status",
        "data",
        "modelUsage",
        "stats",
        "cost",
        "properties",
        "event",
        "reason",
        "session_id",
        "permission_denials",
        "is_error",
        "terminal_reason",
        "rate_limit_info",
        "resetsAt",
        "tool",
    ]
)
KINDS = st.sampled_from(
    [
        "result",
        "system",
        "assistant",
        "tool_use",
        "error",
        "turn.failed",
        "turn.completed",
        "item.completed",
        "item.started",
        "step_finish",
        "message",
        "thread.started",
        "rate_limit_event",
        "text",
        "success",
        "rejected",
        "api_retry",
        "message_send",
        "message_send_exception",
        "exit",
        "tool_result",
    ]
)
LEAVES = st.one_of(KINDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just(10**400))
EVENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=12
)
LINES = st.binary(max_size=60) | EVENTS.map(lambda found: json.dumps(found).encode())
RULES = st.lists(
    st.builds(Rule, st.sampled_from(Permit), st.sampled_from(Tool), st.sampled_from(["*", "src/**", "git *"])), max_size=6
).map(tuple)


@every_program
@given(lines=st.lists(LINES, max_size=8), code=st.integers(-15, 255))
def test_no_line_makes_reading_fail_and_no_number_goes_below_zero(program: Program, lines: list[bytes], code: int) -> None:
    report = Report()
    for line in lines:
        report = program.read(line, report)
    usage = program.close(report, code).usage
    assert min(usage.input_tokens, usage.cached_tokens, usage.output_tokens, usage.cost_micros or 0, report.tools) >= 0


@every_program
def test_a_program_that_was_killed_or_said_nothing_is_not_done(program: Program) -> None:
    for code in (-9, 1, 0):
        report = program.close(Report(), code)
        assert report.finished is (program.signs.program == "shell" and code == 0)
        assert report.finished or report.error


@every_program
def test_the_prompt_is_never_in_the_arguments(program: Program) -> None:
    job = Job(
        program.signs.program, "--help -rf SECRETPROMPT", "some/model", Effort.HIGH, OPEN, max_turns=5, budget_micros=1_500_000
    )
    launch = program.launch(job, WORKSPACE)
    told = launch.stdin + "".join(text for _, text in launch.files)
    assert program.signs.program == "shell" or (
        "SECRETPROMPT" in told and not any("SECRETPROMPT" in one for one in launch.argv)
    )
    assert all(path.startswith(WORKSPACE.private + "/") for path, _ in launch.files)


@every_program
def test_resuming_names_the_conversation(program: Program) -> None:
    job = Job(program.signs.program, "go on", rules=OPEN, resume="0199-abc")
    told = program.launch(job, WORKSPACE)
    assert program.signs.program in ("shell", "aider") or "0199-abc" in told.argv


@given(RULES, st.sampled_from(Tool))
def test_without_an_allow_a_tool_is_shut(rules: tuple[Rule, ...], tool: Tool) -> None:
    if permits.is_shut(rules, tool):
        last = [rule for rule in rules if rule.tool is tool][-1:]
        assert not last or last[0].permit is Permit.DENY
    if not any(rule.permit is Permit.ALLOW and rule.tool is tool for rule in rules):
        assert permits.is_shut(rules, tool)


def test_what_a_whole_tool_switch_cannot_say_is_an_objection() -> None:
    rules = (*OPEN, Rule(Permit.DENY, Tool.EDIT, "docs/**"))
    assert "deny edit docs/**" in permits.object_to("some", rules, (Tool.EDIT,))
    assert not permits.object_to("some", OPEN, tuple(Tool))


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_lines_are_the_same_however_the_stream_is_cut(pieces: list[bytes]) -> None:
    lines = Lines()
    found = [line for piece in pieces for line in lines.feed(piece)]
    assert [*found, lines.rest()] == b"".join(pieces).split(b"\n")


def test_a_line_without_end_costs_no_memory_and_means_nothing() -> None:
    lines = Lines()
    for _ in range(5):
        assert list(lines.feed(b'{"a":"' + b"x" * AGENT_LINE_BYTES)) == []
    [line] = lines.feed(b'"}\n')
    assert len(line) == AGENT_LINE_BYTES
    assert parse(line) == {}


@pytest.mark.parametrize("half", ["\\ud83d", "\\uDE00", "\\ude00\\ud83d"])
def test_half_a_character_becomes_a_question_mark(half: str) -> None:
    found = parse(f'{{"cut {half}": ["{half} here", "whole \\ud83d\\ude00"]}}'.encode())
    cut = "?" * half.count("u")
    assert found == {f"cut {cut}": [f"{cut} here", "whole \U0001f600"]}


@pytest.mark.parametrize("program", PROGRAMS)
def test_half_a_character_in_a_stream_stops_nobody(program: str) -> None:
    """Each recorded stream again, with half a character at the beginning of each text."""
    for _, recorded in recorded_cases(program):
        stream = re.sub(rb'"(text|command|content|message|result|output)": ?"', rb"\g<0>\\ud83d", restore(recorded["lines"]))
        lines = stream.splitlines(keepends=True)
        report = Report()
        for line in lines:
            report = PROGRAMS[program].read(line, report)
        assert "\ud83d" not in repr(report)
        b"".join(tell_stream(PROGRAMS[program], lines)).decode()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("unexpected status 401 Unauthorized: no, url: http://127.0.0.1:4290/v1", 401),
        ("exceeded retry limit, last status: 429 Too Many Requests", 429),
        ("API Error: 529 overloaded", 529),
        ('{"error":{"code": 503}}', 503),
        ("I wrote 404 lines into page500.html", 0),
    ],
)
def test_a_status_is_taken_from_where_programs_write_it(words: str, status: int) -> None:
    assert find_status(words) == status


def test_the_shell_is_done_when_its_command_says_so() -> None:
    shell = PROGRAMS["shell"]
    read = shell.read(b"all tests pass", Report())
    assert replace(read, finished=True) == shell.close(read, 0)
    assert shell.close(read, 3).error == "it ended with exit code 3 and did not say that it was done"


def test_opencode_that_went_on_with_another_agent_has_failed() -> None:
    """It says so in one line for people and then works on, without our rules."""
    program = PROGRAMS["kilo"]
    stop = b'{"type":"step_finish","part":{"reason":"stop"}}'
    assert program.close(program.read(stop, Report()), 0).finished
    astray = program.read(b'! agent "orchd" not found. Falling back to default agent', Report())
    assert not program.close(program.read(stop, astray), 0).finished


SHARED = {"events", "handshake", "permits", "program", "programs", "reports", "__init__"}
MOST_LINES = 90


def test_a_program_is_one_module_of_about_80_lines() -> None:
    """Without comments; beside it, only what all share, or the program that it is a relative of."""
    folder = Path(programs.__file__).parent
    for path in folder.glob("*.py"):
        if path.stem not in SHARED:
            text = path.read_text()
            tree = ast.parse(text)
            told = [one for one in ast.walk(tree) if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)]
            words = {line for one in told for line in range(one.lineno, (one.end_lineno or 0) + 1)}
            lines = [line.strip() for at, line in enumerate(text.splitlines(), 1) if at not in words]
            assert sum(bool(line) and not line.startswith("#") for line in lines) <= MOST_LINES, path.name
            assert set(re.findall(r"from orchd.adapters.agents.(\w+) import", text)) <= SHARED | PROGRAMS.keys(), path.name


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ("NaN", None),
        ("-1", None),
        ("Infinity", None),
        ("1e999", None),
        ("true", None),
        ('"1"', None),
        ("0", 0),
        ("0.25", 250_000),
    ],
)
def test_money_that_is_no_amount_is_not_known(told: str, cost: int | None) -> None:
    line = f'{{"type":"step_finish","part":{{"reason":"stop","cost":{told},"tokens":{{"input":7,"output":2}}}}}}'
    usage = PROGRAMS["opencode"].read(line.encode(), Report()).usage
    assert (usage.input_tokens, usage.output_tokens, usage.cost_micros) == (7, 2, cost)
