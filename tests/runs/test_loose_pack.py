"""Packs written without git are packs for git."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest

from orchd.adapters.loose_pack import MOST_BYTES, MOST_OBJECTS, write_loose_pack


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "repo")
    return tmp_path / "repo"


def git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=True).stdout


def put(repo: Path, content: bytes) -> str:
    return git(repo, "hash-object", "-w", "--stdin", stdin=content).decode().strip()


def pack(repo: Path) -> bytes | None:
    with (repo / "out.pack").open("w+b") as out:
        return (out.seek(0), out.read())[1] if write_loose_pack(repo / ".git/objects", out) else None


@pytest.mark.parametrize("size", [0, 1, 15, 16, 2047, 2048, 300_000])
def test_git_reads_back_what_was_packed(repo: Path, tmp_path: Path, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    oid = put(repo, content)
    tree = git(repo, "mktree", stdin=f"100644 blob {oid}\tf\n".encode()).decode().strip()
    made = pack(repo)
    assert made is not None
    git(tmp_path, "init", "-q", "other")
    git(tmp_path / "other", "unpack-objects", "-q", "--strict", stdin=made)
    assert git(tmp_path / "other", "cat-file", "blob", oid) == content
    assert oid in git(tmp_path / "other", "ls-tree", tree).decode()


def test_many_large_packed_or_broken_objects_are_left_to_git(repo: Path) -> None:
    assert pack(repo) is None, "nothing there"
    for number in range(MOST_OBJECTS):
        put(repo, str(number).encode())
    assert pack(repo) is not None
    put(repo, b"one more")
    assert pack(repo) is None
    git(repo, "init", "-q", "large")
    put(repo / "large", b"\0" * (MOST_BYTES + 1))
    assert pack(repo / "large") is None, "small on disk, large in fact"
    git(repo, "init", "-q", "broken")
    oid = put(repo / "broken", b"x")
    path = repo / "broken/.git/objects" / oid[:2] / oid[2:]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-3])
    assert pack(repo / "broken") is None


def test_a_file_that_git_was_killed_while_writing_is_no_object(repo: Path) -> None:
    oid = put(repo, b"x")
    (repo / ".git/objects" / oid[:2] / "tmp_obj_Ab3dEf").write_bytes(b"half")
    made = pack(repo)
    assert made is not None
    assert int.from_bytes(made[8:12], "big") == 1


def test_nothing_is_written_when_it_is_left_to_git(repo: Path) -> None:
    out = io.BytesIO()
    assert not write_loose_pack(repo / ".git/objects", out)
    assert out.getvalue() == b""
