"""A name of a person that stands where orchd's names must be is told at the start, with the way out."""

from __future__ import annotations

import subprocess

import pytest
from git_world import World, git

from orchd.adapters import git_repo
from orchd.adapters.git_repo import BLOCKING_REFS
from orchd.errors import ConfigError, GitError


@pytest.mark.parametrize("name", BLOCKING_REFS)
def test_orchd_does_not_start_where_its_names_are_taken_and_the_hint_helps(world: World, name: str) -> None:
    git(world.top, "update-ref", name, world.main)
    with pytest.raises(ConfigError, match="so git cannot make") as told:
        world.open()
    assert told.value.hint is not None
    command = told.value.hint.split("`")[1].replace("NAME", "mine")
    subprocess.run(["sh", "-c", command], cwd=world.top, check=True, capture_output=True)
    world.open()
    assert world.main in git(world.top, "for-each-ref", "--format=%(objectname) %(refname)", f"{name.rpartition('/')[0]}/mine")


def test_without_the_check_a_result_never_gets_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_repo, "_check_names", lambda _: None)
    git(world.top, "branch", "session")
    tip = world.work_tip({"a.txt": "A\n"})
    world.pack("fix.1.1", tip, world.main)
    with pytest.raises(GitError, match="cannot move"):
        world.admit("fix.1.1", tip)
