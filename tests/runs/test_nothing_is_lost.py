"""Whatever a task told git to forget, hide or replace: it comes back, or the workspace is kept; and nothing else is touched."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from runs_world import World, wait_for
from test_process_trees import patch_supervisors

from orchd.adapters.evidence import read_started
from orchd.model.run import Exit, Outcome, Phase

COMMIT = "git add -A; git commit -qm mine"
BESIDES = {
    "stash": "echo precious > kept.txt; git stash -q",
    "stash-of-new-files": "echo precious > p; git stash -qu",
    "other-branch": f"git checkout -qb other; echo precious > p; {COMMIT}; git checkout -q task",
    "amended": f"echo precious > p; {COMMIT}; echo worthless > p; git add p; git commit -q --amend -m again",
    "reset-away": f"echo precious > p; {COMMIT}; git reset -q --hard HEAD~",
    "detached": f"git checkout -q --detach; echo precious > p; {COMMIT}; git checkout -q task",
    "orphan": f"git checkout -q --orphan o; echo precious > p; {COMMIT}; git checkout -q task",
    "packed-branch": f"git checkout -qb other; echo precious > p; {COMMIT}; git checkout -q task; git pack-refs --all"
    "; rm -r .git/logs",
    "ref-without-log": "git update-ref refs/mine/x "
    "$(git commit-tree -m x $(printf '100644 blob %s\\tp\\n' $(echo precious | git hash-object -w --stdin) | git mktree))",
    "worktree": "git worktree add -q --detach ../inner HEAD; cd ../inner; echo precious > p; git add p; git commit -qm w",
}


@pytest.mark.parametrize("after", ["", "; echo y > g"], ids=["nothing-else", "and-a-result"])
@pytest.mark.parametrize("line", BESIDES.values(), ids=BESIDES.keys())
def test_commits_that_the_result_lacks_come_along(world: World, line: str, after: str):
    left = world.run("a.1.1", f"d=$PWD; {line}; cd $d{after}")
    assert left.detail == ""
    world.take("a.1.1")
    assert has_precious(world, left.extra)
    world.git("fsck", "--strict", "--no-dangling")


def has_precious(world: World, extra: str) -> bool:
    commits = world.git("rev-list", extra, f"^{world.head}").split()
    return any("precious" in world.git("show", "--format=", "-m", commit) for commit in commits)


def test_without_asking_for_them_they_are_gone(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.collect as c; c._write_extra = lambda *_: ''")
    left = world.run("a.1.1", BESIDES["stash"])
    assert (left.tip, left.extra, left.detail) == ("", "", "")


@pytest.mark.parametrize(
    "line", [f"echo x > f; {COMMIT}", "git status; git tag t; git branch b; echo x > f", "git fetch -q . HEAD"]
)
def test_there_is_nothing_extra_when_the_result_has_all_commits(world: World, line: str):
    assert world.run("a.1.1", line).extra == ""


def commit_plainly(world: World) -> str:
    """A commit without attributes and ignored files."""
    blob = world.git("hash-object", "-w", "--stdin", stdin=b"kept\n")
    tree = world.git("mktree", stdin=f"100644 blob {blob}\tkept.txt\n".encode())
    return world.git("commit-tree", "-m", "plain", tree)


def count_git(world: World, monkeypatch: pytest.MonkeyPatch, line: str, commit: str) -> list[str]:
    """The git commands of a run, as its supervisor started them."""
    said = world.checkout / "said"
    said.touch()
    code = "import orchd.adapters.task_git as t; q = t.quick_process"
    code += f"; t.quick_process = lambda a, *r: (open({str(said)!r}, 'a').write(' '.join(a) + chr(10)), q(a, *r))[1]"
    patch_supervisors(monkeypatch, code)
    world.run("a.1.1", line, commit=commit)
    return [line.split(f"{world.place.workspaces}/")[1].split()[1] for line in said.read_text().splitlines()]


PLAIN = {
    "nothing special": ("echo x > f", []),
    "a special name": ("echo x > f~1", ["add", "write-tree"]),
    "an index of its own": ("echo x > f; git add f", ["ls-files", "add", "write-tree"]),
    "a configuration": ("git config core.autocrlf input; printf 'x\\r\\n' > f", ["add", "write-tree"]),
    "excluded files": ("echo f >> .git/info/exclude; echo x > f; echo y > g", ["add", "write-tree"]),
}


@pytest.mark.parametrize(("line", "commands"), PLAIN.values(), ids=PLAIN.keys())
def test_a_task_that_keeps_its_hands_off_git_is_collected_without_git_unless_something_is_special(
    world: World, monkeypatch: pytest.MonkeyPatch, line: str, commands: list[str]
):
    assert count_git(world, monkeypatch, line, commit_plainly(world)) == commands


def read_endings(world: World) -> list[str]:
    left = world.run("a.1.1", PLAIN["a configuration"][0], commit=commit_plainly(world))
    world.take("a.1.1")
    return world.git("ls-tree", "-l", left.tip, "f").split()[3:4]


def test_the_configuration_that_a_task_made_counts(world: World):
    assert read_endings(world) == ["2"]


def test_without_looking_at_the_configuration_it_does_not(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.collect as c; c.is_unconfigured = lambda _: True")
    assert read_endings(world) == ["3"]


HIDDEN = {
    "skip-worktree": "git update-index --skip-worktree kept.txt; echo precious > kept.txt",
    "assume-unchanged": "git update-index --assume-unchanged kept.txt; echo precious > kept.txt",
    "sparse": "git sparse-checkout set folder -q; git config core.sparseCheckout true; echo precious > kept.txt",
}


@pytest.mark.parametrize("line", HIDDEN.values(), ids=HIDDEN.keys())
@pytest.mark.parametrize("commits", ["", "; git commit -q --allow-empty -m mine"], ids=["same-head", "commits"])
def test_changes_that_the_index_was_told_to_hide_come_back(world: World, line: str, commits: str):
    left = world.run("a.1.1", line + commits)
    assert left.detail == ""
    world.take("a.1.1")
    assert world.show(left.tip, "kept.txt") == "precious"


def test_with_the_index_of_the_task_they_stay_hidden(world: World, monkeypatch: pytest.MonkeyPatch):
    code = "import orchd.adapters.collect as c, orchd.adapters.workspace as w; c.SPARE_INDEX = 'index'"
    code += "; c.find_plain_tree = lambda *_: None"
    patch_supervisors(monkeypatch, f"{code}; c.mark_file = w.mark_file = lambda _: (0, 0, 0)")
    left = world.run("a.1.1", HIDDEN["skip-worktree"])
    assert (left.tip, left.detail) == ("", "")


def test_what_lies_outside_a_sparse_checkout_is_not_deleted_and_new_files_there_come_back(world: World):
    left = world.run(
        "a.1.1", "git sparse-checkout set --no-cone '/folder/' && rm folder/deep.txt && echo precious > p && test ! -e kept.txt"
    )
    assert (left.results[0].code, left.detail) == (0, "")
    world.take("a.1.1")
    assert world.names(left.tip) == [".gitignore", "kept.txt", "p"]


@pytest.mark.parametrize("commits", ["", "; git commit -qm mine"], ids=["staged", "committed"])
def test_an_ignored_file_that_was_added_by_force_comes_back(world: World, commits: str):
    left = world.run(
        "a.1.1", f"echo precious > f.ignored; ln -s / l.ignored; git add -f *.ignored{commits}; rm l.ignored; mkdir l.ignored"
    )
    world.take("a.1.1")
    assert world.show(left.tip, "f.ignored") == "precious"


REPLACED = {
    "link": "rm -rf .git; ln -s {theirs} .git",
    "moved-folder": "cp -r {theirs} c; rm -rf .git; mv c .git",
    "file": "rm -rf .git; echo 'gitdir: {theirs}' > .git",
    "index": "ln -sf {theirs}/index .git/index",
    "objects": "rm -rf .git/objects; ln -s {theirs}/objects .git/objects",
    "refs": "rm -rf .git/refs; ln -s {theirs}/refs .git/refs",
    "common": "echo {theirs} > .git/commondir",
    "pipe": "rm .git/HEAD; mkfifo .git/HEAD",
    "whole": "cd ..; mv a.1.1 moved; ln -s {theirs}/.. a.1.1",
}


def picture(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and "orch" not in path.parts}


@pytest.mark.parametrize("line", REPLACED.values(), ids=REPLACED.keys())
def test_a_task_cannot_lead_git_into_another_repository(world: World, line: str):
    theirs = world.checkout / ".git"
    before = picture(theirs)
    left = world.run("a.1.1", f"echo x > f; {line.format(theirs=theirs)}")
    assert (left.tip, left.extra, left.detail) == ("", "", "its .git was replaced or removed")
    assert picture(theirs) == before


def test_without_the_check_git_writes_into_the_other_repository(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.collect as c; c._check_git_folder = lambda *_: None")
    theirs = world.checkout / ".git"
    before = picture(theirs)
    world.run("a.1.1", "echo x > f; " + REPLACED["link"].format(theirs=theirs))
    assert picture(theirs) != before


def test_a_lost_run_whose_git_folder_became_a_link_is_not_collected(world: World):
    theirs = world.checkout / ".git"
    before = picture(theirs)
    world.start("a.1.1", f"rm -rf .git; ln -s {theirs} .git; touch there; sleep 1000")
    wait_for((world.workspace("a.1.1") / "there").exists)
    world.lose("a.1.1")
    world.runs.salvage("a.1.1")
    assert world.end("a.1.1").detail == "its .git was replaced or removed"
    assert picture(theirs) == before


def run_with_killer(world: World, times: int) -> Exit:
    """git is killed by its own filter, as the machine's memory killer would do it, so many times."""
    count = world.checkout / "count"
    kill = f"echo >> {count}; [ $(wc -l < {count}) -gt {times} ] || kill -9 $PPID; cat"
    return world.run("a.1.1", f"echo '* filter=k' > .gitattributes; git config filter.k.clean '{kill}'; echo x > f")


def test_git_that_was_killed_while_collecting_is_started_once_more(world: World):
    left = run_with_killer(world, 1)
    assert left.detail == ""
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "x"


def test_git_that_is_killed_again_is_said_and_the_workspace_stays(world: World):
    left = run_with_killer(world, 2)
    assert (left.tip, left.detail) == ("", "git add: exit -9: ")
    assert (world.workspace("a.1.1") / "f").exists()


def test_a_run_of_a_former_life_does_not_count(world: World):
    world.run("a.1.1", "echo old > f")
    world.start("a.2.1", "touch there; sleep 1000")
    wait_for((world.workspace("a.2.1") / "there").exists)
    running = read_started(world.place, "a.2.1")
    world.runs.begin_anew()
    assert running
    wait_for(lambda: not Path(f"/proc/{running.pid}").exists())
    assert world.phase("a.1.1") is Phase.ABSENT
    assert not world.runs.leftovers()
    left = world.run("a.1.1", "echo new > f")
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "new"
    world.runs.begin_anew()
    assert (world.place.orch / "runs.before-1/a.1.1/exit.json").exists()
    old, new = (world.place.workspaces.with_name(f"workspaces.before-{n}") / "a.1.1/f" for n in (1, 2))
    assert (old.read_text(), new.read_text()) == ("old\n", "new\n")
    world.runs.begin_anew()
    assert not (world.place.orch / "runs.before-3").exists()


def test_a_workspace_that_has_the_name_of_a_new_run_is_set_aside(world: World):
    for text in ("one", "two", "three"):
        left = world.run("a.1.1", f"echo {text} > f")
        assert left.outcome is Outcome.EXITED
        world.runs.begin_anew()
        before = max(world.place.workspaces.parent.glob("workspaces.before-*"))
        before.rename(world.place.workspaces)
    assert list(world.runs.leftovers()) == ["a.1.1"]
    texts = [(world.place.workspaces / f"a.1.1{more}/f").read_text() for more in (".aside-1", ".aside-2", "")]
    assert texts == ["one\n", "two\n", "three\n"]


def test_a_task_that_stops_its_supervisor_can_be_stopped_nevertheless(world: World):
    world.start("a.1.1", "kill -STOP $PPID; echo x > f; exec sleep 1000")
    wait_for((world.workspace("a.1.1") / "f").exists)
    stat = Path(f"/proc/{world.supervisor('a.1.1')}/stat")
    wait_for(lambda: stat.read_text().rsplit(")", 1)[1].split()[0] == "T")
    world.runs.stop("a.1.1")
    left = world.end("a.1.1")
    assert (left.outcome, left.results[0].code) == (Outcome.STOPPED, -signal.SIGTERM)
    world.take("a.1.1")
    assert world.show(left.tip, "f") == "x"
