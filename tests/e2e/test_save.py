"""Saving by hand, and at a set time, with real processes."""

from __future__ import annotations

import os
import signal

import pytest
from stories import Repo, wait_until


def test_what_is_saved_by_hand_gathers_until_somebody_asks(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "save: manual\n")
    repo.task("one", "echo x > one.txt", claims=["one.txt"])
    repo.task("two", "echo x > two.txt", claims=["two.txt"])
    said = repo.orchd("run", code=None)
    assert "2 done, not saved: `orchd save`" in said, said
    assert (repo.status("one"), repo.status("two")) == ("ready", "ready")
    assert "one.txt" not in repo.main_files()
    needs = repo.data("status")["needs_you"]  # type: ignore[index]
    assert [need["command"] for need in needs] == ["orchd save default"]
    assert "when somebody asks" in repo.data("explain", "one")["what"]  # type: ignore[index]
    repo.orchd("save")
    assert {"one.txt", "two.txt"} <= repo.main_files()
    assert len(repo.checkpoints()) == 1, "together"
    assert "nothing that is done waits" in repo.orchd("save", code=2)


def test_a_session_with_a_line_lands_only_when_it_is_named(repo: Repo) -> None:
    repo.write(".orch/sessions/web.yaml", "landing: manual\n")
    repo.task("one", "echo x > one.txt", claims=["one.txt"], session="web")
    repo.orchd("run")
    assert "orchd save web" in repo.orchd("save", code=2)
    repo.orchd("save", "web")
    assert "one.txt" in repo.main_files()


@pytest.mark.slow
def test_a_run_waits_for_no_set_time_and_a_daemon_says_when_it_is_due(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "save: every 1h\n")
    repo.task("one", "echo x > one.txt", claims=["one.txt"])
    repo.orchd("run")
    assert "one.txt" in repo.main_files()
    repo.task("two", "echo x > two.txt", claims=["two.txt"])
    daemon = repo.start("daemon")
    try:
        wait_until(lambda: "its save is due in" in str(repo.data("status")["tasks"]), "an end of the wait")  # type: ignore[index]
        repo.orchd("save", "default")
        wait_until(lambda: "two.txt" in repo.main_files(), "the landing")
    finally:
        os.kill(daemon.pid, signal.SIGTERM)
        daemon.wait()
