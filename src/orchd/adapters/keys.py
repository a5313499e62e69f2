"""Keys of providers: each agent program is given those that it signs in with, and nobody else sees one.

Rule: only names are written down. A variable that a program signs in with reaches that program alone, also when the
configuration names it for everybody: gates and commands run what agents wrote. Standard library only; the programs are
imported only where they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from orchd.model.agent import Job
from orchd.model.limits import KEY_BYTES

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

_PERCENT = re.compile(rb"%[0-9A-F]{2}")
_END = re.compile(rb"[\r\n\\](?:(?<=\\)\\*[rn]?)?")
_BREAK = b"(?:%b)*" % _END.pattern
_SURE = 3
"""More of a key than so many bytes at the end of a line is no accident: the line is not shown before the next one has begun. So
many are shown where a key is broken just behind them."""

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
    """Takes the values of keys out of a stream, as they stand, as part of an address, in JSON, and in base64, also where that
    is broken over lines. What could be the beginning of one is held back until more comes. Values below `KEY_BYTES` are no
    secrets, and would be found everywhere."""

    def __init__(self, values: Iterable[str]) -> None:
        keys = [key for value in values if len(key := value.encode("utf-8", "surrogateescape")) >= KEY_BYTES]
        coded = [form for key in keys for form in _encode(key)]
        self._coded = [form for one in coded for form in (one, one[_SURE:]) if len(form) >= KEY_BYTES]
        forms = {form for key in keys for form in (key, *_disguise(key))} | set(self._coded)
        self._values = sorted((one for one in forms if len(one) >= KEY_BYTES), key=len, reverse=True)
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be shown now."""
        whole = self._held + data
        for value in self._values:
            whole = whole.replace(value, HIDDEN)
        joined = _join(whole) if self._coded else b""
        for value in self._coded:
            if value in joined:
                whole = re.sub(_BREAK.join(re.escape(value[at : at + 1]) for at in range(len(value))), HIDDEN, whole)
        end = len(whole) - max((*(_overlap(whole, value) for value in self._values), self._open(whole, joined)), default=0)
        self._held = whole[end:]
        return whole[:end]

    def _open(self, whole: bytes, joined: bytes) -> int:
        """How many bytes at the end of `whole` are a beginning of base64 that goes on in another line."""
        begun = max((_overlap(joined, value) for value in self._coded), default=0)
        if begun <= _SURE:
            return 0
        size = begun
        while size < len(whole) and _join(whole[-size:]) != joined[-begun:]:
            size += 1
        return size

    def rest(self) -> bytes:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, b""
        return held


def _join(text: bytes) -> bytes:
    """Without the ends of lines, also those of lines inside of JSON."""
    return _END.sub(b"", text)


def _disguise(key: bytes) -> Iterator[bytes]:
    """A key as programs pass it on in addresses and in JSON."""
    from json import dumps
    from urllib.parse import quote

    for safe in ("", "/"):
        coded = quote(key, safe).encode()
        yield from (coded, _PERCENT.sub(lambda found: found[0].lower(), coded))
    yield dumps(key.decode("utf-8", "replace"))[1:-1].encode()


def _encode(key: bytes) -> Iterator[bytes]:
    """The part of its base64 that is the same whatever stands around it: it may begin at each place of a group of 3 bytes."""
    from base64 import b64encode

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
