"""Checkpoints are signed where a key is named: always alike, never not at all, and git says that the signature is good."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from git_world import DATE_MS, World, git, titles

from orchd.adapters import git_saves
from orchd.adapters.signing import sign, write_signed
from orchd.errors import OrchdError


def make_key(folder: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    key = folder / f"key-{kind}-{len(passphrase)}"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(key)], check=True)
    return key


def allow(world: World, key: Path, who: str = "orchd@localhost") -> None:
    signers = key.with_suffix(".allowed")
    signers.write_text(f"{who} {key.with_suffix('.pub').read_text()}")
    git(world.top, "config", "gpg.ssh.allowedSignersFile", str(signers))


def land(world: World) -> str:
    saves = world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"new.txt": "x\n"})))
    return world.landed(saves, save).commit


def test_git_itself_finds_the_signature_good(world: World, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    git(world.top, "config", "orchd.signingKey", str(key))
    allow(world, key)
    commit = land(world)
    assert git(world.top, "log", "-1", "--format=%G? %GS", commit) == "G orchd@localhost"
    assert git(world.top, "fsck", "--strict") == ""


def test_a_replay_has_the_same_id(world: World, tmp_path: Path) -> None:
    git(world.top, "config", "orchd.signingKey", str(make_key(tmp_path)))
    repo = world.open()
    made = [write_signed(repo, repo.tree_of(world.main), [world.main], "once more\n", DATE_MS) for _ in range(3)]
    assert len(set(made)) == 1
    assert "gpgsig -----BEGIN SSH SIGNATURE-----" in git(world.top, "cat-file", "commit", made[0])


def test_without_a_key_nothing_is_signed(world: World) -> None:
    assert "gpgsig" not in git(world.top, "cat-file", "commit", land(world))


BAD = {
    "not there": lambda folder: folder / "nothing",
    "another kind, which never signs alike": lambda folder: make_key(folder, "ecdsa"),
    "with a passphrase that nobody is there to give": lambda folder: make_key(folder, passphrase="secret phrase"),
}


@pytest.mark.parametrize("name", BAD)
def test_with_a_key_that_cannot_be_used_nothing_lands(world: World, tmp_path: Path, name: str) -> None:
    git(world.top, "config", "orchd.signingKey", str(BAD[name](tmp_path)))
    before, saves = world.main, world.saves()
    save = world.gated(saves, world.plan(world.branch_tip({"new.txt": "x\n"})))
    with pytest.raises(OrchdError, match="cannot be signed"):
        saves.land(save, titles(save))
    assert world.main == before


def test_without_the_signer_it_lands_unsigned(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(world.top, "config", "orchd.signingKey", str(tmp_path / "nothing"))
    monkeypatch.setattr(git_saves, "write_signed", lambda repo, *made: repo.write_commit(*made))
    assert "gpgsig" not in git(world.top, "cat-file", "commit", land(world))


def test_other_content_has_another_signature(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    assert sign(b"one", key) == sign(b"one", key) != sign(b"two", key)
