"""The four recoveries that orchd was begun for, each with real processes: programs of agents in the path that print what the
real ones print. What is done is kept, and whoever goes on knows what was done and what went wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from stories import Repo
from test_agent_story import WORKS, install

PLAN = 'STEP = os.environ.get("ORCHD_STEP", ""); LOG = pathlib.Path(os.environ["HOME"], "log")\n'
SAW = "LOG.open(\"a\").write(f\"{STEP} {os.environ['ORCHD_ATTEMPT']} {len(os.environ['ANTHROPIC_API_KEY'])}\\n\")\n"
DOES = 'use("Write", path=f"{STEP}.txt"); pathlib.Path(f"{STEP}.txt").write_text(f"{STEP}\\n"); end(f"{STEP} is done")\n'
BREAKS = 'say(type="result", is_error=True, result="API Error: 500 internal", api_error_status=500); sys.exit(1)\n'
GROK = """#!/usr/bin/env python3
import json, pathlib, sys
pathlib.Path("half.txt").write_text("half")
error = {"name": "APIError", "data": {"message": "xai model unavailable", "statusCode": 503}}
print(json.dumps({"type": "error", "sessionID": "s", "error": error}))
sys.exit(1)
"""


def task(repo: Repo, **keys: object) -> None:
    lines = {"title": "a long task", "claims": ["*.txt"], **keys}
    repo.write(".orch/tasks/long.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))


def agent(repo: Repo, name: str, runner: str, provider: str) -> None:
    head = (
        f"description: x\nrunner: {runner}\nprovider: {provider}\nmodel: {name}-1\nrules: [allow read, allow edit, allow shell]"
    )
    repo.write(f".orch/agents/{name}.md", f"---\n{head}\n---\nYou are {name}.\n")


def log(repo: Repo) -> list[str]:
    return (repo.top.parent / "log").read_text().splitlines()


def test_each_step_of_an_agent_is_a_checkpoint_from_which_another_agent_goes_on_and_knows_everything(repo: Repo) -> None:
    """(a) and (d): a checkpoint after each step that ended well; the context is there after a rollback."""
    mess = 'if STEP == "code" and "You are first" in PROMPT: pathlib.Path("mess.txt").write_text("half")\n'
    breaks = f'if STEP == "code" and "You are first" in PROMPT: {BREAKS}'
    install(repo, PLAN + SAW + mess + breaks + DOES)
    repo.env["ANTHROPIC_API_KEY"] = "sk-of-the-agent"
    agent(repo, "first", "claude", "one")
    agent(repo, "second", "claude", "two")
    steps = [
        {"name": "plan", "goal": "Plan it", "acceptance": ["there is a plan"]},
        {"name": "count", "run": "cat plan.txt > count.txt; echo ${ANTHROPIC_API_KEY-none} >> count.txt"},
        {"name": "code", "goal": "Write the code"},
    ]
    task(repo, agent=["first", "second"], steps=steps, acceptance=["it works"])
    repo.orchd("run")
    assert log(repo) == ["plan 1 15", "code 1 15", "code 2 15"], "what is done is not done again"
    assert repo.git("show", "main:count.txt") == "plan\nnone", "a command sees no key of an agent"
    assert {"plan.txt", "count.txt", "code.txt"} <= repo.main_files()
    assert "mess.txt" not in repo.main_files(), "it began in a fresh workspace"
    shown = repo.data("show", "long")
    commits = {line.split()[0]: line.split()[1] for line in shown["steps"]}  # type: ignore[index]
    trailers = repo.git("log", "--format=%h %(trailers:key=Orch-Step,valueonly,separator=%x2C)", "main").splitlines()
    assert commits["code"] == shown["tip"], "the last step is the result"  # type: ignore[index]
    assert (shown["tokens"], shown["cost"]) == (2040, 0.5), "of all attempts and steps"  # type: ignore[index]
    assert [line.split(" USD")[0] for line in shown["step_costs"]] == [
        f"{name}: 1020 tokens, 0.250000" for name in ("plan", "code")
    ]  # type: ignore[index]
    assert [line.split()[1] for line in trailers if len(line.split()) > 1] == ["count", "plan"]
    assert repo.git("show", "--format=%an", "--name-only", commits["plan"]).split()[-1] == "plan.txt"
    prompt = repo.orchd("show", "long", "--prompt")
    assert "You are second." in prompt and "Step 3 of 3, `code`: Write the code" in prompt
    assert f"plan: Plan it (`git show {commits['plan'][:12]}`): `plan.txt`" in prompt
    assert "Attempt 1 at step code (agent):" in prompt and "API Error: 500 internal" in prompt
    assert '{"type"' not in prompt, "what it said, not its stream"


def test_an_agent_whose_context_is_too_small_is_divided_as_it_proposed(repo: Repo) -> None:
    """(b)"""
    lines = "one: write one.txt\\ntwo: write two.txt\\n"
    proposes = f'control = pathlib.Path(os.environ["ORCHD_CONTROL"]); (control / "parts.ask").write_text("{lines}")\n'
    full = 'say(type="result", is_error=True, result="API Error: prompt is too long", api_error_status=400); sys.exit(1)\n'
    install(repo, PLAN + SAW + f"if not STEP:\n    {proposes}    {full}" + DOES)
    repo.env["ANTHROPIC_API_KEY"] = "sk-of-the-agent"
    task(repo, agent="claude", goal="Write both", acceptance=["both are there"])
    said = repo.orchd("run", code=None)
    assert "divided  long: claude failed (token-exhausted); what is left: one, two" in said
    assert log(repo) == [" 1 15", "one 2 15", "two 2 15"]
    assert {"one.txt", "two.txt"} <= repo.main_files()
    shown = repo.data("show", "long")
    assert shown["recovery"] == "recovered, from its beginning, after 1 x token-exhausted"  # type: ignore[index]
    prompt = repo.orchd("show", "long", "--prompt")
    assert "Step 2 of 2, `two`: write two.txt" in prompt and "    Write both" in prompt and "prompt is too long" in prompt


@pytest.mark.slow
def test_an_xai_model_that_is_unavailable_is_replaced_by_one_that_is_not_of_xai(repo: Repo) -> None:
    """(c)"""
    install(repo, WORKS)
    tools = Path(repo.env["PATH"].split(":")[0])
    (tools / "opencode").write_text(GROK)
    (tools / "opencode").chmod(0o755)
    agent(repo, "grok", "opencode", "xai")
    agent(repo, "grok-too", "opencode", "xai")
    agent(repo, "coder", "claude", "anthropic")
    task(repo, agent=["grok", "grok-too", "coder"], goal="Write new.txt")
    repo.orchd("run")
    assert "new.txt" in repo.main_files() and "half.txt" not in repo.main_files()
    shown = repo.data("show", "long")
    assert shown["attempt"] == 2, "no second one of xai was asked"  # type: ignore[index]
    assert "xai model unavailable" in repo.orchd("show", "long", "--prompt")
