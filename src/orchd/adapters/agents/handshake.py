"""Asking an installed program who it is, and finding what it would sign in with."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from orchd.adapters.agents.program import Signs
from orchd.adapters.processes import find_marked, kill_all
from orchd.model.agent import Handshake
from orchd.model.limits import AGENT_MODELS, ANSWER_BYTES, PROBE_SECONDS

_MODEL = re.compile(r"[\w.-]+/[\w./:~@-]+")
_MARK = "ORCHD_ASKED"
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")


def shake_hands(signs: Signs, environment: Mapping[str, str]) -> Handshake:
    """What the installed program says of its version and flags; `environment` is what it would be started with. Takes up to
    `PROBE_SECONDS` for each question. Never raises: what is wrong is in `problem`."""
    name = signs.program
    if signs.path:
        return Handshake(name, signs.path)
    path = shutil.which(name, path=environment.get("PATH", os.defpath))
    if not path:
        return Handshake(name, efforts=signs.efforts, problem=f"{name} is not installed: it is not in PATH")
    said = _ask((path, "--version"), environment)
    found = _VERSION.search(said)
    if not found:
        return Handshake(name, path, efforts=signs.efforts, problem=f"`{name} --version` did not tell a version")
    usage = _ask((path, *signs.usage), environment)
    missing = tuple(flag for flag in signs.flags if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", usage))
    lacks = f"{name} {found[0]} lacks {', '.join(missing)}" if missing else ""
    login = find_login(signs, environment)
    models = _read_models(_ask((path, *signs.catalog), environment)) if signs.catalog else ()
    return Handshake(name, path, found[0], missing, login, models, signs.efforts, lacks)


def _read_models(said: str) -> tuple[str, ...]:
    return tuple(line for line in said.splitlines() if _MODEL.fullmatch(line))[:AGENT_MODELS]


def find_login(signs: Signs, environment: Mapping[str, str]) -> str:
    """The variable or file that the program would sign in with; empty when none is there. Cheap."""
    home = Path(environment.get("HOME") or "/nonexistent")
    keys = (key for key in signs.keys if environment.get(key))
    files = (f"~/{name}" for name in signs.files if (home / name).is_file())
    return next(keys, "") or next(files, "")


def _ask(argv: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """The beginning of its answer on both streams; empty when it cannot be started. Nothing of it is left, also not what it
    started in other sessions."""
    mark = os.urandom(8).hex()
    # Some programs take their folder from PWD.
    own = {**environment, "PWD": "/", _MARK: mark}
    try:
        asked = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=own,
            start_new_session=True,
        )
    except OSError:
        return ""
    try:
        return _listen(asked).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        _end(asked, f"{_MARK}={mark}".encode())


def _listen(asked: subprocess.Popen[bytes]) -> bytes:
    """What it says until it ends, its time is over or it is enough. The end of the stream may never come: what it left behind
    can hold it."""
    assert asked.stdout is not None
    deadline = time.monotonic() + PROBE_SECONDS
    said, output, ended = b"", asked.stdout.fileno(), os.pidfd_open(asked.pid)
    try:
        poll = select.poll()
        poll.register(output, select.POLLIN)
        poll.register(ended, select.POLLIN)
        while len(said) < ANSWER_BYTES and (left := deadline - time.monotonic()) > 0:
            ready = dict(poll.poll(left * 1000))
            data = os.read(output, ANSWER_BYTES - len(said)) if output in ready else b""
            if ready and not data:
                break
            said += data
    finally:
        os.close(ended)
    return said


def _end(asked: subprocess.Popen[bytes], mark: bytes) -> None:
    """End it and what it left behind. It is reaped last: until then its id is nobody else's."""
    assert asked.stdout is not None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(asked.pid, signal.SIGKILL)
    with contextlib.suppress(OSError):
        kill_all(find_marked((mark,)))
    asked.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        asked.wait(PROBE_SECONDS)
