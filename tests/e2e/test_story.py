"""The main story: a task file dropped into a repository becomes a gated, landed, checkpointed commit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from stories import Repo, wait_until

GATED = "gates:\n  - {name: no-bad, run: '! test -e bad'}\n"

SCHEMAS = ("task.json", "session.json", "claim.json", "config.json")


def test_init_writes_once_and_then_changes_nothing(repo: Repo) -> None:
    repo.orchd("init")
    first = {path: path.read_bytes() for path in (repo.top / ".orch").rglob("*") if path.is_file()}
    assert {path.name for path in first} == {"config.yaml", "example.yaml", ".gitignore", *SCHEMAS}
    (repo.top / ".orch/config.yaml").write_text("parallel: 2\n")
    repo.orchd("init")
    assert (repo.top / ".orch/config.yaml").read_text() == "parallel: 2\n"
    assert {path for path in (repo.top / ".orch").rglob("*") if path.is_file()} == set(first)
    repo.orchd("check")


def test_the_example_of_init_is_a_good_task(repo: Repo) -> None:
    repo.orchd("init")
    shutil.copy(repo.top / ".orch/example.yaml", repo.top / ".orch/tasks/example.yaml")
    repo.orchd("check")


@pytest.mark.parametrize("way", ["dropped", "committed", "inbox"])
def test_a_task_lands_whichever_way_it_came(repo: Repo, way: str) -> None:
    repo.write(".orch/config.yaml", GATED)
    file = repo.task("add-new", "echo new > new.txt", claims=["new.txt"])
    if way == "inbox":
        (repo.top / ".orch/inbox").mkdir()
        file = file.rename(repo.top / ".orch/inbox/add-new.yaml")
    if way == "committed":
        repo.commit("a task")
    before, base = repo.git("status", "--porcelain"), repo.git("rev-parse", "main")
    repo.orchd("run")

    assert repo.git("show", "main:new.txt") == "new"
    [tag] = repo.checkpoints()
    assert repo.git("rev-parse", f"{tag}^{{commit}}") == repo.git("rev-parse", "main")
    assert repo.git("rev-parse", "main^1") == base, "first parents are checkpoints"
    assert repo.git("merge-base", "--is-ancestor", "session/default/task/add-new", "main", check=False) == ""
    assert repo.git("rev-parse", "session/default/integration") == repo.git("rev-parse", "main")
    audit = repo.git("log", "-1", "--notes=orch/audit", "main")
    assert "checkpoint: checkpoint/" in audit and "task: add-new" in audit and "no-bad" in audit
    assert repo.git("status", "--porcelain") == ("?? .orch/" if way == "inbox" else before)
    assert (repo.top / "new.txt").read_text() == "new\n", "a clean checkout of main moved forward"
    assert file.exists() == (way != "inbox")
    assert repo.data("claims") == []
    repo.orchd("run")
    assert repo.checkpoints() == [tag], "done is done"


def test_ten_tasks_with_needs_land_in_one_go_four_at_a_time(repo: Repo) -> None:
    marks = repo.top.parent / "marks"
    marks.mkdir()
    for number in range(10):
        name, needs = f"t{number}", [f"t{number - 4}"] if number >= 4 else []
        body = f"ls {marks} | wc -l > n{number}; touch {marks}/{name}; "
        check = f"test -e n{number - 4} && " if needs else ""
        wait = "" if number >= 4 else f"while test $(ls {marks} | wc -l) -lt 4; do sleep 0.01; done; "
        repo.task(name, check + body + wait + "true", needs=needs, claims=[f"n{number}"], timeout=20)
    repo.orchd("run")
    assert {f"n{number}" for number in range(10)} <= repo.main_files()
    assert {task["status"] for task in repo.data("op", "log") and [repo.data("show", f"t{n}") for n in range(10)]} == {"landed"}


def test_overlapping_claims_run_one_after_the_other_and_see_each_other(repo: Repo) -> None:
    lock = repo.top.parent / "alone"
    for name in ("one", "two", "three"):
        repo.task(name, f"mkdir {lock} && echo {name} >> src/a.txt && sleep 0.1 && rmdir {lock}", claims=["src/**"])
    repo.orchd("run")
    assert set(repo.git("show", "main:src/a.txt").split()[-3:]) == {"one", "two", "three"}


FAILURES = {
    "exit": ("echo half > here; exit 3", {"claims": ["here"]}),
    "timeout": ("echo half > here; sleep 60", {"claims": ["here"], "timeout": 0.3}),
    "gate": ("echo x > bad", {"claims": ["bad"]}),
    "policy": ("ln -s /etc/passwd here", {"claims": ["here"]}),
    "nothing-changed": ("true", {"claims": ["here"]}),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_a_task_that_fails_lands_nothing_keeps_its_work_and_says_why(repo: Repo, reason: str) -> None:
    repo.write(".orch/config.yaml", GATED + "kill_grace: 1\n")
    repo.commit("a gate")
    command, keys = FAILURES[reason]
    repo.task("bad-one", command, **keys)
    repo.task("good-one", "echo g > good", claims=["good"])
    repo.orchd("run", code=1)

    assert repo.status("good-one") == "landed", "the rest goes on"
    shown = repo.data("show", "bad-one")
    assert (shown["status"], shown["reason"]) == ("failed", reason)
    assert repo.main_files() & {"here", "bad", "outside"} == set() and "README.md" in repo.main_files()
    assert shown["next"], "it says what to do"
    if reason != "nothing-changed":
        assert repo.git("rev-parse", shown["ref"]) == shown["tip"], "its work is reachable"
        assert repo.git("diff", "--stat", shown["base"], shown["tip"])


def test_a_conflict_waits_for_a_person_who_can_have_it_run_again(repo: Repo) -> None:
    flag = repo.top.parent / "person-was-here"
    repo.task(
        "edit", f"sed -i s/two/TASK/ src/a.txt; until test -e {flag}; do sleep 0.01; done", claims=["src/a.txt"], timeout=20
    )
    run = repo.start("run")
    wait_until(lambda: "edit" in repo.orchd("ps"), "the task runs")
    repo.git("commit", "-qam", "person", check=False)
    repo.write("src/a.txt", "one\nPERSON\nthree\n")
    repo.git("commit", "-qam", "a person was faster")
    flag.touch()
    assert run.wait(60) == 6, repo.said
    assert repo.git("show", "main:src/a.txt").split()[1] == "PERSON"
    shown = repo.data("show", "edit")
    assert (shown["status"], shown["reason"], shown["detail"]) == ("held", "conflict", ["src/a.txt"])
    assert "TASK" in repo.git("show", f"{shown['tip']}:src/a.txt")
    assert repo.data("status")["needs_you"]
    repo.write("src/a.txt", "one\ntwo\nthree\n")
    repo.git("commit", "-qam", "a person takes it back")
    repo.orchd("retry", "edit")
    repo.orchd("run")
    assert repo.git("show", "main:src/a.txt").split()[1] == "TASK"


def test_a_declared_no_op_is_a_success(repo: Repo) -> None:
    repo.task("look", "true", noop="allowed")
    repo.task("then", "echo t > then", needs=["look"], claims=["then"])
    repo.orchd("run")
    assert (repo.status("look"), repo.status("then")) == ("unchanged", "landed")


def test_a_changed_file_of_a_finished_task_makes_a_new_generation(repo: Repo) -> None:
    repo.task("again", "echo 1 > n", claims=["n"])
    repo.orchd("run")
    file = repo.task("again", "echo 2 > n", claims=["n"])
    repo.orchd("run")
    assert repo.git("show", "main:n") == "2"
    assert repo.data("show", "again")["generation"] == 2
    file.write_text("# only a comment\n" + file.read_text())
    repo.orchd("run")
    assert len(repo.checkpoints()) == 2


def test_dependents_of_a_failed_task_wait_and_go_on_after_a_retry(repo: Repo) -> None:
    door = repo.top.parent / "door"
    repo.task("first", f"test -e {door} && echo 1 > n1", claims=["n1"])
    repo.task("second", "echo 2 > n2", claims=["n2"], needs=["first"])
    repo.orchd("run", code=1)
    assert "first" in repo.orchd("explain", "second")
    assert repo.status("second") == "waiting"
    door.touch()
    repo.orchd("retry", "first")
    repo.orchd("run")
    assert (repo.status("first"), repo.status("second")) == ("landed", "landed")


def test_only_the_named_tasks_and_what_they_need_are_run(repo: Repo) -> None:
    repo.task("base", "echo b > nb", claims=["nb"])
    repo.task("wanted", "echo w > nw", claims=["nw"], needs=["base"])
    repo.task("other", "echo o > no", claims=["no"])
    repo.orchd("run", "wanted", code=None)
    assert [repo.status(name) for name in ("base", "wanted", "other")] == ["landed", "landed", "waiting"]


def test_bad_files_are_reported_and_the_rest_goes_on(repo: Repo) -> None:
    repo.write(".orch/tasks/broken.yaml", "title: x\nrun: true\nneeds: [nobody]\n")
    repo.task("one", "echo 1 > n1", claims=["n1"], needs=["two"])
    repo.task("two", "echo 2 > n2", claims=["n2"], needs=["one"])
    repo.task("fine", "echo f > f", claims=["f"])
    told = repo.orchd("check", code=1)
    assert "E061" in told or "E0" in told
    assert "one -> two -> one" in told or "two -> one -> two" in told
    repo.orchd("run", code=1)
    assert repo.status("fine") == "landed"
    [waiting] = repo.data("status")["needs_you"]
    assert all(name in waiting["subject"] for name in ("broken", "one", "two"))


def test_a_bare_repository_takes_tasks_as_commits_and_gives_results_to_pull(bare: Repo) -> None:
    clone = Repo(bare.top.parent / "clone", bare.env)
    bare.git("clone", "-q", str(bare.top), str(clone.top))
    clone.write(".orch/config.yaml", GATED)
    clone.task("add", "echo new > new.txt", claims=["new.txt"])
    clone.commit("work to do")
    clone.git("push", "-q", "origin", "main")
    daemon = bare.start("daemon")
    try:
        wait_until(lambda: "new.txt" in bare.main_files(), "the pushed task landed")
        clone.task("more", "cat new.txt new.txt > more.txt", claims=["more.txt"])
        clone.git("pull", "-q", "--no-edit", "origin", "main")
        clone.commit("more work")
        clone.git("push", "-q", "origin", "main")
        wait_until(lambda: "more.txt" in bare.main_files(), "the second pushed task landed")
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
    clone.git("pull", "-q", "origin", "main")
    assert (clone.top / "more.txt").read_text() == "new\nnew\n"
    assert len(bare.checkpoints()) == 2


def test_the_demo_shows_what_it_promises(repo: Repo) -> None:
    told = repo.orchd("demo")
    assert "waiting for you" in told and "checkpoint/" in told


def test_json_table_and_tsv_agree_on_a_finished_task(repo: Repo) -> None:
    repo.task("one", "echo 1 > n", claims=["n"])
    repo.orchd("run")
    lines = dict(line.split("\t", 1) for line in repo.orchd("show", "one").splitlines() if "\t" in line)
    data = json.loads(repo.orchd("show", "one", "--json"))
    assert data["schema"] == "orchd/show/v1"
    assert (lines["status"], lines["checkpoint"]) == (data["data"]["status"], data["data"]["checkpoint"])


def test_whoever_stops_reading_stops_no_work(repo: Repo) -> None:
    for name in ("one", "two"):
        repo.task(name, f"echo {name} > {name}.txt", claims=[f"{name}.txt"], **({"needs": ["one"]} if name == "two" else {}))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as nobody:
        done = subprocess.run([sys.executable, "-m", "orchd", "run"], cwd=repo.top, env=repo.env, stderr=nobody, timeout=90)
    assert done.returncode == 0
    assert {"one.txt", "two.txt"} <= set(repo.main_files())
