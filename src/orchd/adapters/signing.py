"""Signs checkpoint commits with an SSH key, where `git config orchd.signingKey` of the repository names one.

Rule: where a key is named nothing lands unsigned, and the same commit gets the same signature, so a replay has the same id.
Only ed25519 keys are like that.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pygit2

from orchd.adapters.git_repo import GitRepo
from orchd.adapters.place import clean_environment
from orchd.errors import OrchdError
from orchd.model.ids import ORCHD_EMAIL, ORCHD_NAME, Oid
from orchd.model.limits import SIGN_SECONDS

KEY = "orchd.signingkey"
HINT = "`git config orchd.signingKey` must name an ed25519 key without a passphrase, or the public half of one in the SSH agent"


def find_key(repo: GitRepo) -> Path | None:
    """The key that the repository's own configuration of git names; None: nothing is signed."""
    file = repo.place.git_dir / "config"
    if not file.exists():
        return None
    config = pygit2.Config(str(file))
    return Path(os.path.expanduser(str(config[KEY]))) if KEY in config else None  # noqa: PTH111 - `~nobody` is no error


def write_signed(repo: GitRepo, tree: Oid, parents: Sequence[Oid], message: str, at_ms: int) -> Oid:
    """Store a commit by orchd itself, signed where a key is named; the same arguments give the same id. Raises OrchdError when
    it cannot be signed."""
    key = find_key(repo)
    if key is None:
        return repo.write_commit(tree, parents, message, at_ms)
    who = pygit2.Signature(ORCHD_NAME, ORCHD_EMAIL, at_ms // 1000, 0)
    text = str(repo.library.create_commit_string(who, who, message, tree, list(parents)))
    signature = sign(text.encode(), key)
    return repo.unsynced.write(lambda: repo.library.create_commit_with_signature(text, signature, "gpgsig"))


def sign(content: bytes, key: Path) -> str:
    """The signature, as git keeps it. Raises OrchdError."""
    command = ("ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(key))
    agent = {name: os.environ[name] for name in ("SSH_AUTH_SOCK",) if name in os.environ}
    environment = {**clean_environment(), **agent, "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(
            command,
            input=content,
            capture_output=True,
            timeout=SIGN_SECONDS,
            check=False,
            env=environment,
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OrchdError(f"a checkpoint cannot be signed with {key}: {error}", HINT) from error
    if done.returncode != 0 or not _is_repeatable(done.stdout):
        said = done.stderr.decode(errors="replace").strip() or "it is no ed25519 key, so a replay would have another signature"
        raise OrchdError(f"a checkpoint cannot be signed with {key}: {said}", HINT)
    return done.stdout.decode().rstrip("\n")


def _is_repeatable(armored: bytes) -> bool:
    """Whether the key that made a signature is of the only kind that signs the same content always alike."""
    try:
        blob = base64.b64decode(b"".join(line for line in armored.splitlines() if not line.startswith(b"-")), validate=True)
    except binascii.Error:
        return False
    kind = b"ssh-ed25519"
    return blob[:6] == b"SSHSIG" and blob[14:29] == len(kind).to_bytes(4, "big") + kind
