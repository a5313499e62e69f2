"""The tree that is worked out without git is the one that git gives, or there is no answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.adapters import plain_tree, workspace
from orchd.adapters.loose_pack import write_pack
from orchd.adapters.plain_tree import PlainTree, find_plain_tree

NAMES = ["a", "b", "a.b", "a-b", "a0", "sub", "Makefile", ".gitignore", ".github", ".gitkeep"]
ODD_NAMES = ["\u00e9", "a~1", "a:b", "back\\slash", ".gitattributes", ".gitmodules", "new\nline", ".GIT"]
CONTENTS = [b"", b"one\n", b"two\n", b"crlf\r\n", b"b\n", b"*\n", bytes(range(256))]
KINDS = ["file", "program", "link"]

files = st.dictionaries(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join),
    st.tuples(st.sampled_from(KINDS), st.sampled_from(CONTENTS)),
    max_size=8,
)
edits = st.lists(
    st.tuples(
        st.lists(st.sampled_from(NAMES + ODD_NAMES[:1]), min_size=1, max_size=3).map("/".join),
        st.none() | st.tuples(st.sampled_from(KINDS), st.sampled_from(CONTENTS)),
    ),
    max_size=6,
)


def git(folder: Path, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
    extra = {"GIT_INDEX_FILE": str(index)} if index else {}
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(folder), **extra}
    done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=True, env=environment)
    return done.stdout


def put(top: Path, name: str, what: tuple[str, bytes] | None) -> None:
    """Write, replace or (None) remove a path, whatever stood there or above it."""
    path = top / name
    for above in reversed(path.relative_to(top).parents[:-1]):
        if (top / above).is_symlink() or (top / above).is_file():
            (top / above).unlink()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True) if path.parent.is_dir() else None
    if what:
        path.parent.mkdir(parents=True, exist_ok=True)
        kind, content = what
        if kind == "link":
            path.symlink_to(content.decode("latin-1").replace("\0", "0") or "nowhere")
        else:
            path.write_bytes(content)
            path.chmod(0o755 if kind == "program" else 0o644)


def make(top: Path, tree: dict[str, tuple[str, bytes]]) -> Path:
    """A repository with these files in its index; the path of a spare index."""
    shutil.rmtree(top, ignore_errors=True)
    git(top.parent, "init", "-q", top.name)
    for name, what in tree.items():
        put(top, name, what)
    git(top, "add", "-A", "-f")
    git(top, "write-tree")
    workspace._outdate_files(top / ".git/index")
    shutil.copy2(top / ".git/index", top / ".git/spare")
    return top / ".git/spare"


def ask_git(top: Path, index: Path) -> str:
    own = index.with_name("own")
    shutil.copy2(index, own)
    git(top, "add", "-A", index=own)
    return git(top, "write-tree", index=own).decode().strip()


def check(top: Path, index: Path) -> PlainTree | None:
    """The answer, after comparing it with git's and unpacking its objects where only those of the index are."""
    made = find_plain_tree(top, index)
    if made is None:
        return None
    other = top.parent / "other"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(top / ".git", other / ".git")
    assert made.oid == ask_git(top, index)
    with (top.parent / "pack").open("w+b") as out:
        write_pack(made.objects, out)
        if made.objects:
            git(other, "unpack-objects", "-q", "--strict", stdin=(top.parent / "pack").read_bytes())
    git(other, "ls-tree", "-r", "-t", made.oid)
    return made


@given(files, edits)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_the_tree_that_git_gives(tmp_path: Path, tree: dict[str, tuple[str, bytes]], changes: list) -> None:
    index = make(tmp_path / "repo", tree)
    for name, what in changes:
        put(tmp_path / "repo", name, what)
    check(tmp_path / "repo", index)


PLAIN = {"a": ("file", b"one\n"), "sub/b": ("program", b"two\n"), "sub/c": ("link", b"a")}


@pytest.mark.parametrize(
    ("line", "objects"),
    [
        ("true", 0),
        ("touch a", 0),
        ("echo new > a", 2),
        ("echo new > sub/b", 3),
        ("chmod +x a", 2),
        ("rm sub/b", 2),
        ("rm -r sub", 1),
        ("mkdir empty", 0),
        ("mkdir -p x/y && echo 1 > x/y/z", 4),
        ("rm a && mkdir a && echo 1 > a/a", 3),
        ("rm -r sub && ln -s /tmp sub", 2),
        ("echo '*' > .gitignore && echo new > a && git check-ignore a; rm .gitignore", 2),
    ],
)
def test_the_usual_changes_are_answered_with_what_the_index_lacks(tmp_path: Path, line: str, objects: int) -> None:
    index = make(tmp_path / "repo", PLAIN)
    subprocess.run(["sh", "-c", line], cwd=tmp_path / "repo", check=True)
    made = check(tmp_path / "repo", index)
    assert made is not None
    assert len(made.objects) == objects


@pytest.mark.parametrize(
    "line",
    [
        "echo '* text' > .gitattributes",
        "echo '*.log' > .gitignore; echo x > x.log",
        "echo '*.log' > sub/.gitignore",
        "git init -q sub/inner",
        "mkdir x && echo 'gitdir: /' > x/.git",
        "mkfifo pipe",
        "echo x > 'a~1'",
        "printf x > \"$(printf 'caf\\351')\"",
        "truncate -s 2M large",
        "for i in $(seq 70); do echo $i > new-$i; done",
        "mkdir -p $(seq -s / 60) && echo x > $(seq -s / 60)/x",
    ],
)
def test_what_could_make_a_difference_is_left_to_git(tmp_path: Path, line: str) -> None:
    index = make(tmp_path / "repo", PLAIN)
    subprocess.run(["sh", "-c", line], cwd=tmp_path / "repo", check=True)
    assert find_plain_tree(tmp_path / "repo", index) is None


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_git_may_treat_otherwise_is_left_to_git(tmp_path: Path, name: str) -> None:
    index = make(tmp_path / "repo", PLAIN)
    (tmp_path / "repo" / "sub" / name).write_text("x")
    assert find_plain_tree(tmp_path / "repo", index) is None


@pytest.mark.parametrize(
    "line",
    [
        "git update-index --assume-unchanged a",
        "git update-index --skip-worktree a",
        "git update-index --add --cacheinfo 160000,$(git write-tree),module",
        "echo x > n && git add -N n",
        "git update-index --index-version 4",
        "git update-index --split-index",
        "printf broken > .git/index",
    ],
)
def test_an_index_of_another_kind_is_left_to_git(tmp_path: Path, line: str) -> None:
    make(tmp_path / "repo", PLAIN)
    subprocess.run(["sh", "-c", line], cwd=tmp_path / "repo", check=True)
    assert find_plain_tree(tmp_path / "repo", tmp_path / "repo/.git/index") is None


def test_tracked_files_are_answered_beside_an_ignore_file(tmp_path: Path) -> None:
    index = make(tmp_path / "repo", {**PLAIN, ".gitignore": ("file", b"*\n")})
    put(tmp_path / "repo", "a", ("file", b"changed\n"))
    assert check(tmp_path / "repo", index)


def change_in_the_same_tick(top: Path, index: Path) -> None:
    """What a change of the same length in the tick of the checkout looks like: times and size are as noted, and not older
    than the index."""
    (top / "a").write_bytes(b"two\n")
    seen = (top / "a").stat()
    data = bytearray(index.read_bytes())
    numbers = (*divmod(seen.st_ctime_ns, 10**9), *divmod(seen.st_mtime_ns, 10**9))
    data[12:28] = b"".join(number.to_bytes(4, "big") for number in numbers)
    index.write_bytes(data)
    os.utime(index, ns=(seen.st_mtime_ns, seen.st_mtime_ns))


def test_a_change_in_the_tick_of_the_checkout_is_seen(tmp_path: Path) -> None:
    index = make(tmp_path / "repo", PLAIN)
    change_in_the_same_tick(tmp_path / "repo", index)
    made = find_plain_tree(tmp_path / "repo", index)
    assert made is not None
    assert len(made.objects) == 2


def test_with_trust_in_times_alone_it_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_tree._Walk, "_is_settled", lambda *_: True)
    index = make(tmp_path / "repo", PLAIN)
    change_in_the_same_tick(tmp_path / "repo", index)
    made = find_plain_tree(tmp_path / "repo", index)
    assert made is not None
    assert not made.objects


def test_a_prepared_index_is_newer_than_all_files(tmp_path: Path) -> None:
    make(tmp_path / "repo", PLAIN)
    index = tmp_path / "repo/.git/index"
    (tmp_path / "repo/a").write_bytes(b"1")
    os.utime(index)
    workspace._outdate_files(index)
    assert index.stat().st_mtime_ns > (tmp_path / "repo/a").stat().st_ctime_ns
