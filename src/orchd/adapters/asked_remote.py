"""A shared remote that a command asks and may wait for: where refs are there, and moves of them over what was seen.

Rule: what became of a push is never assumed; whoever pushes asks the remote.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from orchd.adapters.courier import Outcome, RemoteProcess, Update, choose_words, judge_push
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import Git
from orchd.errors import OrchdError
from orchd.model.ids import Oid

FETCH = ("--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--quiet", "--no-recurse-submodules", "--refmap=")


class AskedRemote:
    """The remote, for at most `seconds` from now on. `unreachable` makes an error of why it does not answer."""

    def __init__(self, repo: GitRepo, git: Git, remote: str, seconds: float, unreachable: Callable[[str], OrchdError]) -> None:
        self._repo = repo
        self._git = git
        self._remote = remote
        self._deadline = time.monotonic() + seconds
        self._unreachable = unreachable

    def look(self, names: Sequence[str]) -> list[Oid]:
        """Where the remote has these refs now (empty: nowhere), with their objects brought here."""
        while True:
            listed = self._call("ls-remote", self._remote, *names)
            found = {name: oid for oid, _, name in (line.partition("\t") for line in listed.splitlines())}
            missing = [name for name in names if name in found and found[name] not in self._repo.library]
            if missing:
                self._call("fetch", *FETCH, self._remote, *missing)
            if all(found[name] in self._repo.library for name in missing):
                return [found.get(name, "") for name in names]

    def push(self, update: Update) -> tuple[Outcome, str]:
        """Move a ref there over exactly what was seen; the words of a refusal."""
        self._repo.unsynced.sync()
        lease = f"--force-with-lease={update.ref}:{update.old}"
        options = ("push", "--porcelain", "--no-verify", lease, self._remote, f"{update.new}:{update.ref}")
        done = RemoteProcess(self._git, self.left()).call(*options)
        return judge_push(done.stdout.decode(errors="replace"), done.returncode, (update,)) if done else (Outcome.UNKNOWN, "")

    def left(self) -> float:
        """Seconds that are left. Raises the error when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._unreachable("it takes too long")
        return left

    def _call(self, *arguments: str) -> str:
        done = RemoteProcess(self._git, self.left()).call(*arguments)
        if done is None or done.returncode:
            raise self._unreachable(choose_words(done.stderr) if done else "no answer in time")
        return done.stdout.decode(errors="replace")
