"""What a task locked away, put into repositories inside, or let git overlook: it comes back, or the workspace is kept."""

from __future__ import annotations

import pytest
from runs_world import World
from test_process_trees import patch_supervisors

ORDINARY_RIGHTS = """
import ctypes
libc = ctypes.CDLL(None)
for right in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with them root may read whatever it likes
    libc.prctl(24, right, 0, 0, 0)
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
libc.capget(header, data)
for at in (0, 1, 2):
    data[at] &= ~0b110
libc.capset(header, data)
"""
LOCKED = {
    "new-folder": "mkdir -p n/m; echo precious > n/m/p; chmod 000 n/m n",
    "new-file": "mkdir n; echo precious > n/p; chmod 000 n/p",
    "old-folder": "echo precious > folder/p; chmod 000 folder",
    "old-file": "echo precious > kept.txt; chmod 000 kept.txt",
    "read-only": "mkdir n; echo precious > n/p; chmod 500 n; chmod 400 n/p",
    "committed": "git commit -q --allow-empty -m mine; mkdir n; echo precious > n/p; chmod 000 n",
}


@pytest.mark.parametrize("line", LOCKED.values(), ids=LOCKED.keys())
def test_files_and_folders_that_the_task_locked_come_back(world: World, monkeypatch: pytest.MonkeyPatch, line: str):
    patch_supervisors(monkeypatch, f"exec({ORDINARY_RIGHTS!r})")
    left = world.run("a.1.1", line)
    assert left.detail == ""
    world.take("a.1.1")
    assert any("precious" in world.show(left.tip, name) for name in world.names(left.tip))
    assert "kept.txt" in world.names(left.tip) and "folder/deep.txt" in world.names(left.tip), "nothing looks deleted"
    world.runs.discard("a.1.1")
    assert not world.workspace("a.1.1").exists()


def test_without_a_look_at_the_warnings_of_git_they_are_gone(world: World, monkeypatch: pytest.MonkeyPatch):
    code = f"exec({ORDINARY_RIGHTS!r}); import orchd.adapters.collect as c; c._UNREADABLE = b'nothing that git says'"
    patch_supervisors(monkeypatch, code)
    left = world.run("a.1.1", LOCKED["new-folder"])
    assert (left.tip, left.detail) == ("", "")


def with_submodule(world: World) -> None:
    """The base has a submodule, which workspaces hold as an empty folder."""
    lib = world.checkout.parent / "lib"
    lib.mkdir()
    world.git("init", "-q", folder=lib)
    (lib / "lib.txt").write_text("lib\n")
    world.git("add", "-A", folder=lib)
    world.git("commit", "-qm", "lib", folder=lib)
    world.git("clone", "-q", str(lib), "sub")
    world.git("add", "sub")
    world.git("commit", "-qm", "with a submodule")
    world.head = world.git("rev-parse", "HEAD")


INSIDE = {
    "edited": "git clone -q {lib} sub; echo precious > sub/lib.txt",
    "stashed": "git clone -q {lib} sub; cd sub; echo precious > lib.txt; git stash -q",
    "committed": "git clone -q {lib} sub; cd sub; echo precious > lib.txt; git commit -qam mine",
    "ignored": "git clone -q {lib} sub; echo precious > sub/lib.txt; git config diff.ignoreSubmodules all",
    "no-repository": "echo precious > sub/p",
    "new": "git clone -q {lib} n; echo precious > n/lib.txt",
    "with-commits": "echo x > f; git add f; git commit -qm mine; git clone -q {lib} n; echo precious > n/lib.txt",
    "with-a-result": "git clone -q {lib} sub; echo precious > sub/lib.txt; echo x > f",
}


@pytest.mark.parametrize("line", INSIDE.values(), ids=INSIDE.keys())
def test_what_is_in_a_repository_inside_keeps_the_workspace(world: World, line: str):
    with_submodule(world)
    left = world.run("a.1.1", line.format(lib=world.checkout.parent / "lib"))
    assert (left.partial, left.detail) == (True, "")
    if left.tip:
        world.take("a.1.1")


def test_an_untouched_submodule_keeps_nothing(world: World):
    with_submodule(world)
    assert not world.run("a.1.1", "echo x > f").partial
    assert not world.run("b.1.1", "echo x > f; git add -A; git commit -qm mine").partial


def test_without_a_look_into_them_edits_in_a_submodule_are_gone(world: World, monkeypatch: pytest.MonkeyPatch):
    patch_supervisors(monkeypatch, "import orchd.adapters.collect as c; c._holds_repositories = lambda *_: False")
    with_submodule(world)
    left = world.run("a.1.1", INSIDE["edited"].format(lib=world.checkout.parent / "lib"))
    assert (left.tip, left.extra, left.partial, left.detail) == ("", "", False, "")


OVERLOOKED = (
    "git config core.trustctime false; git config core.checkStat minimal; cp -p kept.txt ../old"
    "; printf 'mine\\n' > kept.txt; touch -r ../old kept.txt; rm ../old"
)


def test_a_changed_file_is_seen_whatever_git_was_told_to_compare(world: World):
    left = world.run("a.1.1", OVERLOOKED)
    world.take("a.1.1")
    assert world.show(left.tip, "kept.txt") == "mine"
