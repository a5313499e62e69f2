"""`orchd plan` on a real repository: the order and its reasons, before anything runs and after."""

from __future__ import annotations

import os

from cli_oracle import data_of


def write_crowd(shell):
    shell.write_task("base", "echo x > b/x", "claims: [b/**]\n")
    shell.write_task("next", "echo y > b/y", "claims: [b/**]\nneeds: [base]\n")
    shell.write_task("urgent", "echo z > c/z", "claims: [c/**]\npriority: 10\nagent: claude\n")
    shell.write_task("same", "echo z > d/z", "claims: [d/**]\nagent: claude\n")
    shell.write_task("broad", "echo all > all")
    (shell.repo / ".orch" / "config.yaml").write_text("agents: {claude: {parallel: 1}}\n", encoding="utf-8")


def test_the_plan_is_told_before_orchd_ever_ran_and_stores_nothing(shell):
    write_crowd(shell)
    rows = {row["task"]: row for row in data_of(shell, "plan")}
    assert list(rows) == ["urgent", "base", "broad", "same", "next"]
    assert [row["position"] for row in rows.values()] == [1, 2, 3, 4, 5]
    assert [name for name, row in rows.items() if row["starts"]] == ["urgent", "base"]
    assert (rows["broad"]["cause"], rows["broad"]["others"]) == ("claim", ["urgent"])
    assert rows["broad"]["what"] == "its claim `**` meets `c/**` of urgent (waiting)"
    assert (rows["same"]["cause"], rows["same"]["others"]) == ("agent", ["urgent"])
    assert (rows["next"]["cause"], rows["next"]["others"]) == ("needs", ["base"])
    assert (rows["urgent"]["score_seconds"], rows["base"]["score_seconds"]) == (3000.0, 60.0)
    assert (rows["base"]["chain"], rows["base"]["priority"], rows["base"]["waited_seconds"]) == (1, 0, 0.0)
    assert shell.git("for-each-ref", "refs/orch") == ""


def test_the_plan_counts_new_files_and_forgets_tasks_whose_file_is_gone(shell):
    shell.write_task("bad", "exit 1")
    shell.write_task("waits", "echo x > x", "needs: [bad]\n")
    assert shell.orchd("run").returncode == 1
    assert [(row["task"], row["cause"]) for row in data_of(shell, "plan")] == [("waits", "blocked")]
    (shell.repo / ".orch" / "tasks" / "waits.yaml").unlink()
    shell.write_task("fresh", "echo y > y")
    assert [(row["task"], row["cause"]) for row in data_of(shell, "plan")] == [("fresh", "none")]


def test_a_bad_configuration_is_told_and_not_planned_with(shell):
    (shell.repo / ".orch").mkdir()
    (shell.repo / ".orch" / "config.yaml").write_text("groups: {x: 0}\n", encoding="utf-8")
    done = shell.orchd("plan")
    assert done.returncode != 0
    assert "E038" in done.stderr


def test_a_bare_repository_is_planned_from_its_branch(shell):
    shell.write_task("one", "echo x > x")
    shell.git("add", ".orch")
    shell.git("commit", "-q", "-m", "a task")
    shell.git("clone", "-q", "--bare", ".", "bare.git")
    assert [row["task"] for row in data_of(shell, "plan", "--repo", "bare.git")] == ["one"]


def test_the_plan_knows_what_new_session_files_say(shell):
    (shell.repo / ".orch" / "sessions").mkdir(parents=True)
    text = "parallel: 1\ndefaults: {claims: [b/**], priority: 5}\n"
    (shell.repo / ".orch" / "sessions" / "web.yaml").write_text(text, encoding="utf-8")
    os.utime(shell.repo / ".orch" / "sessions" / "web.yaml", (1, 1))
    shell.write_task("one", "echo x > b/x", "session: web\n")
    shell.write_task("two", "echo x > c/x", "claims: [c/**]\nsession: web\n")
    shell.write_task("free", "echo x > d/x", "claims: [d/**]\n")
    rows = {row["task"]: row for row in data_of(shell, "plan")}
    assert (rows["one"]["priority"], rows["free"]["cause"], rows["two"]["cause"]) == (5, "none", "session")


def test_a_task_of_a_session_that_nobody_understands_is_told_of(shell):
    (shell.repo / ".orch" / "sessions").mkdir(parents=True)
    (shell.repo / ".orch" / "sessions" / "web.yaml").write_text("base: nowhere\n", encoding="utf-8")
    os.utime(shell.repo / ".orch" / "sessions" / "web.yaml", (1, 1))
    shell.write_task("one", "echo x > b/x", "session: web\n")
    shell.write_task("two", "echo x > c/x", "needs: [one]\n")
    said = shell.orchd("run")
    assert (said.returncode, "3 problem(s)" in said.stderr) == (1, True)
    told = shell.orchd("explain", "one")
    assert told.returncode == 1
    assert "its session `web` has a file with a mistake" in told.stderr
    assert "`one` cannot be used: its session `web`" in shell.orchd("explain", "two").stderr
