"""git inside a workspace, with the rights of the task and below its supervisor. Standard library only.

Rule: the git directory is always named. If the task removed it, git must fail and not find a repository further up.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from orchd.adapters.process_tree import Ended, ProcessTree
from orchd.adapters.spawn import quick_process

_MESSAGE_BYTES = 4096
_OUR_LIMIT = -signal.SIGXFSZ


class GitFailed(Exception):
    """git did not do it; the text is for people."""


class TaskGit(NamedTuple):
    """`prefix` is the command line up to git's own options; all calls together end at `deadline` (monotonic seconds)."""

    tree: ProcessTree
    prefix: tuple[str, ...]
    environment: Mapping[str, str]
    workspace: Path
    deadline: float

    def run(self, *arguments: str, stdin: bytes = b"", index: Path | None = None) -> bytes:
        """What `git ARGUMENTS` prints. Raises GitFailed with what it said when its exit code is not 0."""
        with os.fdopen(os.memfd_create("out"), "rb") as out:
            self.write(out.fileno(), *arguments, stdin=stdin, index=index)
            out.seek(0)
            return out.read()

    def warn(self, *arguments: str, index: Path | None = None) -> bytes:
        """Like `run`, but returns the end of what git had to say beside its output."""
        with os.fdopen(os.memfd_create("out"), "rb") as out:
            return self.write(out.fileno(), *arguments, index=index)

    def write(self, out: int, *arguments: str, stdin: bytes = b"", index: Path | None = None, file_bytes: int = 0) -> bytes:
        """Like `run`, into the open file `out`, of at most `file_bytes` bytes (0: any number). Returns the end of its
        warnings. git that somebody killed is started once more."""
        said = bytearray()
        ended = self._attempt(said, out, arguments, stdin, index, file_bytes)
        if ended.code < 0 and ended.code != _OUR_LIMIT and not ended.timed_out:
            Path(f"{index or self.workspace / '.git/index'}.lock").unlink(missing_ok=True)
            os.ftruncate(out, 0)
            os.lseek(out, 0, os.SEEK_SET)
            ended = self._attempt(said, out, arguments, stdin, index, file_bytes)
        if ended.timed_out:
            raise GitFailed(f"git {arguments[0]} took too long")
        if ended.code != 0:
            raise GitFailed(f"git {arguments[0]}: exit {ended.code}: {said.decode(errors='replace').strip()}")
        return bytes(said)

    def begin(self, out: int, *arguments: str, stdin: bytes, file_bytes: int) -> int:
        """Like `write`, without waiting: the process id, whose exit code `tree` gives when it has ended. What it says
        is lost."""
        silence = os.open(os.devnull, os.O_WRONLY)
        try:
            with os.fdopen(os.memfd_create("in"), "r+b") as given:
                given.write(stdin)
                given.seek(0)
                argv = (*self.prefix, "-C", str(self.workspace), *arguments)
                return quick_process(argv, self._environment(None), given.fileno(), out, file_bytes)(silence)
        finally:
            os.close(silence)

    def _attempt(
        self, said: bytearray, out: int, arguments: tuple[str, ...], stdin: bytes, index: Path | None, file_bytes: int
    ) -> Ended:
        with os.fdopen(os.memfd_create("in"), "r+b") as given:
            given.write(stdin)
            given.seek(0)
            argv = (*self.prefix, "-C", str(self.workspace), *arguments)
            start = quick_process(argv, self._environment(index), given.fileno(), out, file_bytes)
            return self.tree.run(start, self.deadline - time.monotonic(), 0.0, lambda data: _keep_end(said, data))

    def _environment(self, index: Path | None) -> dict[str, str]:
        named = {"GIT_DIR": str(self.workspace / ".git"), "GIT_WORK_TREE": str(self.workspace)}
        return {**self.environment, **named, **({"GIT_INDEX_FILE": str(index)} if index else {})}


def _keep_end(kept: bytearray, data: bytes) -> None:
    kept += data
    del kept[:-_MESSAGE_BYTES]
