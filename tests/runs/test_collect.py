"""What a run changed comes back as one pack, whatever its commands did to their repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from runs_world import World
from test_process_trees import patch_supervisors

from orchd.model.run import Exit, Outcome


def take(world: World, line: str) -> Exit:
    """Run it and bring the result into the main repository."""
    left = world.run("a.1.1", line)
    assert left.detail == ""
    world.take("a.1.1")
    world.git("merge-base", "--is-ancestor", world.head, left.tip)
    return left


def test_everything_that_is_not_ignored_is_committed_with_the_message_of_the_order(world: World):
    left = take(world, "echo x > f; echo y > kept.txt; rm folder/deep.txt; echo z > g.ignored; mkdir d; ln -s f d/link")
    assert world.names(left.tip) == [".gitignore", "d/link", "f", "kept.txt"]
    assert world.git("log", "--format=%an <%ae> %cn <%ce>|%B", f"{world.head}..{left.tip}") == (
        "orchd <orchd@localhost> orchd <orchd@localhost>|what was asked"
    )


def test_work_is_collected_after_a_failure_too(world: World):
    left = take(world, "echo x > f; exit 3")
    assert (left.results[0].code, world.show(left.tip, "f")) == (3, "x")


def test_nothing_changed_gives_neither_tip_nor_pack_nor_detail(world: World):
    left = world.run("a.1.1", "touch kept.txt; echo x > f.ignored")
    assert (left.outcome, left.tip, left.detail) == (Outcome.EXITED, "", "")
    assert not (world.folder("a.1.1") / "result.pack").exists()


def test_without_collect_nothing_is_collected(world: World):
    left = world.run("a.1.1", "echo x > f", collect=False)
    assert (left.tip, left.detail) == ("", "")


def test_commits_of_the_task_are_kept_below_the_rest(world: World):
    left = take(world, "echo x > f; git add f; git commit -qm mine; echo y > g")
    assert world.git("log", "--format=%s", f"{world.head}..{left.tip}").split("\n") == ["what was asked", "mine"]


@pytest.mark.parametrize("after", ["", "echo more >> kept.txt", "rm kept.txt", "git reset -q --hard HEAD^; echo back > f"])
def test_a_file_that_was_there_may_be_changed_and_committed(world: World, after: str):
    left = take(world, f"echo new > kept.txt; rm folder/deep.txt; git commit -qam mine; {after}")
    names, kept = world.names(left.tip), {"": "new", "echo more >> kept.txt": "new\nmore"}
    assert ("kept.txt" in names) == (after != "rm kept.txt")
    assert after not in kept or (world.show(left.tip, "kept.txt"), "folder/deep.txt" in names) == (kept[after], False)
    if "reset" in after:
        assert (world.show(left.tip, "kept.txt"), world.show(left.tip, "f")) == ("kept", "back")


def test_a_task_that_committed_everything_itself_gets_no_commit_on_top(world: World):
    left = take(world, "echo x > f; git add f; git commit -qm mine")
    assert world.git("log", "--format=%s", f"{world.head}..{left.tip}") == "mine"


@pytest.mark.parametrize(
    "prank",
    [
        "git checkout -q -b other; git add -A; git commit -qm other",
        "git checkout -q --detach",
        "git checkout -q --orphan fresh; git add -A; git commit -qm unrelated",
        "git commit -q --amend -m another-past",
        "git pack-refs --all; git add -A; git commit -qm packed",
        "git update-ref -d HEAD",
        "rm .git/index",
        "echo garbage > .git/index",
        "touch .git/index.lock",
        "git rm -rq --cached .",
        "git config core.hooksPath /; git config core.fsmonitor /bin/false",
        "git repack -adq; git gc -q",
    ],
)
def test_the_files_come_back_whatever_the_task_did_to_its_repository(world: World, prank: str):
    left = take(world, f"echo x > f; {prank}")
    assert world.show(left.tip, "f") == "x"
    assert world.names(left.tip) == [".gitignore", "f", "folder/deep.txt", "kept.txt"]


@pytest.mark.parametrize(
    "prank", ["rm -rf .git", "rm .git/HEAD", "cd ..; rm -rf a.1.1", "rm -rf .git/objects", "echo x > .git/HEAD"]
)
def test_what_cannot_be_collected_is_said_and_the_workspace_stays(world: World, prank: str):
    left = world.run("a.1.1", f"echo x > f; {prank}")
    assert (left.outcome, left.tip) == (Outcome.EXITED, "")
    assert left.detail
    assert (world.workspace("a.1.1") / "f").exists() is ("rm -rf a.1.1" not in prank)


def outer_repository(world: World) -> Path:
    """The state folder of a person who has their home under git."""
    home = world.place.state_home
    home.mkdir(exist_ok=True)
    world.git("init", "-q", folder=home)
    return home


def test_without_its_repository_git_does_not_go_on_in_one_further_up(world: World):
    home = outer_repository(world)
    world.run("a.1.1", "echo x > f; rm .git/HEAD")
    assert world.git("ls-files", folder=home) == ""


def test_if_git_were_left_to_find_its_repository_it_would_take_one_further_up(world: World, monkeypatch: pytest.MonkeyPatch):
    home = outer_repository(world)
    code = "import orchd.adapters.task_git as t; g = t.TaskGit._environment; "
    code += "t.TaskGit._environment = lambda s, i: g(s, i) if s.workspace.name.startswith('.new') else dict(s.environment)"
    patch_supervisors(monkeypatch, code)
    world.run("a.1.1", "echo x > f; rm .git/HEAD")
    assert world.git("ls-files", folder=home) != ""


def test_a_result_that_is_too_large_is_said(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.collect as c; c.RESULT_PACK_BYTES = 4096")
    left = world.run("a.1.1", "head -c 2000000 /dev/urandom > f")
    assert (left.tip, left.detail) == ("", "the result is larger than 4096 bytes")


def test_collecting_ends_when_git_hangs(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.supervisor as s; s.COLLECT_SECONDS = 0.5")
    line = "echo '* filter=slow' > .gitattributes; git config filter.slow.clean 'sleep 1000'; echo x > f"
    left = world.run("a.1.1", line)
    assert left.tip == ""
    assert "took too long" in left.detail


def test_text_conversion_of_the_repository_applies(world: World):
    left = take(world, "echo '*.txt text' > .gitattributes; printf 'a\\r\\n' > crlf.txt")
    assert world.git("cat-file", "-s", f"{left.tip}:crlf.txt") == "2"


def test_names_that_are_not_utf8_come_back(world: World):
    left = take(world, "printf x > \"$(printf 'b\\351d')\"")
    assert os.fsdecode(b"b\\351d") in world.git("ls-tree", "-r", "--name-only", left.tip)
