"""A repository that orchd cannot read is refused with a way out that works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.errors import ConfigError


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def refusal(git_dir: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        open_repo(Place(git_dir, None, git_dir.parent))
    return caught.value


def test_the_way_out_of_sha256_leads_to_a_copy_that_is_read(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    git(old, "init", "-q", "-b", "main", "--object-format=sha256")
    git(old, "commit", "-q", "--allow-empty", "-m", "first")
    commands = re.findall("`(git [^`]*)`", refusal(old / ".git").hint)
    assert len(commands) == 2
    for command in commands:
        subprocess.run(["sh", "-c", command], cwd=old, capture_output=True, check=True)
    new = old / "NEW"
    assert git(new, "log", "--format=%s", "main") == "first"
    open_repo(Place(new / ".git", None, tmp_path))


def test_reftable_is_told_the_command_of_git_that_converts_it_and_its_version(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.repositoryFormatVersion", "1")
    git(tmp_path, "config", "extensions.refStorage", "reftable")
    hint = refusal(tmp_path / ".git").hint
    assert "git refs migrate --ref-format=files" in hint
    assert "2.46" in hint
