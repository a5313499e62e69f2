"""Keys of providers: each agent program is given those that it signs in with, and nobody else sees one.

Rule: only names are written down. A variable that a program signs in with reaches that program alone, also when the
configuration names it for everybody: gates and commands run what agents wrote. Standard library only; the programs are
imported only where they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orchd.model.agent import Job
from orchd.model.limits import KEY_BYTES

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

HIDDEN = b"***"
"""In the place of the value of a key."""


def list_keys(job: Job, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the keys that are there for the agent of `job`: those of its program, and those of its definition."""
    from orchd.adapters.agents.programs import PROGRAMS

    program = PROGRAMS.get(job.program)
    named = (*(program.signs.keys if program else ()), *job.keys)
    return tuple(dict.fromkeys(name for name in named if environment.get(name)))


def find_withheld() -> frozenset[str]:
    """The names that no command and no other program is given."""
    from orchd.adapters.agents.programs import PROGRAMS

    return frozenset(key for program in PROGRAMS.values() for key in program.signs.keys)


class Cleaner:
    """Takes the values of keys out of a stream, as they stand, in base64 and as part of an address. What could be the beginning
    of one is held back until more comes. Values below `KEY_BYTES` are no secrets, and would be found everywhere."""

    def __init__(self, values: Iterable[str]) -> None:
        keys = (value.encode("utf-8", "surrogateescape") for value in values)
        forms = {form for key in keys if len(key) >= KEY_BYTES for form in (key, *_disguise(key))}
        self._values = sorted((one for one in forms if len(one) >= KEY_BYTES), key=len, reverse=True)
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be shown now."""
        whole = self._held + data
        for value in self._values:
            whole = whole.replace(value, HIDDEN)
        end = len(whole) - max((_overlap(whole, value) for value in self._values), default=0)
        self._held = whole[end:]
        return whole[:end]

    def rest(self) -> bytes:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, b""
        return held


def _disguise(key: bytes) -> Iterator[bytes]:
    """A key as programs pass it on: URL-encoded, and the part of its base64 that is the same whatever stands around it. It may
    begin at each place of a group of three bytes."""
    from base64 import b64encode
    from urllib.parse import quote

    for safe in ("", "/"):
        yield quote(key, safe).encode()
    for before in range(3):
        coded = b64encode(bytes(before) + key)
        sure = coded[(8 * before + 5) // 6 : 8 * (before + len(key)) // 6]
        yield from (sure, sure.translate(_URL_SAFE))


def _overlap(text: bytes, value: bytes) -> int:
    """How many bytes at the end of `text` are a beginning of `value`."""
    end = text[1 - len(value) :]
    at = end.find(value[:1])
    while at >= 0 and not value.startswith(end[at:]):
        at = end.find(value[:1], at + 1)
    return len(end) - at if at >= 0 else 0
