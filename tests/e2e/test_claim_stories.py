"""Claims as people meet them: what a person keeps holds tasks back, resources and ports are given once, and a running task
gets more when it asks."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from stories import Repo, wait_until

ORCHD = f"{shlex.quote(sys.executable)} -m orchd"


def test_a_task_waits_for_a_person_is_told_for_whom_and_goes_on_by_itself(repo: Repo) -> None:
    repo.orchd("claim", "src/**", "--by", "anna", "--why", "by hand", "--name", "mine", "--for", "2h")
    repo.task("t", "echo x >> src/a.txt", claims=["src/a.txt"])
    repo.task("other", "echo x > other", claims=["other"])
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: '"landed"' in repo.orchd("show", "other", "--json", code=None), "the other one lands")
        told = repo.data("explain", "t")
        assert isinstance(told, dict)
        assert told["status"] == "waiting"
        assert "anna keeps until" in told["what"]
        assert ".orch/claims/mine.yaml: by hand" in told["what"]
        (row,) = (row for row in repo.data("claims") if row["file"])  # type: ignore[attr-defined]
        assert (row["owner"], row["glob"], row["state"]) == ("anna", "src/**", "held")
        repo.orchd("claim", "--release", "mine")
        wait_until(lambda: repo.status("t") == "landed", "the task goes on")
    finally:
        daemon.terminate()
        daemon.wait(30)


def test_a_resource_is_used_by_one_task_at_a_time_and_each_gets_a_port_of_its_own(repo: Repo, tmp_path: Path) -> None:
    lock = shlex.quote(str(tmp_path / "lock"))
    for name in ("a", "b"):
        run = f"mkdir {lock} && sleep 0.2 && rmdir {lock} && echo $ORCHD_PORT > {name}"
        repo.task(name, run, claims=[name, {"resource": "db"}, {"port": "any"}])
    repo.task("c", "echo $ORCHD_PORTS > c", claims=["c", {"port": "any"}, {"port": "any"}])
    repo.orchd("run")
    ports = [int(port) for name in "abc" for port in repo.git("show", f"main:{name}").split()]
    assert len(ports) == 4
    assert all(20000 <= port <= 20999 for port in ports)
    assert ports[2] != ports[3]


def test_a_running_task_asks_for_more_and_its_result_is_judged_by_what_it_was_granted(repo: Repo) -> None:
    repo.task("t", f"{ORCHD} claim more/x --wait && mkdir more && echo x > more/x && echo x > mine", claims=["mine"])
    repo.orchd("run")
    assert repo.status("t") == "landed"
    assert "more/x" in repo.main_files()
    assert json.loads(repo.orchd("show", "t", "--json"))["data"]["claims"] == ["write mine", "write more/x"]


@pytest.mark.slow
def test_of_two_running_tasks_that_want_what_the_other_has_one_is_refused_and_both_end(repo: Repo, tmp_path: Path) -> None:
    for mine, other in (("a", "b"), ("b", "a")):
        here, there = tmp_path / mine, tmp_path / other
        meet = f"touch {here}; while [ ! -e {there} ]; do sleep 0.05; done"
        ask = f"if {ORCHD} claim {other} --wait; then echo granted > {mine}; else echo refused > {mine}; fi"
        repo.task(mine, f"{meet}; {ask}; echo {mine} >> {mine}", claims=[mine])
    repo.orchd("run")
    assert {repo.status("a"), repo.status("b")} == {"landed"}
    texts = repo.git("show", "main:a"), repo.git("show", "main:b")
    assert sorted(text.split()[0] for text in texts) == ["granted", "refused"]
