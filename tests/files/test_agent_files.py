"""Definitions of agents: what may stand in them, and every mistake at its place."""

from __future__ import annotations

import pytest

from orchd.adapters.agent_schema import RUNNERS, parse_agent
from orchd.adapters.scaffold import AGENTS
from orchd.adapters.templates import template
from orchd.core.agents import find_agent, find_agent_fault, is_agent_unclear, make_job
from orchd.model.agent import AgentsSeen, Definition, Effort, Permit, Rule, Tool
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen
from orchd.model.work import Source, TaskSpec

B = "---\ndescription: d\nrunner: claude\n"
FULL = """\
---
name: me
description: Writes code
runner: claude
model: {default: sonnet, high: opus}
provider: anthropic
capabilities: [python]
rules:
  - allow read
  - allow edit(src/**)
  - deny shell(rm *)
limits: {turns: 9, dollars: 2.5}
---

Be brief.
"""

MISTAKES = [
    ("no front matter\n", "E084", 1, 1, "---"),
    ("---\nrunner: claude\n", "E084", 1, 1, "---"),
    ("---\n---\ntext\n", "E006", 1, 1, "runner"),
    ("---\ndescription: d\n---\n", "E030", 2, 1, "runner"),
    (B + "tools: [x]\n---\n", "E031", 4, 1, "keys are"),
    (B + "capabilitys: [x]\n---\n", "E031", 4, 1, "capabilities"),
    (B + "name: other\n---\n", "E085", 4, 7, "rename"),
    (B + "rules: [alow read]\n---\n", "E086", 4, 9, "allow read"),
    (B + "rules: [allow everything]\n---\n", "E086", 4, 9, "shell"),
    (B + "rules:\n  - allow read\n  - {deny: web}\n---\n", "E086", 6, 5, "allow edit"),
    ("---\ndescription: d\nrunner: claud\n---\n", "E087", 3, 9, "one of"),
    ("---\ndescription: d\nrunner: shell\n---\n", "E087", 3, 9, "one of"),
    (B + "model: {hihg: x}\n---\n", "E031", 4, 9, "high"),
    (B + "model: --yolo\n---\n", "E090", 4, 8, "flag"),
    (B + "model: {high: --yolo}\n---\n", "E090", 4, 15, "flag"),
    (B + "limits: {turns: 0}\n---\n", "E038", 4, 17, "at least"),
    (B + "limits: {turn: 5}\n---\n", "E031", 4, 10, "turns"),
    (B + "provider: Anthropic Inc\n---\n", "E039", 4, 11, "anthropic-inc"),
    ("---\n\tdescription: d\n---\n", "E011", 2, 1, "spaces"),
]


def parse(text: str, name: str = "me") -> Definition | tuple[Problem, ...]:
    return parse_agent(f".orch/agents/{name}.md", name, text.encode())


def test_everything_in_the_file_reaches_the_model() -> None:
    assert parse(FULL) == Definition(
        "me",
        "claude",
        "Writes code",
        "sonnet",
        ((Effort.HIGH, "opus"),),
        "anthropic",
        ("python",),
        (Rule(Permit.ALLOW, Tool.READ), Rule(Permit.ALLOW, Tool.EDIT, "src/**"), Rule(Permit.DENY, Tool.SHELL, "rm *")),
        9,
        2_500_000,
        "Be brief.",
    )


def test_without_rules_nothing_is_allowed() -> None:
    found = parse(B + "---\n")
    assert isinstance(found, Definition)
    assert found.rules == ()


@pytest.mark.parametrize(("text", "code", "line", "column", "hint"), MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, code: str, line: int, column: int, hint: str) -> None:
    found = parse(text)
    assert isinstance(found, tuple)
    assert [(one.code, one.line, one.column) for one in found] == [(code, line, column)]
    assert hint in found[0].message + found[0].hint


@pytest.mark.parametrize("name", ["Big", "auto", "shell"])
def test_a_name_that_cannot_be_an_agent_is_refused(name: str) -> None:
    found = parse(FULL, name)
    assert isinstance(found, tuple)
    assert found[0].code == "E005"


@pytest.mark.parametrize("name", AGENTS)
def test_the_definitions_that_are_shipped_are_good_and_start_no_agents_of_their_own(name: str) -> None:
    found = parse(template(f"agents/{name}.md"), name)
    assert isinstance(found, Definition), found
    assert found.instructions
    assert not any(rule.tool in (Tool.DELEGATE, Tool.WEB) for rule in found.rules)


CODER = Definition("coder", "claude", models=((Effort.HIGH, "opus"),), model="sonnet", capabilities=("implement",))
WRITER = Definition("writer", "claude", capabilities=("docs",))
ELSEWHERE = Definition("apart", "codex", capabilities=("docs", "api"))
SEEN = AgentsSeen((ELSEWHERE, CODER, WRITER), programs=("claude", "codex"), installed=("claude",))


@pytest.mark.parametrize(
    ("name", "labels", "found"),
    [
        ("coder", (), "coder"),
        ("claude", (), "claude"),
        ("nobody", (), None),
        ("auto", (), "coder"),
        ("auto", ("docs", "api"), "writer"),
        ("auto", ("other",), "coder"),
    ],
)
def test_who_is_meant(name: str, labels: tuple[str, ...], found: str | None) -> None:
    who = find_agent(name, labels, SEEN)
    assert (who.name if who else None) == found


def test_without_definitions_any_installed_program_will_do_and_without_programs_nobody() -> None:
    who = find_agent("auto", (), AgentsSeen(programs=("claude", "codex"), installed=("codex",)))
    assert who is not None
    assert (who.runner, Rule(Permit.ALLOW, Tool.EDIT) in who.rules) == ("codex", True)
    assert find_agent("auto", (), AgentsSeen(programs=("claude",))) is None


@pytest.mark.parametrize(
    ("model", "effort", "used"),
    [("", None, "sonnet"), ("", Effort.HIGH, "opus"), ("", Effort.LOW, "sonnet"), ("haiku", Effort.HIGH, "haiku")],
)
def test_the_wish_of_the_task_goes_before_the_effort_and_that_before_the_default(
    model: str, effort: Effort | None, used: str
) -> None:
    assert make_job(TaskSpec("t", "t", "", goal="g", model=model, effort=effort), CODER, "p").model == used


def seen(**keys: object) -> FileSeen:
    return FileSeen("t.yaml", TaskSpec("t", "t", **{"run": "", "goal": "g", **keys}), "d", Source.FILE)  # type: ignore[arg-type]


def test_a_task_whose_agent_nobody_knows_has_a_problem() -> None:
    fault = find_agent_fault(seen(agent="coder", fallbacks=("coddex",)), SEEN)
    assert fault is not None
    assert (fault.code, "coddex" in fault.message, "codex" in fault.hint) == ("E088", True, True)
    assert find_agent_fault(seen(agent="coder", fallbacks=("codex", "auto")), SEEN) is None


def test_a_command_may_name_whatever_it_likes() -> None:
    assert find_agent_fault(seen(agent="nobody", goal="", run="x"), SEEN) is None


def test_an_agent_with_a_mistake_is_a_problem_and_one_that_is_being_written_is_none() -> None:
    bad, written = AgentsSeen(bad=frozenset({"coder"})), AgentsSeen(unsettled=frozenset({"coder"}))
    fault = find_agent_fault(seen(agent="coder"), bad)
    assert fault is not None
    assert fault.code == "E089"
    assert is_agent_unclear(seen(agent="coder").spec, written)
    assert not is_agent_unclear(seen(agent="coder").spec, bad)


def test_shell_is_no_runner() -> None:
    assert "shell" not in RUNNERS
    assert "claude" in RUNNERS
