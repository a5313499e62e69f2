"""The prompt of an agent, whole and within its budgets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playbook import look, state_of, task

from orchd.core.prompting import BUDGETS, collect_asks, write_prompt
from orchd.model.agent import AgentsSeen, Definition, Effort
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config
from orchd.model.prompt import Ask, Finished, Need, Neighbour, Recalled
from orchd.model.save import Gate
from orchd.model.work import Earlier, Reason, Setback, Status

SNAPSHOT = Path(__file__).parent / "prompt.md"
ASK = Ask(
    "Retry requests",
    "Make the HTTP client retry.\n",
    "Be brief.",
    ("GET is tried three times",),
    Effort.MEDIUM,
    (PathSpec("src/http/**"), PathSpec("CHANGES.md", Mode.APPEND)),
    ("docs/retry.md",),
    neighbours=(Neighbour("login", "Rewrite the login", (PathSpec("src/auth/**"),)),),
    needs=(Need("client", "Add the client", "b" * 40, "c" * 40),),
    gates=(("tests", "make test"),),
    setbacks=(Setback(1, Reason.GATE, ("gate tests was red", "@abc.1.1")), Setback(2, Reason.TIMEOUT)),
    runs=("@abc.1.1", "retry.1.2"),
)
EARLIER = Earlier("c" * 40, "b" * 40, ("src/a.py",))
RECALLED = Recalled(
    (("src/http/client.py", "tests/test_client.py"),), ("FAILED test_retry\n1 failed\n", ""), numbers=(("migration", "0042"),)
)


def test_the_prompt_is_what_the_snapshot_says() -> None:
    assert write_prompt(ASK, RECALLED) == SNAPSHOT.read_text(), "if it is right, write it there"


def test_a_step_is_told_which_one_it_is_and_what_is_done() -> None:
    done = (Finished("plan", "Plan it", "a" * 40, "b" * 40), Finished("count", "wc -l"))
    ask = replace(ASK, step="code", steps=("plan", "count", "code"), finished=done, setbacks=(Setback(1, step="code"),))
    text = write_prompt(ask, replace(RECALLED, made=(("p.md",),)))
    assert "Step 3 of 3, `code`: Make the HTTP client retry." in text and "Do this step only" in text
    assert "- plan: Plan it (`git show bbbbbbbbbbbb`): `p.md`\n" in text
    assert "- count: wc -l (`git log --grep 'Orch-Step: count'`)\n" in text
    assert "Attempt 1 at step code:" in text


def test_it_is_told_how_to_propose_parts_and_of_what_it_is_a_part() -> None:
    text = write_prompt(replace(ASK, step="x.a", steps=("x.a", "x.b"), whole="All of\nit", divisible=True), RECALLED)
    assert "2 to 5 lines `NAME: what to achieve` in `$ORCHD_CONTROL/parts.ask`" in text
    assert "That is a part of this, which is too large for one:\n\n    All of\n    it\n" in text


def test_who_is_to_settle_a_conflict_is_told_so_with_both_sides() -> None:
    text = write_prompt(replace(ASK, earlier=EARLIER), RECALLED)
    assert "## A conflict to settle" in text and "- `src/a.py`\n" in text and f"`git merge {'c' * 40}`" in text
    assert "A conflict to settle" not in write_prompt(ASK, RECALLED)


def test_what_is_left_out_is_said() -> None:
    many = replace(
        ASK,
        effort=Effort.LOW,
        neighbours=tuple(Neighbour(f"t{n}", "x", (PathSpec("a/*"),) * 9) for n in range(9)),
        setbacks=tuple(Setback(n, Reason.EXIT) for n in range(1, 6)),
        runs=("r",) * 5,
    )
    text = write_prompt(many, Recalled((("p",) * 9,), ("line\n" * 2000,) * 5))
    budget = BUDGETS[Effort.LOW]
    assert f"and {9 - budget.entries} more tasks run" in text
    assert f"and {9 - budget.paths} more paths" in text
    assert f"({5 - budget.entries} earlier attempts are left out.)" in text
    assert "bytes left out]" in text
    assert "Attempt 5" in text and "Attempt 1 " not in text, "the newest are told"


def test_goal_claim_and_acceptance_are_always_whole() -> None:
    ask = replace(ASK, effort=Effort.LOW, goal="g" * 9000, acceptance=tuple(f"a{n}" for n in range(90)))
    text = write_prompt(ask, Recalled())
    assert "g" * 9000 in text
    assert all(f"- a{n}\n" in text for n in range(90))
    assert "- append: `CHANGES.md`" in text


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(Effort))
def test_whatever_others_have_written_stays_within_its_line(title: str, printed: str, effort: Effort) -> None:
    ask = replace(ASK, effort=effort, neighbours=(Neighbour("x", title, (PathSpec("a"),)),))
    text = write_prompt(ask, Recalled((), (printed, printed)))
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert heads == [line for line in write_prompt(ask, Recalled()).splitlines() if line.startswith("## ")]


@pytest.mark.parametrize("effort", [None, *Effort])
def test_it_is_collected_from_the_state(effort: Effort | None) -> None:
    state = state_of(task(Status.RUNNING))
    mine = replace(state.tasks["a"].spec, goal="g", agent="coder", needs=("b",), effort=effort)
    other = replace(task(Status.LANDED, order=2), tip="T", base="B")
    beside = task(Status.RUNNING, order=3)
    tasks = {
        "a": replace(
            state.tasks["a"], spec=mine, setbacks=(Setback(1, Reason.GATE, ("@abc.1.2",)), Setback(2)), earlier=EARLIER
        ),
        "b": replace(other, spec=replace(other.spec, id="b")),
        "c": replace(beside, spec=replace(beside.spec, id="c")),
    }
    state = replace(state, tasks=tasks)
    seen = AgentsSeen((Definition("coder", "claude", instructions="Be brief."),))
    [ask] = collect_asks(tasks["a"], state, look(state, agents=seen, config=Config(gates=(Gate("unit", "make"),))))
    assert (ask.goal, ask.instructions, ask.effort) == ("g", "Be brief.", effort)
    assert [(need.task, need.base, need.tip) for need in ask.needs] == [("b", "B", "T")]
    assert [one.task for one in ask.neighbours] == ["c"]
    assert ask.gates == (("unit", "make"),)
    assert ask.runs == ("@abc.1.2", "a.1.2")
    assert ask.earlier == EARLIER
