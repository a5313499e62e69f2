"""What fails in the one orchd that serves, written down for the commands of others.

Rule: the file is written over in place, within what it takes already, so that it tells of a full disk, too. It is no record:
what it says counts only while it is repeated.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchd.adapters.place import Place
from orchd.core.alarms import Trouble
from orchd.model.limits import TROUBLE_SECONDS

if TYPE_CHECKING:
    from orchd.model.message import Event
    from orchd.model.snapshot import State
    from orchd.ports import Audience, Clock

FILE = "troubles.json"
FILE_BYTES = 4096
TEXT_CHARACTERS = 400
SHOWN = 5
"""So many texts fit into the file, whatever they are made of."""


class NotedAudience:
    """Port `Audience`: passes everything on to `inner` and notes its troubles."""

    def __init__(self, place: Place, inner: Audience, clock: Clock) -> None:
        self._path = place.orch / FILE
        self._inner = inner
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, int]] = {}
        with contextlib.suppress(OSError):
            self._path.write_bytes(b" " * FILE_BYTES)

    def told(self, events: Sequence[Event], state: State) -> None:
        """See the port."""
        self._inner.told(events, state)

    def trouble(self, text: str) -> None:
        """See the port."""
        self._inner.trouble(text)
        with self._lock:
            self._note(text[:TEXT_CHARACTERS], self._clock.now_ms())

    def _note(self, short: str, now_ms: int) -> None:
        fresh = {what: seen for what, seen in self._known.items() if _is_fresh(seen[1], now_ms)}
        fresh[short] = (fresh.get(short, (now_ms, 0))[0], now_ms)
        self._known = dict(list(fresh.items())[-SHOWN:])
        with contextlib.suppress(OSError):
            self._write()

    def notice(self, text: str, word: str = "stop") -> None:
        """See the port."""
        self._inner.notice(text, word)

    def _write(self) -> None:
        rows = [[what, *seen] for what, seen in self._known.items()]
        content = json.dumps(rows, ensure_ascii=False).encode(errors="replace")
        while len(content) > FILE_BYTES:
            rows = rows[1:]
            content = json.dumps(rows, ensure_ascii=False).encode(errors="replace")
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(handle, content.ljust(FILE_BYTES), 0)
        finally:
            os.close(handle)


def read_troubles(place: Place, now_ms: int) -> tuple[Trouble, ...]:
    """What fails now; nothing where nobody serves or nothing fails."""
    try:
        rows = json.loads((place.orch / FILE).read_bytes() or b"[]")
        return tuple(Trouble(str(what), int(since)) for what, since, last in rows if _is_fresh(int(last), now_ms))
    except (OSError, ValueError, TypeError):
        return ()


def _is_fresh(last_ms: int, now_ms: int) -> bool:
    return 0 <= now_ms - last_ms <= TROUBLE_SECONDS * 1000
