"""A workspace is what `git clone --shared` gives, is complete when it has its name, and goes away whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from runs_world import World, wait_for

from orchd.adapters.workspace import remove_workspace
from orchd.adapters.workspace_names import list_workspaces
from orchd.errors import UsageError
from orchd.model.run import Outcome, Phase

QUESTIONS = (
    ("status", "--porcelain=v2"),
    ("log", "--format=%H %s"),
    ("fsck", "--full"),
    ("ls-files", "-s"),
    ("rev-parse", "HEAD^{tree}", "--is-shallow-repository", "--is-bare-repository"),
    ("tag",),
)


def compare_with_clone(world: World, source: Path, workspace: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    world.git("clone", "-q", "--shared", "--no-tags", "--single-branch", str(source), str(clone))
    for question in QUESTIONS:
        assert world.git(*question, folder=workspace) == world.git(*question, folder=clone), question


def test_a_workspace_answers_git_as_a_shared_clone_does(world: World, tmp_path: Path):
    world.git("tag", "not-for-tasks")
    world.run("a.1.1", "true")
    compare_with_clone(world, world.checkout, world.workspace("a.1.1"), tmp_path)
    assert world.git("symbolic-ref", "HEAD", folder=world.workspace("a.1.1")) == "refs/heads/task"


def test_a_workspace_of_a_shallow_repository_with_alternates_is_whole(world: World, tmp_path: Path):
    (world.checkout / "more").write_text("more\n")
    world.git("add", "-A")
    world.git("commit", "-qm", "two")
    (tmp_path / "second").mkdir()
    second = World(tmp_path / "second")
    second.close()
    subprocess.run(["rm", "-rf", str(second.checkout)], check=True)
    world.git("clone", "-q", "--depth", "1", world.checkout.as_uri(), str(tmp_path / "shallow"))
    world.git("clone", "-q", "--shared", str(tmp_path / "shallow"), str(second.checkout))
    second.runs = second.open()
    second.head = second.git("rev-parse", "HEAD")
    left = second.run("a.1.1", "git log --oneline > log; wc -l < log > count")
    second.take("a.1.1")
    assert second.show(left.tip, "count") == "1"
    second.runs.discard("a.1.1")
    second.close()


def test_a_task_can_commit_and_main_does_not_notice(world: World):
    before = world.git("for-each-ref")
    world.run("a.1.1", "git commit -q --allow-empty -m x; git tag t; git branch b")
    assert world.git("for-each-ref") == before
    assert world.git("status", "--porcelain") == ""


def test_the_folders_of_workspaces_and_evidence_are_private(world: World):
    world.run("a.1.1", "true")
    for folder in (world.place.workspaces, world.place.workspaces.parent, world.folder("a.1.1")):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_commit_that_does_not_exist_leaves_an_unprepared_run_and_no_workspace(world: World):
    left = world.run("a.1.1", "true", commit="1" * 40)
    assert (left.outcome, left.results, left.tip) == (Outcome.UNPREPARED, (), "")
    assert "read-tree" in left.detail
    assert list(world.place.workspaces.iterdir()) == []


def test_a_run_that_is_stopped_during_its_preparation_ends_stopped(world: World, monkeypatch: pytest.MonkeyPatch):
    # The checkout waits for this filter, which only a hostile configuration of the main repository could bring.
    from test_process_trees import patch_supervisors

    code = "import orchd.adapters.workspace as w; w._CONFIG += '[filter \"slow\"]\\n\\tsmudge = sleep 1000\\n'"
    patch_supervisors(monkeypatch, code)
    (world.checkout / ".gitattributes").write_text("* filter=slow\n")
    world.git("add", "-A")
    world.git("commit", "-qm", "filter")
    world.head = world.git("rev-parse", "HEAD")
    world.start("a.1.1", "true")
    wait_for(lambda: list(world.place.workspaces.glob(".new-*/.git/index.lock")))
    world.runs.stop("a.1.1")
    assert world.end("a.1.1").outcome is Outcome.STOPPED
    assert list(world.place.workspaces.iterdir()) == []


def hard_to_remove(folder: Path) -> None:
    (folder / "locked/inner").mkdir(parents=True)
    (folder / "locked/inner/file").touch()
    (folder / "locked/inner").chmod(0)
    (folder / "locked").chmod(0o500)
    handles = [os.open(folder, os.O_RDONLY)]
    for _ in range(60):
        Path(f"/proc/self/fd/{handles[-1]}", "n" * 200).mkdir()
        handles.append(os.open("n" * 200, os.O_RDONLY, dir_fd=handles[-1]))
    Path(f"/proc/self/fd/{handles[-1]}", "bottom").touch()
    for handle in handles:
        os.close(handle)


def test_a_workspace_goes_away_whole_and_what_its_links_point_to_stays(world: World, tmp_path: Path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    world.run("a.1.1", f"ln -s {tmp_path}/precious link; ln -s / root")
    hard_to_remove(world.workspace("a.1.1"))
    world.runs.discard("a.1.1")
    assert list(world.place.workspaces.iterdir()) == []
    assert (tmp_path / "precious/file").exists()
    assert world.phase("a.1.1") is Phase.ENDED


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody who obeys permissions")
def test_folders_that_may_not_be_read_are_removed_for_somebody_who_is_not_root(tmp_path: Path):
    (tmp_path / "w").mkdir(mode=0o777)
    (tmp_path / "w").chmod(0o777)
    child = os.fork()
    if child == 0:
        try:
            os.chdir(tmp_path / "w")
            os.setuid(65534)
            hard_to_remove(Path("a"))
            remove_workspace(Path("a"))
        finally:
            os._exit(len(list(Path().iterdir())))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list((tmp_path / "w").iterdir()) == []


def test_a_workspace_that_became_a_link_is_removed_as_a_link(tmp_path: Path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    (tmp_path / "w").mkdir()
    (tmp_path / "w/a.1.1").symlink_to(tmp_path / "precious")
    remove_workspace(tmp_path / "w/a.1.1")
    assert list_workspaces(tmp_path / "w") == []
    assert (tmp_path / "precious/file").exists()


def test_what_an_interrupted_removal_left_is_no_leftover_and_goes_at_the_next_look(world: World):
    world.run("a.1.1", "true")
    trash = world.workspace("a.1.1").rename(world.place.workspaces / ".trash-a.1.1.0")
    assert not world.runs.leftovers()
    assert not trash.exists()


@pytest.mark.parametrize("run", ["", ".", "..", "../../etc", "/etc", "a/b"])
def test_nothing_outside_the_folder_of_workspaces_is_ever_discarded(world: World, run: str):
    with pytest.raises(UsageError):
        world.runs.discard(run)
