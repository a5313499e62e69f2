"""The daemon's end of the fork server: asks it for supervisors, replaces it when it died.

Rule: an answer is waited for on a pipe of its own that the supervisor holds, so whoever dies on the way ends the wait.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import orchd
from orchd.adapters.processes import Identity
from orchd.errors import OrchdError

# Modules next to this one come from the folder of the package, after the standard library.
_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from orchd.adapters.supervisor import serve; serve(int(sys.argv[2]))"
_PACKAGES = Path(orchd.__file__).parents[1]
_ANSWER_SECONDS = 20.0
"""What an answer may take: a fork and one synced file. Nothing else happens meanwhile."""

_CLOSE_SECONDS = 5.0
_ANSWER_BYTES = 4096


class ForkServer:
    """Started at the first request. Used by one thread."""

    def __init__(self, errors: Path) -> None:
        """`errors` is the file for what a server says that cannot even start."""
        self._errors = errors
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def request(self, verb: str, folder: Path, environment: Mapping[str, str]) -> Identity | None:
        """Ask for a process that does `verb` with the run folder and return who it is, or None when another process did
        or does that already. Raises OrchdError when nobody answers."""
        line = json.dumps({"verb": verb, "folder": str(folder), "environment": dict(environment)}).encode() + b"\n"
        answer = self._ask(line) or self._ask(line)
        if not answer:
            raise OrchdError(f"no supervisor answered for {folder.name}", f"see {self._errors} and {folder}/supervisor.err")
        who = json.loads(answer)
        return Identity(**who) if who else None

    def close(self) -> None:
        """End the server. Supervisors go on."""
        if self._socket and self._process:
            self._socket.close()
            try:
                self._process.wait(_CLOSE_SECONDS)
            except subprocess.TimeoutExpired:
                self._kill()
        self._socket = self._process = None

    def _kill(self) -> None:
        """A server that is there and does not answer was stopped, perhaps by a task; it is replaced at the next request."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _ask(self, line: bytes) -> bytes:
        """The answer; empty when the server or the supervisor died. Asking again is safe: a run starts only once."""
        mine, theirs = os.pipe2(os.O_CLOEXEC)
        with os.fdopen(mine, "rb", buffering=0) as answer:
            try:
                server = self._server()
                sent = socket.send_fds(server, [line], [theirs])
                server.sendall(line[sent:])
            except (BrokenPipeError, ConnectionResetError):
                return b""
            finally:
                os.close(theirs)
            ready, _, _ = select.select([answer], [], [], _ANSWER_SECONDS)
            if not ready:
                self._kill()
            return answer.read(_ANSWER_BYTES) if ready else b""

    def _server(self) -> socket.socket:
        if self._socket and self._process and self._process.poll() is None:
            return self._socket
        self.close()
        self._socket, theirs = socket.socketpair()
        with theirs, contextlib.closing(os.fdopen(_open_log(self._errors), "wb")) as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, str(_PACKAGES), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return self._socket


def _open_log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
