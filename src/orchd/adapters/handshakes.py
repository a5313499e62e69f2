"""The handshakes of all programs: asking them at once, and keeping what they said for those who cannot wait."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from orchd.adapters.agents.handshake import shake_hands
from orchd.adapters.agents.program import Program
from orchd.adapters.agents.programs import PROGRAMS
from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.errors import OrchdError
from orchd.model.agent import Handshake

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
