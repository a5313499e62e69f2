"""Input files looked at once, for `orchd check` and hooks: nothing settles, nothing is moved, nothing is remembered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, hold_folder, read_plain_file
from orchd.adapters.schema import parse_config, parse_task
from orchd.adapters.settings import CONFIG_PATH
from orchd.adapters.task_files import SUFFIXES, TASKS, refuse, show_file
from orchd.model.config import Config
from orchd.model.problem import Problem
from orchd.model.snapshot import FileSeen
from orchd.model.work import Source


def check_files(place: Place, paths: Sequence[Path] = ()) -> tuple[tuple[FileSeen, ...], tuple[Problem, ...]]:
    """The well-formed task files among `paths`, and what is wrong with the others.

    Without paths: all tasks and the configuration of the checkout (of a bare repository: nothing). A path that ends in
    `.orch/config.yaml` is judged as a configuration, any other as a task.
    """
    good: list[FileSeen] = []
    problems: list[Problem] = []
    timeout = Config().timeout_seconds
    for path in paths or _all_files(place.checkout):
        found = _check(path.absolute(), _shown(path.absolute(), place.checkout), timeout)
        if isinstance(found, FileSeen):
            good.append(found)
        else:
            problems += found
    return tuple(good), tuple(problems)


def _all_files(checkout: Path | None) -> Iterable[Path]:
    if checkout is None:
        return []
    config = checkout / CONFIG_PATH
    tasks = sorted(path for path in checkout.joinpath(*TASKS).glob("[!.]*") if path.name.endswith(SUFFIXES))
    return [*([config] if os.path.lexists(config) else []), *(path for path in tasks if path.is_symlink() or not path.is_dir())]


def _check(path: Path, shown: str, timeout: float) -> FileSeen | tuple[Problem, ...]:
    with hold_folder(Path(path.anchor), path.parent.resolve().parts[1:]) as folder:
        read = folder if isinstance(folder, Refusal) or folder is None else read_plain_file(folder, path.name)
    if not isinstance(read, PlainFile):
        return (refuse(shown, read if isinstance(read, Refusal) else Refusal("it is not there, or somebody writes it now")),)
    if path.as_posix().endswith(f"/{CONFIG_PATH}"):
        config = parse_config(shown, read.content)
        return () if isinstance(config, Config) else config
    parsed = parse_task(shown, path.stem, read.content)
    return parsed if isinstance(parsed, tuple) else show_file(shown, parsed, Source.FILE, timeout)


def _shown(path: Path, checkout: Path | None) -> str:
    return str(path.relative_to(checkout)) if checkout and path.is_relative_to(checkout) else str(path)
