"""The hermetic git command line: same result on every machine, whatever the user's configuration or hooks say.

Rule: a git process of the daemon never runs with a git directory or a work tree that an agent could write.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import IO

from orchd.adapters.place import clean_environment
from orchd.errors import GitError
from orchd.model.dataclass import dataclass

HERMETIC_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
HERMETIC_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.fsync=all",
    "core.fsyncMethod=batch",
    "gc.auto=0",
    "maintenance.auto=false",
)
REMOTE_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""For the way to a remote (its address, its credentials) the person's own configuration of git counts, too."""
REMOTE_CONFIG = (*HERMETIC_CONFIG, "push.followTags=false", "push.gpgSign=false", "push.recurseSubmodules=no")
VERBOSE_VARIABLE = "ORCHD_VERBOSE"


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git commands on one git directory, from an empty folder unless `folder` is named. With `ORCHD_VERBOSE` set it
    prints each one."""

    git_dir: Path
    config: Sequence[str] = HERMETIC_CONFIG
    environment: Mapping[str, str] = field(default_factory=lambda: HERMETIC_ENVIRONMENT)
    folder: Path | None = None

    def run(
        self,
        *arguments: str,
        stdin: bytes | IO[bytes] = b"",
        accept: Sequence[int] = (0,),
        extra: Mapping[str, str] | None = None,
    ) -> bytes:
        """Standard output of `git ARGUMENTS`. Raises GitError when the exit code is not in `accept`."""
        done = self.attempt(*arguments, stdin=stdin, extra=extra)
        if done.returncode not in accept:
            raise GitError(f"git {' '.join(arguments)}: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def attempt(
        self, *arguments: str, stdin: bytes | IO[bytes] = b"", extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """The finished process, whatever its exit code. `stdin` is bytes or an open file."""
        with self.start(*arguments, stdin=None if isinstance(stdin, bytes) else stdin, extra=extra) as child:
            out, err = child.communicate(stdin if isinstance(stdin, bytes) else None)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def start(
        self, *arguments: str, stdin: IO[bytes] | None = None, extra: Mapping[str, str] | None = None, apart: bool = False
    ) -> subprocess.Popen[bytes]:
        """The running process, with pipes; leaving its context waits for it. `apart`: it leads a session of its own, so that
        it can be ended with all its children and asks nobody for a password."""
        argv = ["git", f"--git-dir={self.git_dir}", *(part for pair in self.config for part in ("-c", pair)), *arguments]
        if os.environ.get(VERBOSE_VARIABLE):
            print("+ git", *arguments, file=sys.stderr)
        environment = clean_environment() | dict(self.environment) | dict(extra or {})
        pipe = subprocess.PIPE
        folder = self.folder or _empty_folder(self.git_dir)
        return subprocess.Popen(
            argv, stdin=stdin or pipe, stdout=pipe, stderr=pipe, env=environment, cwd=folder, start_new_session=apart
        )


def _empty_folder(git_dir: Path) -> Path:
    """A folder without a `.gitattributes`, which merge-tree would otherwise read. Where orchd never worked, nothing is made."""
    folder = git_dir / "orch" / "empty"
    if not folder.parent.is_dir():
        return git_dir
    folder.mkdir(exist_ok=True)
    return folder


def read_person(git_dir: Path) -> str:
    """git's `user.name`, as it is for the person who calls; empty when there is none."""
    git = Git(git_dir, environment=REMOTE_ENVIRONMENT)
    return git.attempt("config", "user.name").stdout.decode(errors="replace").strip()
