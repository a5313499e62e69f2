"""One orchd per repository."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from subprocess import Popen

import pytest
from stories import Repo

from orchd.adapters.leadership import Leader, take_leadership
from orchd.adapters.place import Place
from orchd.adapters.server import read_server
from orchd.errors import Busy, UsageError

HOLD = """
from pathlib import Path
from orchd import app
from orchd.adapters.leadership import take_leadership
leader = take_leadership(app.find(Path.cwd()))
print("held", flush=True)
import time
while True: time.sleep(60)
"""


def test_the_second_is_refused_and_told_who_the_first_is(repo: Repo, place: Place) -> None:
    first = take_leadership(place)
    with pytest.raises(Busy, match=str(os.getpid())):
        take_leadership(place)
    first.release()
    take_leadership(place).release()


@pytest.mark.parametrize("below", [".git", "sub/.git"])
def test_in_a_workspace_nobody_serves_whatever_the_environment_says(place: Place, below: str) -> None:
    with pytest.raises(UsageError, match="in the workspace of a task"):
        take_leadership(replace(place, git_dir=place.workspaces / "a.1.1" / below))


def test_the_lock_of_a_killed_process_is_free_and_its_record_is_not_believed(
    repo: Repo, place: Place, spawn: Callable[[str], Popen[bytes]]
) -> None:
    holder = spawn(HOLD)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    seen = read_server(place)
    assert seen is not None and seen.pid == holder.pid
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert read_server(place) is None
    take_leadership(place).release()


def test_looking_who_serves_never_takes_the_lock(repo: Repo, place: Place) -> None:
    take_leadership(place).release()
    assert read_server(place) is None
    leader = take_leadership(place)
    seen = read_server(place)
    assert seen is not None and seen.pid == os.getpid()
    leader.release()


def test_a_removed_lock_file_ends_the_first_instead_of_admitting_two(repo: Repo, place: Place) -> None:
    first = take_leadership(place)
    first.check()
    (place.orch / "lock").unlink()
    with pytest.raises(Busy, match="removed"):
        first.check()
    second = take_leadership(place)
    with pytest.raises(Busy, match="removed"):
        first.check()
    second.release()


def test_without_the_inode_check_both_believe_to_lead(repo: Repo, place: Place) -> None:
    """The twin: an unlinked lock file admits a second one while the first still holds its lock."""
    first = take_leadership(place)
    (place.orch / "lock").unlink()
    second = take_leadership(place)
    assert first.lock.is_locked and second.lock.is_locked
    unguarded = Leader(first.place, first.lock, second.inode)
    unguarded.check()
    second.release()
