"""The real commands on a real repository that orchd has really served."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cli_oracle import check_schema, data_of
from cli_shell import MAIN

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import json_schema

READING = ("status", "ps", "claims", "checkpoints", "gates", "op log", "plan")


@pytest.mark.parametrize("command", READING)
def test_reading_commands_work_before_orchd_ever_ran(shell, command):
    data = data_of(shell, *command.split())
    shell.ok(*command.split())
    if command == "status":
        assert (data["server"], data["checkpoint"], data["tasks"], data["counts"]) == (None, None, [], {})
    else:
        assert data == []


@pytest.mark.parametrize("command", READING)
def test_reading_commands_change_nothing(served, command):
    before = served.git("for-each-ref"), served.git("status", "--porcelain")
    served.ok(*command.split())
    assert (served.git("for-each-ref"), served.git("status", "--porcelain")) == before


@pytest.mark.parametrize("command", ["ps", "claims", "checkpoints", "gates", "op log", "plan"])
def test_a_pipe_gets_one_line_for_each_record_of_the_json(served, command):
    lines = served.ok(*command.split()).splitlines()
    data = data_of(served, *command.split())
    assert len(lines) == len(data)
    for line, record in zip(lines, data, strict=True):
        assert len(line.split("\t")) == len(record)


def test_status_tells_what_landed_and_what_failed(served):
    data = data_of(served, "status")
    assert data["counts"] == {"landed": 1, "failed": 1, "held": 1}
    assert {task["task"]: task["status"] for task in data["tasks"]} == {"stray": "held", "bad": "failed"}
    assert data["branch"] == "main"
    assert data["verified"] is False
    assert [one["tasks"] for one in data["landed"]] == [["good"]]
    assert data["sandbox"].startswith("none")


def test_status_on_a_terminal_is_a_table_without_control_characters_of_others(served):
    screen = served.on_terminal("status", NO_COLOR="1")
    assert "\x1b" not in screen
    assert "no daemon: start with `orchd run`" in screen
    assert "agents run UNSANDBOXED, with your rights" in screen
    assert "unverified: no gates were configured" in screen
    assert re.search(r"^TASK +STATUS +ELAPSED +WHAT$", screen, re.MULTILINE)


def test_colours_are_on_a_terminal_only_and_can_be_switched_off(served):
    assert "\x1b[31m" in served.on_terminal("status")
    assert "\x1b" not in served.on_terminal("status", "--no-color")
    assert "\x1b" not in served.on_terminal("status", TERM="dumb")
    assert "\x1b" not in served.ok("status")


def test_watching_in_a_pipe_prints_once(served):
    once, again = (re.sub(r"\t\d+\.\d+\t", "\tage\t", served.ok("status", *options)) for options in (["-w"], []))
    assert once == again


def drain(terminal: int) -> None:
    """Read what still comes: a full terminal would keep its writer from ending."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass


def test_watching_on_a_terminal_looks_again_until_ctrl_c(served):
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", MAIN, "status", "-w"]
    with subprocess.Popen(argv, cwd=served.repo, env=served.env | {"TERM": "xterm"}, stdout=theirs) as watcher:
        shown = b""
        while shown.count(b"\x1b[H") < 2:
            shown += os.read(ours, 65536)
        watcher.send_signal(signal.SIGINT)
        reader = threading.Thread(target=drain, args=(ours,), daemon=True)
        reader.start()
        assert watcher.wait(30) == 0
    os.close(ours)
    os.close(theirs)
    assert shown.count(b"UNSANDBOXED") >= 1


def test_explain_says_why_a_task_failed_and_what_to_do(served):
    bad, stray = data_of(served, "explain", "bad"), data_of(served, "explain", "stray")
    assert "ended with 3" in bad["what"]
    assert any("orchd logs bad" in step for step in bad["next"])
    assert "elsewhere.txt" in stray["what"]
    assert any("`claims:`" in step for step in stray["next"])


def test_the_command_that_shows_refused_work_really_shows_it(served):
    step = next(step for step in data_of(served, "explain", "stray")["next"] if "git diff" in step)
    command = re.search(r"`git (diff [^`]+)`", step)[1]
    assert "+x" in served.git(*command.split())


def test_show_sets_claimed_beside_proven(served):
    good, stray = data_of(served, "show", "good"), data_of(served, "show", "stray")
    assert good["claimed"] == stray["claimed"] == "its command reported success"
    assert good["checkpoint"] in good["proven"]
    assert "unverified" in good["proven"]
    assert good["commit"] == served.git("rev-parse", "main")
    assert stray["proven"] == "nothing landed"
    assert "claimed" in served.on_terminal("show", "good")


def test_logs_are_without_control_sequences_unless_raw(served):
    assert served.ok("logs", "bad") == "so far so good\n"
    assert served.ok("logs", "bad", "--raw") == "so far\x1b[31m so good\n"
    assert data_of(served, "logs", "bad") == {"run": "bad.1.1", "lines": ["so far so good"]}
    assert served.ok("logs", "bad", "-f", "--attempt", "1") == "so far so good\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "god"), "there is no task `god`"),
        (("explain", "god"), "there is no task `god`"),
        (("logs", "god"), "there is no task `god`"),
        (("retry", "god"), "there is no task `god`"),
    ],
)
def test_an_unknown_task_ends_with_2_and_a_suggestion(served, arguments, message):
    done = served.orchd(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [f"orchd: error: {message}", "help: did you mean `good`?"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("retry", "good"), "good is landed: there is nothing to retry"),
        (("cancel", "good"), "good is landed: there is nothing to cancel"),
        (("session", "cancel", "default"), "nothing of session default waits or is under way; bad is failed; stray is held"),
        (("logs", "bad", "--attempt", "2"), "bad has 1 attempt(s), not 2"),
        (("logs", "bad", "-f", "--json"), "--json prints one finished document"),
    ],
)
def test_requests_that_make_no_sense_end_with_2(served, arguments, message):
    done = served.orchd(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_retry_waits_for_the_next_run_and_makes_a_second_attempt(fresh):
    done = fresh.orchd("retry", "bad", "--json")
    assert json.loads(done.stdout)["data"] == [{"task": "bad", "verb": "retry", "status": "failed", "served": False}]
    assert "the next `orchd run`" in done.stderr
    document = json.loads(fresh.orchd("run", "--json").stdout)
    check_schema(json_schema(ENVELOPES["run"]), document, "run")
    assert {task["task"]: task["status"] for task in document["data"]["tasks"]} == {"bad": "failed", "stray": "held"}
    assert data_of(fresh, "show", "bad")["attempt"] == 2
    assert fresh.ok("logs", "bad", "--attempt", "1") == "so far so good\n"


def test_a_bad_file_is_shown_with_its_problem_by_show_explain_and_check(fresh):
    fresh.write_task("typo", "echo", "clams: [a]\n")
    fresh.orchd("run")
    for command in ("show", "explain"):
        done = fresh.orchd(command, "typo")
        assert (done.returncode, done.stdout) == (1, "")
        assert "--> .orch/tasks/typo.yaml:3:1" in done.stderr
    assert [line.split("\t")[-1] for line in fresh.ok("status").splitlines()[:2]] == ["orchd answer stray", "orchd check"]
    checked = fresh.orchd("check")
    assert checked.returncode == 1
    assert "--> .orch/tasks/typo.yaml:3:1" in checked.stdout
    document = json.loads(fresh.orchd("check", "--json").stdout)
    check_schema(json_schema(ENVELOPES["check"]), document, "check")
    assert [problem["line"] for problem in document["data"]] == [3]


def test_check_is_quiet_when_all_is_well_and_ignores_files_that_are_not_ours(shell):
    shell.write_task("fine", "echo")
    (shell.repo / "other.yaml").write_text("a: [", encoding="utf-8")
    done = shell.orchd("check", "other.yaml", ".orch/tasks/fine.yaml")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "other.yaml is no input file of orchd: ignored\n"
    assert shell.orchd("check", ".orch/tasks/fine.yaml").stderr == shell.orchd("check").stderr == ""
    shell.write_task("wrong", "echo", "x: 1\n")
    assert shell.orchd("check", "other.yaml").returncode == 0
    assert shell.orchd("check", "other.yaml", ".orch/tasks/wrong.yaml").returncode == 1


def test_init_writes_once_and_leaves_a_repository_that_checks(shell):
    first, second = data_of(shell, "init"), data_of(shell, "init")
    assert {one["result"] for one in first} == {"written"}
    assert {one["result"] for one in second} == {"kept"}
    shell.ok("check")


def test_init_in_a_bare_repository_says_what_to_do_and_writes_nothing(shell, tmp_path):
    shell.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    before = sorted((tmp_path / "bare.git").rglob("*"))
    done = shell.orchd("init", "--repo", str(tmp_path / "bare.git"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "run `orchd init` in a clone" in done.stderr
    assert sorted((tmp_path / "bare.git").rglob("*")) == before


def test_all_schemas_are_exported(shell, tmp_path):
    shell.ok("schema", "export", str(tmp_path / "out"))
    names = {path.name.removesuffix(".schema.json") for path in (tmp_path / "out").iterdir()}
    assert names == {"task", "session", "config", "claim"} | {f"orchd-{name}-v1" for name in ENVELOPES}
    assert set(json.loads(shell.ok("schema", "export"))) == names


def test_verbose_prints_the_git_commands_and_keeps_the_data_clean(served):
    done = served.orchd("-v", "checkpoints")
    assert done.stdout == served.ok("checkpoints")
    assert re.search(r"^\+ git .*for-each-ref", done.stderr, re.MULTILINE)
    assert "+ git" not in served.orchd("checkpoints").stderr


def test_common_options_may_stand_before_the_command(served, tmp_path):
    done = served.orchd("--json", "--repo", str(served.repo), "checkpoints")
    assert json.loads(done.stdout)["schema"] == "orchd/checkpoints/v1"


def test_a_save_that_waited_for_a_dirty_checkout_is_counted_by_the_run_that_lands_it(shell):
    shell.write_task("late", "echo two > a.txt")
    (shell.repo / "a.txt").write_text("mine\n", encoding="utf-8")
    first = shell.orchd("run")
    assert (first.returncode, "landing waits" in first.stderr) == (6, True)
    shell.git("checkout", "--", "a.txt")
    second = shell.orchd("run")
    assert (second.returncode, second.stderr.splitlines()[-1]) == (0, "1 landed")


def test_a_run_of_an_unknown_task_ends_with_2_and_a_suggestion_before_anything_starts(shell):
    shell.write_task("good", "echo two > good.txt")
    done = shell.orchd("run", "god")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["orchd: error: there is no task `god`", "help: did you mean `good`?"]
    assert not (shell.repo / ".git" / "orch").exists()
    assert shell.orchd("run", "good").returncode == 0
    (shell.repo / ".orch" / "tasks" / "good.yaml").unlink()
    assert shell.orchd("run", "good").returncode == 0


def test_in_a_bare_repository_tasks_are_known_from_the_branch(shell, tmp_path):
    shell.write_task("good", "echo two > good.txt")
    shell.git("add", "-A")
    shell.git("commit", "-qm", "a task")
    bare = str(tmp_path / "bare.git")
    shell.git("clone", "-q", "--bare", ".", bare)
    assert shell.orchd("run", "god", "--repo", bare).returncode == 2
    assert shell.orchd("run", "good", "--repo", bare).returncode == 0


def test_other_tasks_do_not_spoil_the_exit_code_of_a_run_that_was_not_asked_for_them(fresh):
    fresh.write_task("fine", "echo three > fine.txt", "claims: [fine.txt]\n")
    fresh.write_task("later", "echo 4 > later.txt", "needs: [bad]\n")
    done = fresh.orchd("run", "fine")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "1 landed")


def test_explain_and_status_do_not_promise_a_start_while_nobody_serves(fresh):
    fresh.orchd("retry", "bad")
    fresh.write_task("later", "echo 4 > later.txt", "claims: [later.txt]\n")
    fresh.write_task("block", "exit 1", "claims: [x/**]\n")
    fresh.orchd("run", "block")
    explained = data_of(fresh, "explain", "later")
    assert "no orchd serves this repository: `orchd run` or `orchd daemon` starts it" in explained["what"]
    assert "no orchd serves" in {row["task"]: row["what"] for row in data_of(fresh, "status")["tasks"]}["later"]


def test_explain_names_a_landed_commit_that_a_person_took_back(fresh):
    assert data_of(fresh, "explain", "good")["what"].startswith("main contains it since checkpoint/")
    fresh.git("reset", "-q", "--hard", "HEAD~1")
    explained, shown = data_of(fresh, "explain", "good"), data_of(fresh, "show", "good")
    assert re.fullmatch(r"it landed as checkpoint/\S+, but main does not contain it any more", explained["what"])
    assert "does not contain" in shown["proven"]
    back = next(re.search(r"`git (merge \S+)`", step) for step in explained["next"] if "brings it back" in step)
    fresh.git(*back[1].split())
    assert data_of(fresh, "explain", "good")["what"].startswith("main contains it")


def test_the_branch_is_called_by_its_name(shell):
    shell.git("branch", "-m", "trunk")
    shell.write_task("good", "echo two > good.txt")
    shell.ok("run")
    assert data_of(shell, "explain", "good")["what"].startswith("trunk contains it since")


def test_a_retry_of_a_task_whose_file_is_gone_is_refused_and_not_offered(fresh):
    (fresh.repo / ".orch" / "tasks" / "bad.yaml").unlink()
    done = fresh.orchd("retry", "bad")
    assert (done.returncode, "the file of bad is gone" in done.stderr) == (2, True)
    assert not any("orchd retry" in step for step in data_of(fresh, "explain", "bad")["next"])


def test_a_log_that_is_empty_or_gone_is_told_and_only_the_latter_is_bad(fresh):
    empty = fresh.orchd("logs", "good")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", "good.1.1 has printed nothing\n")
    shutil.rmtree(fresh.repo / ".git" / "orch" / "runs" / "good.1.1")
    gone = fresh.orchd("logs", "good")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "the log of good.1.1 is gone" in gone.stderr


@pytest.mark.parametrize("command", [*READING, "explain nothing"])
def test_commands_that_look_leave_no_trace_where_orchd_never_worked(shell, command):
    shell.orchd(*command.split())
    assert not (shell.repo / ".git" / "orch").exists()


def test_tables_fit_a_terminal_of_80_columns_and_commands_stay_whole(fresh):
    fresh.write_task("a-task-with-a-rather-long-name", f"echo {'x' * 60}; exit 3", f"claims: ['{'d' * 40}/**']\n")
    fresh.orchd("run")
    (fresh.repo / ".orch/config.yaml").write_text("environments: [{name: a-long-name, unverified: allowed}]\n")
    for tag in fresh.git("tag", "--list", "checkpoint/*").split():
        fresh.ok("promote", tag, "a-long-name")
    for command in ("status", "checkpoints"):
        lines = fresh.on_terminal(command, NO_COLOR="1", COLUMNS="80", LINES="24").splitlines()
        assert max(map(len, lines)) <= 80, [line for line in lines if len(line) > 80]


def test_the_last_commands_of_the_demo_work_as_they_are_printed(shell, tmp_path):
    path = os.pathsep.join(part for part in shell.env["PATH"].split(os.pathsep) if not Path(part, "orchd").exists())
    done = shell.orchd("demo", "-q", PATH=path, TMPDIR=str(tmp_path))
    *_, look = done.stdout.partition("Where to look\n")
    lines = [line for line in look.splitlines() if line.startswith("  ")]
    script = "\n".join(["set -e", *(line for line in lines if "rm -rf" not in line)])
    env = shell.env | {"PATH": path, "GIT_PAGER": "cat"}
    ran = subprocess.run(["sh", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "greet-politely" in ran.stdout
    (folder,) = tmp_path.glob("orchd-demo-*")
    subprocess.run(["sh", "-c", next(line for line in lines if "rm -rf" in line)], env=env, check=True)
    assert not folder.exists()
    assert not list((tmp_path / "state" / "orchd").glob("orchd-demo-*"))
