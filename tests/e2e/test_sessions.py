"""Sessions end to end: a line that lands later, steering, a fork, and a move to another machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from stories import Repo, environment, make_repo, wait_until

MANUAL = 'landing: manual\ngates:\n  - {name: own, run: "! test -e bad"}\n'


def session(repo: Repo, name: str, text: str = MANUAL) -> None:
    repo.write(f".orch/sessions/{name}.yaml", text)


def make_line(repo: Repo) -> None:
    """Two tasks on the line of `web`, the second built on the first."""
    session(repo, "web")
    repo.task("one", "echo 1 > one.txt", session="web", claims=["*.txt"])
    repo.task("two", "cat one.txt > two.txt", session="web", claims=["*.txt"], needs=["one"])
    repo.orchd("run")


def show(repo: Repo, name: str) -> dict:
    return repo.data("session", "show", name)  # type: ignore[return-value]


def test_a_manual_session_collects_on_its_line_and_lands_as_one_checkpoint(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    before = repo.git("rev-parse", "main")
    make_line(repo)
    assert repo.git("rev-parse", "main") == before, "main has not moved"
    assert repo.git("show", "session/web/integration:two.txt") == "1", "the second saw the first"
    assert (repo.status("one"), repo.status("two")) == ("integrated", "integrated")
    assert "own" in repo.git("notes", "--ref", "orch/audit", "show", "session/web/integration")
    assert "session web" in repo.orchd("status")
    repo.orchd("session", "land", "web")
    repo.orchd("run")
    assert {"one.txt", "two.txt"} <= repo.main_files()
    assert len(repo.checkpoints()) == 1
    assert repo.git("show", "-s", "--format=%(trailers:key=Orch-Gate,valueonly)", "main").startswith("own passed ")
    assert repo.git("rev-parse", "session/web/integration") == repo.git("rev-parse", "main")
    assert repo.git("status", "--porcelain") == "?? .orch/"
    repo.orchd("verify")


def test_another_session_waits_for_what_is_only_integrated(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    make_line(repo)
    repo.task("other", "echo o > three.txt", needs=["two"], claims=["three.txt"])
    repo.task("near", "echo n > one.txt", claims=["one.txt"])
    repo.orchd("run", code=1)
    assert (repo.status("other"), repo.status("near")) == ("waiting", "waiting")
    assert "`orchd session land web`" in " ".join(repo.data("explain", "near")["next"])  # type: ignore[index]
    repo.orchd("session", "land", "web")
    repo.orchd("run")
    assert (repo.status("other"), repo.status("near")) == ("landed", "landed")
    assert repo.git("show", "main:one.txt") == "n"


@pytest.mark.slow
def test_a_session_that_lands_on_completion_waits_for_its_failed_task(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    session(repo, "web", "landing: on-complete\n")
    repo.task("good", "echo g > g.txt", session="web", claims=["g.txt"])
    repo.task("weak", "test -e g.txt && exit 3", session="web", claims=["w.txt"], after=["good"])
    repo.orchd("run", code=1)
    assert (repo.status("good"), repo.status("weak")) == ("integrated", "failed")
    assert "weak (failed)" in show(repo, "web")["what"]
    assert "session web cannot land" in repo.orchd("run", code=6), "a later run does not call it done"
    repo.orchd("cancel", "weak")
    repo.orchd("run")
    assert repo.status("good") == "landed"


@pytest.mark.slow
def test_a_culprit_falls_out_of_a_landing_line_with_what_was_built_on_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    session(repo, "web")
    repo.task("a", "echo a > a.txt", session="web", claims=["*.txt", "src/**"])
    repo.task("b", "sed -i s/two/web/ src/a.txt", session="web", claims=["*.txt", "src/**"], needs=["a"])
    repo.task("c", "echo c > c.txt", session="web", claims=["*.txt", "src/**"], needs=["b"])
    repo.orchd("run")
    repo.write("src/a.txt", "one\nmain\nthree\n")
    repo.git("commit", "-qam", "a person changes the same line")
    repo.orchd("session", "land", "web")
    repo.orchd("run", code=6)
    found = {name: (repo.status(name), repo.data("show", name)["reason"]) for name in "abc"}  # type: ignore[index]
    assert found == {"a": ("landed", ""), "b": ("held", "conflict"), "c": ("held", "built-on")}
    assert "a.txt" in repo.main_files()
    assert not repo.main_files() & {"c.txt"}
    repo.orchd("session", "retry", "web")
    repo.orchd("run", code=1)
    assert repo.status("b") == "failed", "its command finds no `two` any more, so it changed nothing"
    repo.orchd("verify")


def test_pause_holds_back_and_cancel_keeps_the_work(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    make_line(repo)
    repo.orchd("session", "pause", "web")
    repo.orchd("session", "land", "web")
    repo.task("three", "echo 3 > three.txt", session="web", claims=["*.txt"])
    repo.orchd("run", code=1)
    assert show(repo, "web")["paused"]
    assert repo.status("three") == "waiting"
    assert "`orchd session resume web`" in " ".join(repo.data("explain", "three")["next"])  # type: ignore[index]
    tip = repo.git("rev-parse", "session/web/integration")
    repo.orchd("session", "cancel", "web")
    repo.orchd("session", "resume", "web")
    repo.orchd("run")
    assert {repo.status(name) for name in ("one", "two", "three")} == {"cancelled"}
    assert "one.txt" not in repo.main_files()
    assert repo.git("for-each-ref", "--contains", tip), "the line is still reachable"


def test_a_fork_starts_at_its_checkpoint(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    repo.task("first", "echo 1 > first.txt", claims=["first.txt"])
    repo.orchd("run")
    (first,) = repo.checkpoints()
    repo.task("second", "echo 2 > second.txt", claims=["second.txt"])
    repo.orchd("run")
    repo.orchd("session", "fork", "alt", first)
    repo.task("look", "ls *.txt > seen.lst", session="alt", claims=["seen.lst"])
    repo.orchd("run")
    assert repo.git("show", "session/alt/integration:seen.lst") == "first.txt"
    assert show(repo, "alt")["origin"] == first
    repo.orchd("session", "land", "alt")
    repo.orchd("run")
    assert {"first.txt", "second.txt", "seen.lst"} <= repo.main_files()
    repo.orchd("session", "fork", "alt", first, code=2)
    repo.orchd("session", "fork", "beta", "checkpoint/2000-01-01-001", code=2)


@pytest.mark.parametrize("answer", [("--take", "theirs"), pytest.param(("--task",), marks=pytest.mark.slow)])
def test_what_a_fork_made_of_an_old_checkpoint_and_main_too_is_asked_about_once(
    tmp_path: Path, answer: tuple[str, ...]
) -> None:
    repo = make_repo(tmp_path)
    repo.task("first", "echo 1 > both.txt", claims=["both.txt"])
    repo.orchd("run")
    (first,) = repo.checkpoints()
    repo.task("second", "echo 2 > both.txt", claims=["both.txt"])
    repo.orchd("run")
    repo.orchd("session", "fork", "alt", first)
    told = '[ -z "$ORCHD_EARLIER" ] || { cat both.txt > seen.txt; git show $ORCHD_EARLIER:both.txt > both.txt; exit 0; }'
    repo.task("late", f"{told}; echo 3 > both.txt", session="alt", claims=["both.txt", "seen.txt"])
    repo.orchd("run")
    repo.orchd("session", "land", "alt")
    repo.orchd("run", code=6)
    asked = repo.data("answer", "late")
    assert asked["onto"] == repo.git("rev-parse", "main") and [one["path"] for one in asked["disputes"]] == ["both.txt"]
    repo.orchd("answer", "late", *answer)
    repo.orchd("run")
    repo.orchd("session", "land", "alt")
    repo.orchd("run")
    assert repo.status("late") == "landed" and repo.git("show", "main:both.txt") == "3"
    assert answer != ("--task",) or repo.git("show", "main:seen.txt") == "2", (
        "it began with what it is to be brought together with"
    )


def test_a_session_goes_on_after_a_move_by_mirror(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    session(repo, "web")
    repo.commit("a session file")
    repo.task("landed", "echo l > landed.lst", claims=["landed.lst"])
    make_line(repo)
    repo.task("later", "cat two.txt > later.txt", session="web", needs=["two"], after=["weak"], claims=["*.txt"])
    repo.task("weak", "exit 3", claims=["weak.lst"])
    repo.git("add", "-A")
    repo.git("commit", "-qm", "tasks for whoever serves next")
    repo.orchd("run", "weak", code=1)
    repo.orchd("session", "pause", "web")
    repo.orchd("run", "weak")
    before = {name: repo.data(*name) for name in (("checkpoints",), ("claims",), ("session", "list"))}
    top = tmp_path / "elsewhere" / "mirror.git"
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.top), str(top)], env=repo.env, check=True)
    moved = Repo(top, environment(tmp_path / "elsewhere"), bare=True)
    assert {name: moved.data(*name) for name in before} == before
    assert {name: moved.status(name) for name in ("landed", "one", "two", "weak")} == {
        "landed": "landed",
        "one": "integrated",
        "two": "integrated",
        "weak": "failed",
    }
    assert moved.data("op", "log", "-n", "500") == repo.data("op", "log", "-n", "500")
    moved.orchd("session", "resume", "web")
    moved.orchd("run")
    assert moved.status("later") == "integrated"
    moved.orchd("session", "land", "web")
    moved.orchd("run")
    assert {"landed.lst", "one.txt", "two.txt", "later.txt"} <= moved.main_files()
    assert len(moved.checkpoints()) == 2
    moved.orchd("verify")


def slow_gate(repo: Repo) -> Path:
    """A gate that is red only when nobody lets it pass; the file that lets it."""
    go = repo.top.parent / "go"
    repo.write(
        ".orch/config.yaml", f"gates:\n  - {{name: slow, run: 'until test -e {go}; do sleep 0.02; done', timeout: 60}}\n"
    )
    return go


@pytest.mark.slow
def test_a_landing_that_a_person_overtakes_with_a_commit_lands_after_it(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    go = slow_gate(repo)
    go.touch()
    make_line(repo)
    go.unlink()
    repo.commit("so that the gate has not judged what lands", **{"person.txt": "mine\n"})
    daemon = repo.start("daemon")
    repo.orchd("session", "land", "web")
    repo.orchd("session", "land", "web")
    wait_until(lambda: repo.status("two") == "saving", "the landing to begin")
    repo.git("commit", "-qm", "meanwhile", "--allow-empty")
    go.touch()
    wait_until(lambda: repo.status("two") == "landed", "the landing")
    repo.task("late", "echo l > late.txt", session="web", claims=["late.txt"])
    wait_until(lambda: repo.status("late") == "integrated" if "late" in repo.orchd("status") else False, "the late one")
    assert show(repo, "web")["integrated"] == 1, "it was not asked for"
    daemon.terminate()
    daemon.wait(timeout=30)
    assert repo.status("late") == "integrated"


@pytest.mark.slow
def test_what_is_being_landed_can_be_paused_and_cancelled_until_it_may_be_on_main(tmp_path: Path) -> None:
    repo = make_repo(tmp_path)
    go = slow_gate(repo)
    for name in ("one", "two"):
        repo.task(name, f"echo 1 > {name}", claims=[name])
    daemon = repo.start("daemon")
    wait_until(lambda: "saving" in repo.orchd("status"), "the gates")
    wait_until(lambda: "two" not in repo.orchd("status") or repo.status("two") in ("ready", "saving"), "both")
    repo.orchd("session", "pause", "default")
    wait_until(lambda: repo.status("one") == repo.status("two") == "ready", "the save to be taken back")
    go.touch()
    repo.write("src/a.txt", "dirty")
    repo.orchd("session", "resume", "default")
    wait_until(lambda: "checkout of main has changes" in repo.orchd("status"), "the checkout is in the way")
    repo.orchd("cancel", "one")
    wait_until(lambda: repo.status("one") == "cancelled", "the cancelling")
    repo.orchd("session", "pause", "default")
    wait_until(lambda: repo.status("two") == "ready", "the save to be taken back")
    repo.git("checkout", "-q", "src/a.txt")
    repo.orchd("session", "resume", "default")
    wait_until(lambda: repo.status("two") == "landed", "the rest")
    daemon.terminate()
    daemon.wait(timeout=30)
    assert "one" not in repo.main_files()
    repo.orchd("verify")
