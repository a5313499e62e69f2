"""A checkpoint comes back in a folder of its own, and not a byte of anything else changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from stories import Repo, make_repo


def fingerprint(top: Path, leave_out: str = "") -> dict[str, str]:
    """Every file, link and folder below `top` with its content."""
    found = {}
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            path = Path(folder, name)
            key = str(path.relative_to(top))
            if not leave_out or not key.startswith(leave_out):
                whole = path.is_file() and not path.is_symlink()
                found[key] = hashlib.sha256(path.read_bytes()).hexdigest() if whole else "no file"
    return found


@pytest.fixture
def landed(tmp_path: Path) -> Repo:
    repo = make_repo(tmp_path)
    repo.write(".gitignore", "*.log\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "ignore logs")
    repo.task("one", "echo 1 > src/one.txt", claims=["src/one.txt"])
    repo.task("two", "echo 2 > src/one.txt", claims=["src/one.txt"], needs=["one"])
    repo.orchd("run")
    return repo


def test_the_persons_checkout_keeps_every_byte(landed: Repo, tmp_path: Path) -> None:
    for name in ("a.txt", "b c.txt", "src/new.txt", "x.log", "src/y.log"):
        landed.write(name, f"my own {name}\n")
    landed.write("src/a.txt", "staged\n")
    landed.git("add", "src/a.txt")
    landed.write("src/a.txt", "and changed again\n")
    nested = landed.top / "nested"
    nested.mkdir()
    landed.git("-C", str(nested), "init", "-q")
    (nested / "inner.txt").write_text("inner\n")
    refs, before = landed.git("for-each-ref"), fingerprint(landed.top, ".git/worktrees")
    first = landed.checkpoints()[0]
    row = landed.data("restore", first, "--into", str(tmp_path / "old"))
    assert row["made"] is True  # type: ignore[index]
    assert fingerprint(landed.top, ".git/worktrees") == before
    assert landed.git("for-each-ref") == refs
    assert (tmp_path / "old/src/one.txt").read_text() == "1\n"
    assert landed.git("-C", str(tmp_path / "old"), "status", "--porcelain") == ""


def test_without_into_the_folder_is_beside_the_repository(landed: Repo) -> None:
    newest = landed.checkpoints()[-1]
    folder = landed.top.with_name(f"project-{newest.removeprefix('checkpoint/')}")
    assert landed.data("restore", newest, "--dry-run")["made"] is False  # type: ignore[index]
    assert not folder.exists()
    assert landed.data("restore", newest.removeprefix("checkpoint/"))["folder"] == str(folder)  # type: ignore[index]
    assert (folder / "src/one.txt").read_text() == "2\n"
    assert "exists already" in landed.orchd("restore", newest, code=2)


def test_a_folder_with_something_in_it_is_refused(landed: Repo, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear\n")
    said = landed.orchd("restore", landed.checkpoints()[0], "--into", str(tmp_path / "mine"), code=2)
    assert "exists already" in said
    assert fingerprint(tmp_path / "mine") == {"letter.txt": hashlib.sha256(b"dear\n").hexdigest()}
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "exists already" in landed.orchd("restore", landed.checkpoints()[0], "--into", str(tmp_path / "link"), code=2)


def test_hooks_do_not_run_and_an_unknown_name_is_suggested(landed: Repo, tmp_path: Path) -> None:
    hook = landed.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    landed.orchd("restore", landed.checkpoints()[0], "--into", str(tmp_path / "new"))
    assert not (tmp_path / "ran").exists()
    assert "did you mean" in landed.orchd("restore", landed.checkpoints()[0] + "0", code=2)


def test_orchd_goes_on_beside_a_restored_work_tree(landed: Repo, tmp_path: Path) -> None:
    landed.orchd("restore", landed.checkpoints()[0], "--into", str(tmp_path / "old"))
    (tmp_path / "old/dirty.txt").write_text("dirty\n")
    landed.task("three", "echo 3 > src/three.txt", claims=["src/three.txt"])
    landed.orchd("run")
    assert "src/three.txt" in landed.main_files()
    assert (tmp_path / "old/dirty.txt").read_text() == "dirty\n"
