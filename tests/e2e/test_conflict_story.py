"""Two tasks at work on the same lines: the later one is told while it can still do something, and nothing committed is lost."""

from __future__ import annotations

import os
import shutil
import signal

import pytest
from stories import Repo, wait_until

APPEND = [{"path": "LOG", "mode": "append"}]
DIRTY = 'echo "- {name}" >> LOG; git commit -qam {name}'


@pytest.fixture
def logged(repo: Repo) -> Repo:
    repo.commit("a log", LOG="- first\n")
    return repo


def until(path: str) -> str:
    return f"until test -e {path}; do sleep 0.02; done"


def test_the_later_of_two_tasks_finds_a_note_before_it_ends(logged: Repo) -> None:
    door = logged.top.parent / "door"
    seen = logged.top.parent / "seen"
    logged.task("early", f"{DIRTY.format(name='early')}; {until(str(door))}", claims=APPEND)
    daemon = logged.start("daemon")
    try:
        wait_until(lambda: logged.git("for-each-ref", "refs/orch/live/early.1.1"), "the first commit to be seen")
        note = "$ORCHD_CONTROL/conflicts.md"
        look = f"{DIRTY.format(name='late')}; {until(note)}; cp {note} {seen}; {until(str(door))}"
        logged.task("late", look, claims=APPEND)
        wait_until(seen.exists, "the later task to find its note")
        told = logged.data("show", "late")
        assert told["conflicts"] == ["will conflict with early in LOG"] and told["status"] == "running"
        assert logged.data("show", "early")["conflicts"] == ["will conflict with late in LOG"]
        assert "will conflict with early in LOG" in logged.orchd("explain", "late")
        assert "will conflict with" in logged.orchd("status")
        door.touch()
        wait_until(lambda: {logged.status("early"), logged.status("late")} == {"landed", "held"}, "both to end")
    finally:
        daemon.terminate()
        daemon.wait(30)
    text = seen.read_text()
    assert "`early` (do early)" in text and "- `LOG`" in text
    look = next(line for line in text.splitlines() if "git diff" in line).split("`")[1]
    assert "+- early" in logged.git(*look.split()[1:]), "the command of the note shows the work of the other"
    assert "foreseen" in logged.said
    assert not logged.git("for-each-ref", "refs/orch/live"), "the refs of live commits are gone with their runs"


def test_what_a_task_committed_survives_the_loss_of_its_workspace(logged: Repo) -> None:
    logged.task("slow", f"{DIRTY.format(name='slow')}; {until('never')}", claims=APPEND)
    daemon = logged.start("daemon")
    try:
        wait_until(lambda: logged.git("for-each-ref", "refs/orch/live/slow.1.1"), "the commit to be seen")
        tip = logged.git("rev-parse", "refs/orch/live/slow.1.1")
        [row] = logged.data("ps")
        os.kill(row["pid"], signal.SIGSTOP)
        [workspace] = (logged.top.parent / "state/orchd").glob("*/workspaces/slow.1.1")
        shutil.rmtree(workspace)
        os.kill(row["pid"], signal.SIGKILL)
        wait_until(lambda: logged.git("for-each-ref", "refs/orch/attic/slow"), "the work to be kept")
        assert logged.git("rev-parse", "refs/orch/attic/slow/1") == tip
        logged.orchd("cancel", "slow")
        wait_until(lambda: logged.status("slow") == "cancelled", "the next attempt to end")
    finally:
        daemon.terminate()
        daemon.wait(30)
    assert logged.git("show", f"{tip}:LOG") == "- first\n- slow"
