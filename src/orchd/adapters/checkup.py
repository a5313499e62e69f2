"""Looking at the machine and the repository for a check-up. Nothing is changed but the handshakes that are kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from orchd.adapters.git_repo import open_repo
from orchd.adapters.handshakes import ask_programs, keep_handshakes
from orchd.adapters.machine import free_disk
from orchd.adapters.place import Place
from orchd.adapters.present import find_settings
from orchd.adapters.runs import passed_environment
from orchd.errors import OrchdError
from orchd.model.agent import Handshake
from orchd.model.checkup import Symptoms
from orchd.model.config import Config

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


def shake_all(place: Place, config: Config) -> tuple[Handshake, ...]:
    """Ask all agent programs, with what each of them is given, and keep what they say."""
    shaken = ask_programs(passed_environment(config), os.environ)
    keep_handshakes(place.cache, shaken)
    return shaken


def read_config(place: Place) -> Config:
    """The configuration as it is now. Raises ConfigError when it cannot be used."""
    return find_settings(place, open_repo(place), "")[0]


def look_around(place: Place, isolation: str) -> Symptoms:
    """Everything that a check-up looks at."""
    config, fault = Config(), ""
    try:
        config = read_config(place)
    except OrchdError as error:
        fault = str(error)
    folders = [folder for folder in (place.git_dir, place.orch, place.workspaces, place.checkout) if folder]
    return Symptoms(
        python=sys.version_info[:3],
        git=_git_version(),
        kernel="" if hasattr(os, "pidfd_open") else "pidfd",
        unwritable=tuple(str(folder) for folder in folders if not _is_writable(folder)),
        foreign=tuple(str(folder) for folder in folders if _is_foreign(folder)),
        free_bytes=free_disk(place.workspaces),
        least_bytes=config.free_disk_bytes,
        fault=fault,
        isolation=isolation,
        programs=shake_all(place, config),
    )


def _git_version() -> tuple[int, ...]:
    try:
        said = subprocess.run(("git", "--version"), capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    found = _VERSION.search(said)
    return tuple(int(part) for part in found.groups() if part) if found else ()


def _is_writable(folder: Path) -> bool:
    """Of a folder that is not there yet: whether it can be made."""
    there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    return os.access(there, os.W_OK | os.X_OK)


def _is_foreign(folder: Path) -> bool:
    return folder.exists() and folder.stat().st_uid != os.geteuid()
