"""The person's checkout: a clean one moves forward, a dirty one is never touched."""

from __future__ import annotations

import json

from stories import Repo, wait_until


def test_a_dirty_checkout_of_main_is_not_touched_and_landing_waits_for_it(repo: Repo) -> None:
    repo.task("add", "echo new > new.txt", claims=["new.txt"])
    repo.write("src/a.txt", "a person is writing this\n")
    before = snapshot(repo)
    repo.orchd("run", code=6)
    assert snapshot(repo) == before
    assert "new.txt" not in repo.main_files()
    [waiting] = repo.data("status")["needs_you"]
    assert "src/a.txt" in json.dumps(waiting)
    ready = repo.git("for-each-ref", "--format=%(refname)", "refs/orch/ready")
    assert repo.git("show", f"{ready}:new.txt") == "new", "the sealed commit can be merged by hand"
    repo.git("commit", "-qam", "the person is done")
    repo.orchd("run")
    assert {"new.txt", "src/a.txt"} <= repo.main_files()
    assert repo.git("show", "main:src/a.txt") == "a person is writing this"
    assert repo.git("for-each-ref", "refs/orch/ready") == ""


def test_the_daemon_goes_on_by_itself_when_the_checkout_is_clean_again(repo: Repo) -> None:
    repo.task("add", "echo new > new.txt", claims=["new.txt"])
    repo.write("src/a.txt", "a person is writing this\n")
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: repo.git("for-each-ref", "refs/orch/ready"), "the save waits")
        repo.git("checkout", "-q", "--", "src/a.txt")
        wait_until(lambda: "new.txt" in repo.main_files(), "it landed")
        wait_until(lambda: (repo.top / "new.txt").exists(), "the checkout moved")
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0


def test_an_untracked_file_in_the_way_is_kept_and_landing_waits(repo: Repo) -> None:
    repo.task("add", "echo new > new.txt", claims=["new.txt"])
    repo.write("new.txt", "mine\n")
    repo.orchd("run", code=6)
    assert (repo.top / "new.txt").read_text() == "mine\n"
    (repo.top / "new.txt").unlink()
    repo.orchd("run")
    assert (repo.top / "new.txt").read_text() == "new\n"


def test_a_checkout_of_another_branch_stays_as_it_is(repo: Repo) -> None:
    repo.git("checkout", "-qb", "feature")
    repo.write("src/b.txt", "staged\n")
    repo.git("add", "src/b.txt")
    repo.write("src/a.txt", "unstaged\n")
    repo.write("untracked.txt", "untracked\n")
    repo.task("add", "echo new > new.txt", claims=["new.txt"])
    before = snapshot(repo)
    repo.orchd("run")
    assert "new.txt" in repo.main_files()
    assert snapshot(repo) == before


def snapshot(repo: Repo) -> tuple[object, ...]:
    files = {str(p): p.read_bytes() for p in repo.top.rglob("*") if p.is_file() and ".git" not in p.parts}
    return repo.git("status", "--porcelain"), repo.git("symbolic-ref", "HEAD"), repo.git("ls-files", "-s"), files
