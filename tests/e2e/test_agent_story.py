"""Agents: a program called `claude` in the path of orchd that prints what claude prints, from task file to checkpoint, and
every way in which it only says that it is done."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from stories import Repo, wait_until

AGENT = """---
description: Writes code
runner: claude
model: {{default: sonnet, high: opus}}
rules: [allow read, allow edit, allow shell]
---
{instructions}
"""
PROGRAM = """#!/usr/bin/env python3
import json, os, pathlib, sys, time
FLAGS = "--output-format --permission-mode --allowedTools --disallowedTools --tools --setting-sources --add-dir"
if sys.argv[1:] in (["--version"], ["--help"]): sys.exit(print({"--version": "2.1", "--help": FLAGS}[sys.argv[1]]))
PROMPT = sys.stdin.read()
def say(**event): print(json.dumps(event), flush=True)
def use(tool, **given): say(type="assistant", message={"content": [{"type": "tool_use", "name": tool, "input": given}]})
def end(words, **more):
    say(type="result", subtype="success", is_error=False, terminal_reason="completed", result=words,
        modelUsage={"sonnet": {"inputTokens": 1000, "outputTokens": 20, "costUSD": 0.25}}, **{"permission_denials": [], **more})
say(type="system", subtype="init", session_id="c-1", model="sonnet")
"""
WORKS = 'use("Write", path="new.txt"); pathlib.Path("new.txt").write_text("new\\n"); end("I wrote new.txt")'


def install(repo: Repo, body: str) -> None:
    """What the program does after its first line."""
    tools = repo.top.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "claude").write_text(PROGRAM + body + "\n")
    (tools / "claude").chmod(0o755)
    if str(tools) not in repo.env["PATH"]:
        repo.env["PATH"] = f"{tools}:{repo.env['PATH']}"


def goal(repo: Repo, name: str = "add-new", **keys: object) -> None:
    lines = {"title": f"do {name}", "goal": "Write new.txt", "claims": ["*.txt"], **keys}
    repo.write(f".orch/tasks/{name}.yaml", "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items()))


def limits(repo: Repo, **keys: object) -> None:
    repo.write(".orch/config.yaml", f"limits: {json.dumps(keys)}\nkill_grace: 1\n")


def test_a_goal_becomes_a_landed_checkpoint(repo: Repo) -> None:
    install(repo, 'pathlib.Path(os.environ["HOME"], "argv.json").write_text(json.dumps(sys.argv[1:]))\n' + WORKS)
    repo.write(".orch/agents/coder.md", AGENT.format(instructions="Be brief."))
    goal(repo, agent="coder", effort="high", acceptance=["new.txt exists"], evidence=["new.txt"])
    repo.orchd("run")
    assert repo.git("show", "main:new.txt") == "new"
    assert len(repo.checkpoints()) == 1
    argv = json.loads((repo.top.parent / "argv.json").read_text())
    assert argv[argv.index("--model") + 1] == "opus"
    assert "Edit" in argv[argv.index("--allowedTools") + 1]
    assert "WebFetch" not in argv[argv.index("--tools") + 1]
    assert "new.txt" not in " ".join(argv), "the prompt is not in the command line"


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        ('end("All done!")', "nothing-changed", ""),
        (WORKS.replace('end("I', 'print("no json"); sys.exit(0); end("I'), "agent", "did not say that it was done"),
        ('end("I could not", permission_denials=[{"tool_name": "Bash"}])', "agent", "refused to it: Bash"),
        ("sys.exit(3)", "agent", "ended with 3"),
        (
            'say(type="result", is_error=True, result="API Error: 401", api_error_status=401); sys.exit(1)',
            "agent",
            "HTTP status 401",
        ),
    ],
)
def test_saying_that_it_is_done_is_not_being_done(repo: Repo, body: str, reason: str, detail: str) -> None:
    install(repo, body)
    goal(repo)
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert (told["status"], told["reason"]) == ("failed", reason)  # type: ignore[index]
    assert detail in " ".join(told["detail"])  # type: ignore[index]
    assert repo.checkpoints() == []


@pytest.mark.parametrize(
    ("limit", "body", "why"),
    [
        ({"silence": 1}, "time.sleep(60)", "printed nothing"),
        ({"progress": 1}, 'while True: say(type="assistant", message={"content": []}); time.sleep(0.1)', "no tool anew"),
        ({"repeats": 3}, 'while True: use("Bash", command="ls"); time.sleep(0.05)', "again and again"),
    ],
)
def test_what_hangs_or_goes_in_circles_is_ended(repo: Repo, limit: dict[str, object], body: str, why: str) -> None:
    install(repo, 'pathlib.Path("new.txt").write_text("half")\n' + body)
    limits(repo, **limit)
    goal(repo)
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert (told["status"], told["reason"]) == ("failed", "agent")  # type: ignore[index]
    assert why in " ".join(told["detail"])  # type: ignore[index]
    assert repo.git("show", f"{told['ref']}:new.txt") == "half", "the work is kept"  # type: ignore[index]


SPENDER = """#!/bin/sh
case " $* " in *" --version "*) echo 1.18; exit;; *" models "*) exit;;
*" --help "*) echo --format --dir --title --agent --model --variant --session --print-logs; exit;; esac
cat > /dev/null; echo half > new.txt
while true; do
  echo '{"type":"step_finish","part":{"reason":"tool-calls","tokens":{"input":900,"output":100},"cost":0}}'; sleep 0.1
done
"""


@pytest.mark.slow
def test_who_tells_its_tokens_is_ended_at_its_budget_and_not_tried_again(repo: Repo) -> None:
    install(repo, WORKS)
    spender = repo.top.parent / "tools" / "opencode"
    spender.write_text(SPENDER)
    spender.chmod(0o755)
    limit = "limits: {dollars: 0.005}\nrules: [allow read, allow edit, allow shell]"
    head = f"description: Writes code\nrunner: opencode\nmodel: maker/small\n{limit}"
    repo.write(".orch/agents/coder.md", f"---\n{head}\n---\n")
    price = {"input": 1.0, "output": 1.0, "as_of": "2026-11-27"}
    repo.write(".orch/config.yaml", f"prices: {json.dumps({'maker/*': price})}\nkill_grace: 1\n")
    goal(repo, agent=["coder", "claude"])
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert (told["status"], told["reason"], told["attempt"]) == ("failed", "agent", 1)  # type: ignore[index]
    assert "as much money as it was allowed" in " ".join(told["detail"])  # type: ignore[index]
    assert told["recovery"].startswith("escalated")  # type: ignore[index]
    assert 0.005 <= told["cost"] < 0.05 and not told["unpriced"]  # type: ignore[index]
    assert repo.git("show", f"{told['ref']}:new.txt") == "half", "the work is kept"  # type: ignore[index]


@pytest.mark.slow
def test_an_agent_whose_tools_compute_is_not_silent(repo: Repo) -> None:
    work = "import time; t = time.process_time()\\nwhile time.process_time() - t < 3: pass"
    install(repo, f'import subprocess; subprocess.run([sys.executable, "-c", "{work}"])\n' + WORKS)
    limits(repo, silence=1)
    goal(repo)
    repo.orchd("run")
    assert "new.txt" in repo.main_files()


@pytest.mark.parametrize("key", ["run", "goal"])
def test_evidence_that_is_missing_is_no_success(repo: Repo, key: str) -> None:
    install(repo, WORKS)
    if key == "run":
        repo.task("add-new", "echo new > new.txt", evidence=["docs/new.md"])
    else:
        goal(repo, evidence=["docs/new.md"])
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert (told["status"], told["reason"]) == ("failed", "evidence-missing")  # type: ignore[index]
    assert told["detail"][0] == "docs/new.md is not there"  # type: ignore[index]


def test_without_the_program_the_attempt_says_what_is_missing(repo: Repo, tmp_path: Path) -> None:
    goal(repo)
    repo.env["PATH"] = "/usr/bin:/bin"
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert told["reason"] == "agent"  # type: ignore[index]
    assert "no agent is installed" in " ".join(told["detail"])  # type: ignore[index]


def test_an_agent_is_in_its_folder_without_our_git_and_gets_the_prompt_on_its_input(repo: Repo) -> None:
    seen = repo.top.parent / "seen.json"
    facts = '{"env": dict(os.environ), "cwd": os.getcwd(), "prompt": PROMPT}'
    install(repo, f"pathlib.Path({str(seen)!r}).write_text(json.dumps({facts}))\n" + WORKS)
    repo.env |= {"GIT_DIR_NOT_REALLY": "x", "OLDPWD": "/", "SECRET": "s"}
    goal(repo, claims=["new.txt", {"migration": "next"}])
    repo.orchd("run")
    found = json.loads(seen.read_text())
    assert found["env"]["PWD"] == found["cwd"]
    assert not {"SECRET", "OLDPWD", "GIT_DIR_NOT_REALLY"} & found["env"].keys()
    assert "Write new.txt" in found["prompt"]
    assert "migration: `0001` (`$ORCHD_MIGRATION`)" in found["prompt"] and found["env"]["ORCHD_MIGRATION"] == "0001"


def test_a_running_agent_is_adopted_after_a_crash_with_its_report(repo: Repo) -> None:
    go = repo.top.parent / "go"
    install(repo, f'use("Bash", command="make")\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)\n' + WORKS)
    goal(repo)
    first = repo.start("daemon")
    wait_until(lambda: any(row["last_tool"] for row in repo.data("ps")), "its first call")  # type: ignore[union-attr]
    first.kill()
    first.wait()
    go.touch()
    repo.orchd("run")
    assert "new.txt" in repo.main_files()


def test_what_it_said_stands_beside_what_is_proven(repo: Repo) -> None:
    install(repo, WORKS)
    goal(repo)
    repo.orchd("run")
    told = repo.data("show", "add-new")
    assert told["claimed"] == "I wrote new.txt"  # type: ignore[index]
    assert told["proven"].startswith("main contains it since checkpoint/")  # type: ignore[index]
    assert (told["tokens"], told["cost"], told["tools"]) == (1020, 0.25, 1)  # type: ignore[index]
    assert "Write new.txt" in repo.orchd("show", "add-new", "--prompt")
    repo.task("plain", "echo x > plain.txt")
    repo.orchd("run")
    assert "had no prompt" in repo.orchd("show", "plain", "--prompt", code=1)


@pytest.mark.parametrize("last", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_step_that_says_it_is_done_and_changed_nothing_is_not_done(repo: Repo, last: bool) -> None:
    install(repo, 'end("It was done already")')
    steps = [{"name": "make", "run": "echo 1 > made.txt"}, {"name": "write", "goal": "Write it"}]
    goal(repo, goal=None, steps=steps + ([] if last else [{"name": "more", "run": "echo 2 > more.txt"}]))
    repo.write(".orch/tasks/add-new.yaml", (repo.top / ".orch/tasks/add-new.yaml").read_text().replace("goal: null\n", ""))
    repo.orchd("run", code=None)
    told = repo.data("show", "add-new")
    assert (told["status"], told["reason"]) == ("failed", "nothing-changed")  # type: ignore[index]
    assert "step write has changed nothing" in " ".join(told["detail"])  # type: ignore[index]
    assert repo.checkpoints() == []
    install(repo, WORKS)
    repo.orchd("retry", "add-new", "--from", "write")
    repo.orchd("run")
    assert {"made.txt", "new.txt"} <= repo.main_files()


def test_the_next_attempt_is_told_why_the_gate_was_red_and_what_its_needs_made(repo: Repo) -> None:
    body = 'pathlib.Path("new.txt").write_text("good\\n" if "What went wrong" in PROMPT else "bad\\n"); end("done")'
    install(repo, body)
    gate = "grep -q bad new.txt && echo THE-WORD-BAD && exit 1 || exit 0"
    repo.write(".orch/config.yaml", f"gates: [{json.dumps({'name': 'no-bad', 'run': gate, 'retries': 0})}]\n")
    repo.task("before", "echo x > src/made.txt", claims=["src/**"])
    goal(repo, needs=["before"], acceptance=["it is good"])
    repo.orchd("run", code=None)
    first = repo.orchd("show", "add-new", "--prompt")
    assert "- it is good" in first and "`src/made.txt`" in first and "no-bad: `grep" in first
    assert "What went wrong" not in first
    assert repo.status("add-new") == "failed"
    repo.orchd("retry", "add-new")
    repo.orchd("run")
    second = repo.orchd("show", "add-new", "--prompt")
    assert "Attempt 1 (gate)" in second and "THE-WORD-BAD" in second
    assert repo.git("show", "main:new.txt") == "good"


def test_its_log_is_readable_and_raw_is_the_stream(repo: Repo) -> None:
    install(repo, 'use("Bash", command="make test"); print("noise"); ' + WORKS)
    goal(repo)
    repo.orchd("run")
    told = repo.orchd("logs", "add-new").splitlines()
    assert told[0].startswith("> Bash") and "make test" in told[0]
    assert told[1] == "noise" and told[-1] == "I wrote new.txt"
    assert '"type": "result"' in repo.orchd("logs", "add-new", "--raw")


def test_a_task_starts_no_orchd(repo: Repo) -> None:
    tool = f"{sys.executable} -m orchd"
    repo.task("nested", f"{tool} run; echo $? > code.txt; {tool} status > seen.txt; {tool} retry nested; true")
    repo.orchd("run")
    assert repo.git("show", "main:code.txt") == "2"
    assert "is not for tasks, and this is one (nested.1.1)" in repo.orchd("logs", "nested")


def test_commands_in_a_task_are_refused_only_by_the_mark_of_its_run(repo: Repo) -> None:
    repo.orchd("run")
    repo.env["ORCHD_RUN"] = "someone.1.1"
    assert "not for tasks" in repo.orchd("run", code=2)
    repo.orchd("status")


LIMITED = """
mark = pathlib.Path(os.environ["HOME"], "asked")
if not mark.exists():
    mark.touch()
    say(type="rate_limit_event", rate_limit_info={"status": "rejected", "resetsAt": int(time.time()) + SECONDS})
    say(type="result", is_error=True, result="API Error: 429", api_error_status=429)
    sys.exit(1)
"""


@pytest.mark.parametrize(("seconds", "code"), [(2, 0), pytest.param(600, 1, marks=pytest.mark.slow)])
def test_a_run_waits_for_a_provider_that_comes_back_soon_and_says_what_waits_longer(
    repo: Repo, seconds: int, code: int
) -> None:
    install(repo, LIMITED.replace("SECONDS", str(seconds)) + WORKS)
    limits(repo, wait="5s")
    goal(repo)
    said = repo.orchd("run", code=code)
    assert ("new.txt" in repo.main_files()) is not bool(code), said
    assert ("is left alone until" in said) is bool(code)
    cooling = repo.data("status")["cooling"]  # type: ignore[index]
    assert [one["provider"] for one in cooling] == (["claude"] if code else [])  # type: ignore[index]


PROPOSES = """
folder = pathlib.Path(os.environ["ORCHD_CONTROL"], "proposals")
folder.mkdir()
for name in ("more", "most"):
    (folder / f"{name}.yaml").write_text(f"title: {name}\\ngoal: Write\\nclaims: [{name}.txt]\\n")
name = pathlib.Path(os.getcwd()).name.split(".")[0]
pathlib.Path(f"{name}.txt").write_text("new\\n")
end("done")
"""


@pytest.mark.parametrize(("allowed", "landed"), [pytest.param(0, [], marks=pytest.mark.slow), (1, ["more.txt"])])
def test_a_task_proposes_as_many_as_it_may_and_what_it_proposed_proposes_nothing(
    repo: Repo, allowed: int, landed: list[str]
) -> None:
    install(repo, PROPOSES)
    limits(repo, proposals=allowed)
    goal(repo, agent="claude", claims=["*.txt"])
    repo.orchd("run")
    assert [name for name in ("more.txt", "most.txt") if name in repo.main_files()] == landed
    log = repo.git("log", "--all", "--format=%(trailers:key=Orch-Proposed-By,valueonly)")
    assert ("add-new" in log) is bool(allowed)
    if allowed:
        assert repo.data("show", "more")["proposer"] == "add-new"  # type: ignore[index]
