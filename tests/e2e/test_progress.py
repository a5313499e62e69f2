"""What `orchd status` says while a save runs, and when somebody set the branch back."""

from __future__ import annotations

from stories import Repo, wait_until

WAITING = "gates:\n  - {name: slow, run: 'until test -e %s; do sleep 0.05; done'}\n"


def test_a_save_is_seen_while_it_runs_and_a_branch_that_was_set_back_is_an_alarm(repo: Repo) -> None:
    go = repo.top.parent / "go"
    repo.commit("a gate", _dot_orch__config_dot_yaml=WAITING % go)
    repo.task("one", "echo 1 > one.txt", claims=["one.txt"])
    daemon = repo.start("run")
    wait_until(lambda: [one["step"] for one in repo.data("status")["saves"]] == ["gating 1 of 1"], "the gate")  # type: ignore[index]
    rows = {row["kind"]: row for row in repo.data("ps")}  # type: ignore[attr-defined]
    assert rows["save"]["task"] == rows["gates"]["task"] == "one"
    assert rows["save"]["step"] == "gating 1 of 1"
    go.touch()
    assert daemon.wait(30) == 0
    status = repo.data("status")
    assert (status["saves"], status["needs_you"]) == ([], [])  # type: ignore[index]
    repo.git("reset", "-q", "--hard", "HEAD~1")
    [alarm] = repo.data("status")["needs_you"]  # type: ignore[index]
    assert (alarm["subject"], alarm["command"]) == ("main", f"git merge {repo.checkpoints()[0]}")
    repo.task("late", "cat one.txt > late.txt", needs=["one"], claims=["late.txt"])
    assert "late waits: it needs one (landed), and main does not contain that work any more" in repo.orchd("run", code=1)
    explained = repo.data("explain", "late")
    assert "`orchd retry one` runs it again" in explained["next"]  # type: ignore[index]
    assert [need["subject"] for need in repo.data("status")["needs_you"]] == ["main", "late"]  # type: ignore[index]
    for verb in (["undo"], ["restore", repo.checkpoints()[0], "--make-main"]):
        assert "main does not contain" in repo.orchd(*verb, code=2)
    repo.orchd("retry", "one")
    repo.orchd("run")
    assert (repo.status("one"), repo.status("late")) == ("landed", "landed")
    assert repo.git("show", "main:late.txt") == "1"
    assert "there is nothing to retry" in repo.orchd("retry", "one", code=2)
