"""Tasks for agents: what their files may say, and what that comes to."""

from __future__ import annotations

from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.model.agent import Effort
from orchd.model.recovery import Part
from orchd.model.work import Step

GOAL = "title: Retry\ngoal: Make the client retry\n"


def parse(text: str) -> ParsedTask:
    found = parse_task("t.yaml", "me", text.encode())
    assert isinstance(found, ParsedTask), found
    return found


def test_a_goal_without_more_is_for_any_agent() -> None:
    spec = parse(GOAL).spec
    assert (spec.goal, spec.run, spec.agent, spec.fallbacks) == ("Make the client retry", "", "auto", ())
    assert (spec.model, spec.effort, spec.acceptance, spec.evidence) == ("", None, (), ())


def test_a_chain_of_agents_begins_with_the_one_that_does_it_first() -> None:
    spec = parse(GOAL + "agent: [implementer, codex, auto]\n").spec
    assert (spec.agent, spec.fallbacks) == ("implementer", ("codex", "auto"))


def test_everything_about_the_work_of_an_agent_comes_through() -> None:
    spec = parse(
        GOAL + "model: sonnet\neffort: high\nacceptance: [GET is tried thrice]\nevidence: [docs/retry.md, tests/]\n"
    ).spec
    assert (spec.model, spec.effort, spec.acceptance) == ("sonnet", Effort.HIGH, ("GET is tried thrice",))
    assert spec.evidence == ("docs/retry.md", "tests")


def test_steps_may_have_goals_and_goals_may_have_parts() -> None:
    parts = "parts: [{name: a, goal: do a}, {name: b, goal: do b}]"
    assert parse(f"{GOAL}{parts}\n").spec.parts == (Part("a", "do a"), Part("b", "do b"))
    steps = (
        f"steps:\n  - {{name: plan, goal: think, acceptance: [a plan], {parts}}}\n  - {{name: run, run: x, optional: true}}\n"
    )
    spec = parse(f"title: x\n{steps}acceptance: [good]\nagent: [claude, auto]\noptional: true\n").spec
    first = Step("plan", goal="think", acceptance=("a plan",), parts=(Part("a", "do a"), Part("b", "do b")))
    assert spec.steps == (first, Step("run", "x", optional=True)) and spec.optional
    assert (spec.agent, spec.fallbacks, spec.acceptance) == ("claude", ("auto",), ("good",))
    assert parse(f"title: x\n{steps}").spec.agent == "auto"


def test_a_command_has_evidence_and_a_name_for_its_limits_too() -> None:
    spec = parse("title: x\nrun: make docs\nagent: claude\nevidence: [docs/index.md]\n").spec
    assert (spec.run, spec.agent, spec.goal, spec.evidence) == ("make docs", "claude", "", ("docs/index.md",))


def test_another_goal_is_another_task() -> None:
    assert parse(GOAL).digest != parse(GOAL + "acceptance: [a]\n").digest != parse(GOAL + "acceptance: [b]\n").digest
