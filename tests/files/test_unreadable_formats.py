"""A repository that orchd cannot read is refused with a way out that works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from orchd import app
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


@pytest.mark.parametrize("option", ["--filter=blob:none", "--filter=tree:0"])
def test_a_partial_clone_is_refused_and_the_clone_that_is_advised_works(tmp_path: Path, option: str) -> None:
    origin, url = tmp_path / "origin", f"file://{tmp_path / 'origin'}"
    origin.mkdir()
    git(origin, "init", "-q", "-b", "main")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(origin, "commit", "-q", "--allow-empty", "-m", "first")
    git(tmp_path, "clone", "-q", "--bare", option, url, "part")
    assert refusal(tmp_path / "part").hint == "clone it again without `--filter`"
    git(tmp_path, "clone", "-q", "--bare", url, "whole")
    open_repo(Place(tmp_path / "whole", None, tmp_path))


def test_a_person_is_whom_their_own_configuration_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Ada\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert app.person(tmp_path) == "Ada"
    git(tmp_path, "config", "user.name", "Bob")
    assert app.person(tmp_path) == "Bob"
