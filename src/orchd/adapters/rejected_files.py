"""Files of the inbox that were moved away because something is wrong with them: they are told of until they are dealt with.

Rule: a rejected file is never a task, however good it is by itself; it comes back only through the inbox.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, Signature, hold_folder, read_plain_file, sign
from orchd.adapters.task_schema import ParsedTask
from orchd.core.inert import inert
from orchd.model.ids import TaskId
from orchd.model.problem import Problem

HINT = "repair it and move it back to .orch/inbox/, or delete it"
EXPLANATION = ".problems.txt"
_NAME = re.compile(r"(?P<task>[^.].*)\.ya?ml(?:\.\d+)?", re.DOTALL)
_FIRST = re.compile(r"orchd: error\[E\d{3}\]: (?P<message>[^\n]+)")

Parse: TypeAlias = Callable[[str, TaskId, bytes], ParsedTask | tuple[Problem, ...]]
_Key: TypeAlias = tuple[str, Signature]


class RejectedFiles:
    """The folder `inbox/rejected` in the git directory. Each file is read once, until its signature changes."""

    def __init__(self, place: Place, parse: Parse) -> None:
        self._place = place
        self._parse = parse
        self._known: dict[_Key, tuple[Problem, ...]] = {}

    def look(self) -> tuple[Problem, ...]:
        """What is wrong with each of them, at the path where it is now."""
        with hold_folder(self._place.git_dir, ("orch", "inbox", "rejected")) as folder:
            keys = _list_rejected(folder) if isinstance(folder, int) else []
            self._known = {key: self._known.get(key) or self._read(folder, key[0]) for key in keys}
        return tuple(problem for problems in self._known.values() for problem in problems)

    def _read(self, folder: int | Refusal | None, name: str) -> tuple[Problem, ...]:
        assert isinstance(folder, int)
        path = self._shown(name)
        read, match = read_plain_file(folder, name), _NAME.fullmatch(name)
        if isinstance(read, PlainFile) and match:
            found = self._parse(path, match["task"], read.content)
            if isinstance(found, tuple):
                return tuple(replace(one, file=path, hint=f"{HINT} ({one.hint})" if one.hint else HINT) for one in found)
        return (Problem(path, 0, 0, "E049", _explain(folder, name), HINT),)

    def _shown(self, name: str) -> str:
        path, top = self._place.orch / "inbox" / "rejected" / name, self._place.checkout
        return inert(str(path.relative_to(top) if top and path.is_relative_to(top) else path))


def _list_rejected(folder: int) -> list[_Key]:
    """In the order of their names. What vanishes meanwhile is not there."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry) for entry in entries if _NAME.fullmatch(entry.name)]
    keys = []
    for name, entry in sorted(found, key=lambda one: one[0]):
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(seen.st_mode):
            keys.append((name, sign(seen)))
    return keys


def _explain(folder: int, name: str) -> str:
    """For a file that is fine by itself (its id was taken) or cannot be read: what was said when it was moved."""
    read = read_plain_file(folder, name + EXPLANATION)
    first = _FIRST.match(read.content.decode(errors="replace")) if isinstance(read, PlainFile) else None
    return f"it was rejected: {first['message']}" if first else f"it was rejected: see {inert(name)}{EXPLANATION}"
