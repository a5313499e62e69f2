"""The configuration: `.orch/config.yaml` of the checkout, or of main's tree where the checkout does not speak for main.

Rule: gates stand in it, so what cannot be understood, or is out of sight for a while (another branch, a stash), must never
be taken for "no gates". While a daemon runs, the last good configuration holds; without one, orchd does not start.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

from orchd.adapters.git_objects import FILE, PROGRAM
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_trees import find_entry
from orchd.adapters.place import Place, read_head
from orchd.adapters.plain_file import PlainFile, Refusal, Signature, Withheld, hold_folder, read_plain_file, sign
from orchd.adapters.schema import parse_config
from orchd.adapters.task_files import refuse
from orchd.core.rendering import render_problem
from orchd.errors import ConfigError
from orchd.model.config import Config
from orchd.model.ids import Oid
from orchd.model.limits import LOOK_SECONDS, SETTLE_SECONDS
from orchd.model.problem import Problem
from orchd.ports import Settings

CONFIG_PATH = ".orch/config.yaml"
_FOLDER, _NAME = CONFIG_PATH.split("/")
GONE = "it has vanished; the last good configuration holds until orchd is started again"

_Version: TypeAlias = Signature | Refusal | Oid | None
"""Identifies what the file is now; None (or an empty id): there is none."""


class _LastGood:
    """The last configuration without a fault, and what is wrong with the present file."""

    def __init__(self) -> None:
        self.config: Config | None = None
        self.problems: tuple[Problem, ...] = ()

    def take(self, found: Config | tuple[Problem, ...]) -> None:
        """What was read now. Raises ConfigError when it is bad and there was nothing good before."""
        if isinstance(found, Config):
            self.config, self.problems = found, ()
            return
        self.problems = found
        if self.config is None:
            rendered = "\n".join(map(render_problem, found))
            raise ConfigError(f"{CONFIG_PATH} cannot be used\n{rendered}", "repair it; `orchd check` shows whether it is good")

    def answer(self) -> tuple[Config, tuple[Problem, ...]]:
        """As the port wants it."""
        return self.config or Config(), self.problems


class CheckoutSettings:
    """Port `Settings` on the file in a checkout. A file that changes, or vanishes for a moment while an editor replaces
    it, is read once it has settled (`monotonic` gives seconds)."""

    def __init__(self, place: Place, monotonic: Callable[[], float]) -> None:
        self._place = place
        self._monotonic = monotonic
        self._good = _LastGood()
        self._read: tuple[_Version] | None = None
        self._seen: tuple[_Version] | None = None
        self._since = 0.0

    def look(self, main: Oid) -> tuple[Config, tuple[Problem, ...]]:
        """The last good configuration and what is wrong with the present file. Raises ConfigError at a bad first look."""
        assert self._place.checkout is not None
        with hold_folder(self._place.checkout, (_FOLDER,)) as folder:
            version = _version(folder)
            if (version,) != self._seen:
                self._seen, self._since = (version,), self._monotonic()
            if (version,) != self._read and self._is_settled(version):
                self._take(folder, version)
        return self._good.answer()

    def _is_settled(self, version: _Version) -> bool:
        """The first look cannot wait. Later, a missing file counts only when it stays missing."""
        if self._good.config is None:
            return True
        return self._monotonic() - self._since >= (LOOK_SECONDS if version is None else SETTLE_SECONDS)

    def _take(self, folder: int | Refusal | None, version: _Version) -> None:
        found = _read(folder)
        if version is None and self._read not in (None, (None,)):
            found = (refuse(CONFIG_PATH, Refusal(GONE)),)
        if found is not None:
            self._good.take(found)
            self._read = (version,)
        elif self._good.config is None:
            raise ConfigError(f"{CONFIG_PATH} is being written just now", "start orchd again when it is saved")


class CommittedSettings:
    """Port `Settings` on main's tree."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._good = _LastGood()
        self._read: tuple[int, Oid] | None = None

    def look(self, main: Oid) -> tuple[Config, tuple[Problem, ...]]:
        """The last good configuration and what is wrong with the present file. Raises ConfigError at a bad first look."""
        entry = find_entry(self._repo, self._repo.tree_of(main), CONFIG_PATH)
        if (entry.mode, entry.oid) != self._read:
            self._good.take(self._parse(entry.mode, entry.oid))
            self._read = (entry.mode, entry.oid)
        return self._good.answer()

    def exists(self, main: Oid) -> bool:
        """Whether main's tree has a configuration."""
        return bool(main) and bool(find_entry(self._repo, self._repo.tree_of(main), CONFIG_PATH).oid)

    def _parse(self, mode: int, oid: Oid) -> Config | tuple[Problem, ...]:
        if not oid:
            return Config()
        if mode not in (FILE, PROGRAM):
            return (refuse(CONFIG_PATH, Refusal("it is not a plain file")),)
        return parse_config(CONFIG_PATH, self._repo.read(oid))


class LocalSettings:
    """Port `Settings` where there is a checkout. Its file is the word while it shows main; on another branch, or where it
    lacks a file that main has, main's tree is. `usual` is the branch that tasks land on unless the file names one."""

    def __init__(self, place: Place, repo: GitRepo, monotonic: Callable[[], float], usual: str) -> None:
        self._place = place
        self._usual = usual
        self._local = CheckoutSettings(place, monotonic)
        self._committed = CommittedSettings(repo)

    def look(self, main: Oid) -> tuple[Config, tuple[Problem, ...]]:
        """The last good configuration and what is wrong with the present file. Raises ConfigError at a bad first look."""
        assert self._place.checkout is not None
        if self._committed.exists(main):
            there = (self._place.checkout / CONFIG_PATH).exists()
            committed = self._committed.look(main) if not there or not self._shows_main() else None
            if committed is not None:
                return committed
        return self._local.look(main)

    def _shows_main(self) -> bool:
        assert self._place.checkout is not None
        config, _ = self._local.look("")
        return read_head(self._place.checkout) == f"refs/heads/{config.branch or self._usual}"


def open_settings(place: Place, repo: GitRepo, monotonic: Callable[[], float], usual: str) -> Settings:
    """The configuration of a repository with or without a checkout; for the arguments see the classes."""
    return CommittedSettings(repo) if place.checkout is None else LocalSettings(place, repo, monotonic, usual)


def _version(folder: int | Refusal | None) -> _Version:
    if not isinstance(folder, int):
        return folder
    try:
        return sign(os.stat(_NAME, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return None


def _read(folder: int | Refusal | None) -> Config | tuple[Problem, ...] | None:
    """None: somebody writes it, so there is nothing to judge."""
    if folder is None:
        return Config()
    read = folder if isinstance(folder, Refusal) else read_plain_file(folder, _NAME)
    if isinstance(read, Refusal):
        return (refuse(CONFIG_PATH, read),)
    if isinstance(read, PlainFile):
        return parse_config(CONFIG_PATH, read.content)
    return Config() if read is Withheld.GONE else None
