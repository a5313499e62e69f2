"""The handshakes of all programs: asking them at once, and keeping what they said for those who cannot wait."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchd.adapters.agents.handshake import shake_hands
from orchd.adapters.agents.program import Program
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.errors import OrchdError
from orchd.model.agent import Handshake
from orchd.model.limits import HANDSHAKE_DAYS

FILE = "agents.json"
"""Below the cache folder of a repository."""

NO_KEYS: Mapping[str, str] = {}


def ask_programs(
    environment: Mapping[str, str], keys: Mapping[str, str] = NO_KEYS, programs: Iterable[Program] = PROGRAMS.values()
) -> tuple[Handshake, ...]:
    """What all programs say, in their order; each gets of `keys` what it signs in with. Takes as long as the slowest."""

    def ask(program: Program) -> Handshake:
        own = {name: keys[name] for name in program.signs.keys if name in keys}
        return shake_hands(program.signs, {**environment, **own})

    asked = tuple(programs)
    with ThreadPoolExecutor(max_workers=len(asked)) as pool:
        return tuple(pool.map(ask, asked))


def keep_handshakes(cache: Path, shaken: Iterable[Handshake]) -> None:
    """Write what was said."""
    cache.mkdir(parents=True, exist_ok=True)
    write_durably(cache / FILE, dumps([encode(one) for one in shaken]))


def read_handshakes(cache: Path) -> tuple[Handshake, ...]:
    """What was said when they were asked last; nothing when they never were, or the file is damaged."""
    try:
        return tuple(decode(Handshake, one) for one in json.loads((cache / FILE).read_bytes()))
    except (OSError, ValueError, TypeError, OrchdError):
        return ()


class HandshakeBook:
    """What the installed programs said of themselves, kept in the folder `cache`. Who has not said anything yet, has changed,
    could not be used, or was asked long ago, is asked by a thread, once; `environment` is what they are asked with."""

    def __init__(self, cache: Path, environment: Callable[[], Mapping[str, str]], wall: Callable[[], float]) -> None:
        self._cache, self._environment, self._wall = cache, environment, wall
        self._heard: dict[str, Handshake] = {}
        self._asked: set[tuple[str, str]] = set()
        self._thread: threading.Thread | None = None
        self._kept: tuple[int, tuple[Handshake, ...]] = (0, ())

    def look(self, installed: Mapping[str, str], *, ask: bool) -> tuple[Mapping[str, Handshake], frozenset[str]]:
        """What is known of the programs (name and path), and those that are being asked and of which nothing is known."""
        kept = {one.program: one for one in self._read_kept()}
        known = {name: one for name, one in (kept | self._heard).items() if one.path == installed.get(name)}
        due = {one for one in installed.items() if one not in self._asked and self._is_due(known.get(one[0]), one[1])}
        if ask and due and (self._thread is None or not self._thread.is_alive()):
            self._asked |= due
            self._thread = threading.Thread(target=self._ask, args=(sorted(name for name, _ in due),), daemon=True)
            self._thread.start()
        under_way = self._thread is not None and self._thread.is_alive()
        unsure = {name for name in installed if name not in known or (known[name].problem and name not in self._heard)}
        return known, frozenset(unsure) if under_way else frozenset()

    def _read_kept(self) -> tuple[Handshake, ...]:
        """Read when it has changed: this is asked at every look."""
        try:
            changed = (self._cache / FILE).stat().st_mtime_ns
        except OSError:
            return ()
        if changed != self._kept[0]:
            self._kept = (changed, read_handshakes(self._cache))
        return self._kept[1]

    def _is_due(self, known: Handshake | None, path: str) -> bool:
        if known is None or known.problem:
            return True
        try:
            kept = (self._cache / FILE).stat().st_mtime
            return Path(path).stat().st_ctime > kept or self._wall() - kept > HANDSHAKE_DAYS * 86400
        except OSError:
            return True

    def _ask(self, names: Collection[str]) -> None:
        shaken = ask_programs(self._environment(), os.environ, [PROGRAMS[name] for name in names])
        others = [one for one in read_handshakes(self._cache) if one.program not in names]
        with contextlib.suppress(OSError):
            keep_handshakes(self._cache, (*others, *shaken))
        self._heard |= {one.program: one for one in shaken}
