"""Steps with real processes: what is done is not done again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from stories import Repo, wait_until

THREE = [
    {"name": "one", "run": "mkdir -p out; echo 1 > out/one; echo one >> {log}"},
    {"name": "two", "run": "echo 2 > out/two; echo two >> {log}"},
    {"name": "three", "run": "echo three >> {log}; test -e {go} && echo 3 > out/three"},
]


def write_task(repo: Repo) -> tuple[Path, Path]:
    """A task with three steps, the last of which fails until the file `go` is there. Gives the log of what ran, and `go`."""
    log, go = repo.top.parent / "log", repo.top.parent / "go"
    steps = [{**step, "run": step["run"].format(log=log, go=go)} for step in THREE]
    repo.write(".orch/tasks/long.yaml", f"title: three steps\nclaims: [out/**]\nsteps: {steps!r}\n".replace("'", '"'))
    return log, go


def ran(repo: Repo) -> list[str]:
    return (repo.top.parent / "log").read_text().split()


def test_a_task_goes_on_with_the_step_that_failed(repo: Repo) -> None:
    _, go = write_task(repo)
    repo.orchd("run", code=1)
    shown = repo.data("show", "long")
    assert (shown["status"], shown["detail"][0][:10]) == ("failed", "step three")  # type: ignore[index]
    assert any("orchd retry long --from three" in step for step in shown["next"])  # type: ignore[index]
    said = repo.orchd("retry", "long", "--from", "four", code=2)
    assert "it can begin with one, two, three" in said
    go.touch()
    repo.orchd("retry", "long", "--from", "three")
    repo.orchd("run")
    assert ran(repo) == ["one", "two", "three", "three"]
    assert {"out/one", "out/two", "out/three"} <= repo.main_files()
    trailers = repo.git("log", "--format=%(trailers:key=Orch-Step,valueonly,separator=%x2C)", "main").split("\n")
    assert [line for line in trailers if line] == ["two", "one"]
    repo.orchd("verify")


@pytest.mark.slow
def test_a_step_is_made_again_on_what_the_ones_before_it_made(repo: Repo) -> None:
    write_task(repo)
    repo.orchd("run", code=1)
    repo.orchd("retry", "long", "--from", "two")
    repo.orchd("run", code=1)
    assert ran(repo) == ["one", "two", "three", "two", "three"]
    repo.orchd("retry", "long")
    repo.orchd("run", code=1)
    assert ran(repo)[5:] == ["one", "two", "three"], "from scratch"


def test_what_went_on_outside_its_claim_in_an_earlier_step_is_refused_too(repo: Repo) -> None:
    steps = [{"name": "out", "run": "echo x > stray.txt"}, {"name": "in", "run": "test -e ok || { touch ok; exit 1; }"}]
    repo.write(".orch/tasks/long.yaml", f"title: t\nclaims: [ok]\nsteps: {steps!r}\n".replace("'", '"'))
    repo.orchd("run", code=1)
    repo.orchd("retry", "long", "--from", "in")
    repo.orchd("run", code=1)
    assert repo.status("long") == "failed"
    assert "stray.txt" not in repo.main_files()


def test_when_all_is_killed_in_a_step_it_goes_on_with_that_step(repo: Repo) -> None:
    log, go = write_task(repo)
    text = (repo.top / ".orch/tasks/long.yaml").read_text()
    (repo.top / ".orch/tasks/long.yaml").write_text(text.replace(f"test -e {go}", f"while ! test -e {go}; do sleep 0.05; done"))
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: log.exists() and "three" in ran(repo), "the last step")
        [shown] = repo.data("ps")
        assert shown["step"] == "three" and shown["left_seconds"] > 0  # type: ignore[index]
        pid = shown["pid"]  # type: ignore[index]
        daemon.kill()
        daemon.wait()
        os.kill(pid, signal.SIGKILL)
        daemon = repo.start("daemon")
        wait_until(lambda: ran(repo).count("three") == 2, "the last step again")
        go.touch()
        wait_until(lambda: "out/three" in repo.main_files(), "the landing")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()
    assert ran(repo) == ["one", "two", "three", "three"]
    assert {"out/one", "out/two"} <= repo.main_files()


@pytest.mark.slow
def test_what_is_optional_is_done_without_and_that_is_said(repo: Repo) -> None:
    steps = [
        {"name": "one", "run": "echo 1 > one.txt"},
        {"name": "two", "run": "echo half > two.txt; exit 1", "optional": True},
        {"name": "three", "run": "echo 3 > three.txt"},
    ]
    repo.write(".orch/tasks/long.yaml", f"title: t\nclaims: [one.txt, two.txt, three.txt]\nsteps: {json.dumps(steps)}\n")
    repo.task("extra", "exit 1", claims=["extra/**"], optional=True)
    repo.task("user", "echo x > user.txt", claims=["user.txt"], needs=["extra"])
    said = repo.orchd("run", code=1)
    assert "long: its optional step two failed: step two ended with 1" in said
    assert {"one.txt", "three.txt", "user.txt"} <= repo.main_files() and "two.txt" not in repo.main_files()
    assert "without its optional step `two`, which failed" in repo.orchd("explain", "long")
    assert "without `extra`, which is optional and failed" in repo.orchd("explain", "user")
    assert "two" in repo.git("log", "--format=%(trailers:key=Orch-Skipped,valueonly)", "main").split()
    assert "skipped: long two" in repo.git("log", "--notes=orch/audit", "--format=%N", "main")
    repo.orchd("verify")
