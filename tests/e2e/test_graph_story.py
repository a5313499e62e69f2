"""What holds tasks back, with real processes: success and order only, failures, circles, groups, a full disk."""

from __future__ import annotations

import pytest
from stories import Repo, wait_until


def explain(repo: Repo, task: str) -> str:
    return str(repo.data("explain", task)["what"])  # type: ignore[index]


@pytest.mark.slow
def test_who_needs_a_failed_task_waits_with_the_reason_and_goes_on_by_itself_when_it_is_retried(repo: Repo) -> None:
    flag = repo.top.parent / "flag"
    repo.task("first", f"test -e {flag} && echo 1 > one", claims=["one"])
    repo.task("second", "cat one > two", claims=["two"], needs=["first"])
    repo.task("third", "cat two > three", claims=["three"], needs=["second"])
    repo.task("order-only", "test ! -e one && echo o > order", claims=["order"], after=["first"])
    repo.orchd("run", code=1)
    assert repo.main_files() >= {"order"}, "`after` waits for the end, not for success"
    assert explain(repo, "second") == "it cannot start: it needs first (failed: exit)"
    assert "first (failed: exit) holds back second (waiting)" in explain(repo, "third")

    flag.touch()
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: "serves" in repo.said, "the daemon to serve")
        repo.orchd("retry", "first")
        wait_until(lambda: repo.status("third") == "landed", "all three to land")
    finally:
        daemon.terminate()
        daemon.wait(30)
    assert repo.git("show", "main:three") == "1"


def test_a_circle_over_needs_and_after_is_told_with_its_path_and_stops_nothing_else(repo: Repo) -> None:
    repo.task("a", "echo a > a", claims=["a"], needs=["b"])
    repo.task("b", "echo b > b", claims=["b"], after=["c"])
    repo.task("c", "echo c > c", claims=["c"], needs=["a"])
    repo.task("free", "echo f > f", claims=["f"])
    said = repo.orchd("check", code=1)
    assert said.count("error[E062]") == 3
    assert "a -> b -> c -> a" in said
    repo.orchd("run", code=None)
    assert "f" in repo.main_files()
    assert not repo.main_files() & {"a", "b", "c"}


def test_tasks_of_a_group_never_run_at_the_same_time_when_its_limit_is_one(repo: Repo) -> None:
    lock = repo.top.parent / "lock"
    repo.write(".orch/config.yaml", "parallel: 4\ngroups: {migrations: 1}\n")
    for name in ("m1", "m2", "m3"):
        repo.task(name, f"mkdir {lock} && sleep 0.2 && rmdir {lock} && echo x > {name}", claims=[name], group="migrations")
    repo.orchd("run")
    assert repo.main_files() >= {"m1", "m2", "m3"}


@pytest.mark.slow
def test_nothing_starts_on_a_full_disk_and_it_goes_on_by_itself(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "limits: {free_disk: 900000GiB}\n")
    repo.task("one", "echo 1 > one", claims=["one"])
    repo.orchd("run", code=1)
    assert "are free on the disk of the workspaces; the configuration wants 878.9 TiB" in explain(repo, "one")
    repo.write(".orch/config.yaml", "limits: {workspaces: 1}\n")
    repo.task("two", "echo 2 > two", claims=["two"])
    repo.orchd("run")
    assert repo.main_files() >= {"one", "two"}
