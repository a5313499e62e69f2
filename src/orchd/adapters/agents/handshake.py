"""Asking an installed program who it is, and finding what it would sign in with."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchd.adapters.agents.program import Signs
from orchd.model.agent import Handshake
from orchd.model.limits import AGENT_MODELS, PROBE_SECONDS

_MODEL = re.compile(r"[\w.-]+/[\w./:~@-]+")
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
    """Its answer on both streams; empty when it cannot be started or does not end."""
    # Some programs take their folder from PWD.
    own = {**environment, "PWD": "/"}
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
        answer = asked.communicate(timeout=PROBE_SECONDS)[0]
    except subprocess.TimeoutExpired:
        os.killpg(asked.pid, signal.SIGKILL)
        answer = asked.communicate()[0]
    return answer.decode("utf-8", "replace")
