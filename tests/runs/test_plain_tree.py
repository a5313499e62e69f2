"""The tree that is worked out without git is the one that git gives, or there is no answer."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.adapters import plain_tree, workspace
from orchd.adapters.kit import KitFile, Known, dump_kit, lay_out, load_kit, note
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


@dataclass(frozen=True)
class Workspace:
    """Files that were laid out, and what is known of them."""

    top: Path
    known: Known

    @property
    def index(self) -> Path:
        return self.top / ".git/index"

    def ask(self) -> PlainTree | None:
        return find_plain_tree(self.top, self.known, self.index.stat().st_mtime_ns)


def make(top: Path, tree: dict[str, tuple[str, bytes]]) -> Workspace:
    """A repository whose index has these files, laid out anew from a kit."""
    shutil.rmtree(top, ignore_errors=True)
    git(top.parent, "init", "-q", top.name)
    for name, what in tree.items():
        put(top, name, what)
    git(top, "add", "-A", "-f")
    git(top, "write-tree")
    files = list_files(top)
    git(top, "rm", "-rqf", "--ignore-unmatch", ".")
    (top / ".git/index").unlink(missing_ok=True)
    known = lay_out(top, load_kit(dump_kit(files)))
    workspace._outdate_files(top / ".git/index")
    return Workspace(top, known)


def list_files(top: Path) -> list[KitFile]:
    listed = [row.partition("\t") for row in git(top, "ls-files", "-s", "-z").decode().split("\0") if row]
    return [
        KitFile(path, int(facts[:6], 8), facts[7:47], git(top, "cat-file", "blob", facts[7:47])) for facts, _, path in listed
    ]


def ask_git(made: Workspace) -> str:
    own = made.index.with_name("own")
    shutil.copy2(made.index, own)
    git(made.top, "add", "-A", index=own)
    return git(made.top, "write-tree", index=own).decode().strip()


def check(made: Workspace) -> PlainTree | None:
    """The answer, after comparing it with git's and unpacking its objects where only those of the index are."""
    answer = made.ask()
    if answer is None:
        return None
    other = made.top.parent / "other"
    shutil.rmtree(other, ignore_errors=True)
    shutil.copytree(made.top / ".git", other / ".git")
    assert answer.oid == ask_git(made)
    with (made.top.parent / "pack").open("w+b") as out:
        write_pack(answer.objects, out)
    if answer.objects:
        git(other, "unpack-objects", "-q", "--strict", stdin=(made.top.parent / "pack").read_bytes())
    git(other, "ls-tree", "-r", "-t", answer.oid)
    return answer


@given(files, edits)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_the_tree_that_git_gives(tmp_path: Path, tree: dict[str, tuple[str, bytes]], changes: list) -> None:
    made = make(tmp_path / "repo", tree)
    for name, what in changes:
        put(made.top, name, what)
    check(made)


@given(files)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_laid_out_is_what_git_checks_out(tmp_path: Path, tree: dict[str, tuple[str, bytes]]) -> None:
    made = make(tmp_path / "repo", tree)
    assert git(made.top, "ls-files", "--modified", "--deleted", "--others") == b""
    mine, listed = git(made.top, "ls-files", "--debug"), git(made.top, "ls-files", "-s")
    git(made.top, "update-index", "--really-refresh")
    assert git(made.top, "ls-files", "--debug") == mine, "git would have noted the same"
    shutil.rmtree(tmp_path / "other", ignore_errors=True)
    shutil.copytree(made.top / ".git", tmp_path / "other/.git")
    git(tmp_path / "other", "read-tree", "--reset", "-u", git(made.top, "write-tree").decode().strip())
    assert git(tmp_path / "other", "ls-files", "-s") == listed
    assert subprocess.run(["diff", "-r", "--no-dereference", "-x", ".git", "repo", "other"], cwd=tmp_path).returncode == 0


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
    made = make(tmp_path / "repo", PLAIN)
    subprocess.run(["sh", "-c", line], cwd=made.top, check=True)
    answer = check(made)
    assert answer is not None
    assert len(answer.objects) == objects


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
    made = make(tmp_path / "repo", PLAIN)
    subprocess.run(["sh", "-c", line], cwd=made.top, check=True)
    assert made.ask() is None


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_git_may_treat_otherwise_is_left_to_git(tmp_path: Path, name: str) -> None:
    made = make(tmp_path / "repo", PLAIN)
    (made.top / "sub" / name).write_text("x")
    assert made.ask() is None


def test_tracked_files_are_answered_beside_an_ignore_file(tmp_path: Path) -> None:
    made = make(tmp_path / "repo", {**PLAIN, ".gitignore": ("file", b"*\n")})
    put(made.top, "a", ("file", b"changed\n"))
    assert check(made)


def change_in_the_same_tick(made: Workspace) -> Workspace:
    """What a change of the same length in the tick of the checkout looks like: all is as noted, no older than the index."""
    (made.top / "a").write_bytes(b"two\n")
    seen = (made.top / "a").stat()
    os.utime(made.index, ns=(seen.st_mtime_ns, seen.st_mtime_ns))
    laid = made.known[""]["a"]
    assert laid is not None
    return Workspace(made.top, {**made.known, "": {**made.known[""], "a": laid._replace(noted=note(seen))}})


def test_a_change_in_the_tick_of_the_checkout_is_seen(tmp_path: Path) -> None:
    answer = change_in_the_same_tick(make(tmp_path / "repo", PLAIN)).ask()
    assert answer is not None
    assert len(answer.objects) == 2


def test_with_trust_in_times_alone_it_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_tree._Walk, "_is_settled", lambda *_: True)
    answer = change_in_the_same_tick(make(tmp_path / "repo", PLAIN)).ask()
    assert answer is not None
    assert not answer.objects


def test_a_prepared_index_is_newer_than_all_files(tmp_path: Path) -> None:
    made = make(tmp_path / "repo", PLAIN)
    (made.top / "a").write_bytes(b"1")
    os.utime(made.index)
    workspace._outdate_files(made.index)
    assert made.index.stat().st_mtime_ns > (made.top / "a").stat().st_ctime_ns


@pytest.mark.parametrize("swap", ["ln -s secret f", "mkfifo f", "echo longer > f", "rm -f f"])
def test_what_is_swapped_between_look_and_reading_is_left_to_git(tmp_path: Path, swap: str) -> None:
    (tmp_path / "secret").write_text("hello\n")
    (tmp_path / "f").write_text("hello\n")
    seen = (tmp_path / "f").lstat()
    walk = plain_tree._Walk({}, 0)
    assert walk._read(str(tmp_path / "f"), seen) == b"hello\n"
    subprocess.run(f"rm f; {swap}", cwd=tmp_path, shell=True, check=True)
    with pytest.raises((plain_tree.Unusual, OSError)):
        walk._read(str(tmp_path / "f"), seen)
