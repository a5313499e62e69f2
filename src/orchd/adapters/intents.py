"""Intents: small files that other processes drop for the daemon. Clients import this, so it stays light.

Rule: a dropped intent is complete or not there (renamed into place); names sort by arrival.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

from orchd.adapters.durable import remove_quietly, write_durably
from orchd.adapters.place import Place
from orchd.model.ids import is_slug
from orchd.model.snapshot import Intent, Verb


def drop_intent(place: Place, verb: Verb, subject: str, words: Sequence[str] = ()) -> str:
    """Ask for something about the task or session `subject`. It is done by the daemon that runs, or by the next one. Its id."""
    place.intents.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{os.getpid()}.json"
    write_durably(place.intents / name, json.dumps({"verb": verb.value, "subject": subject, "words": list(words)}).encode())
    return name


class IntentFolder:
    """Port `Intents` on a folder of the git directory."""

    def __init__(self, place: Place) -> None:
        self._place = place
        place.intents.mkdir(parents=True, exist_ok=True)

    def look(self) -> tuple[Intent, ...]:
        """All complete intents, oldest first. What cannot be understood is removed: nobody could ever act on it."""
        names = sorted(entry.name for entry in os.scandir(self._place.intents) if not entry.name.startswith("."))
        return tuple(intent for name in names if (intent := self._read(name)) is not None)

    def forget(self, intent: str) -> None:
        """Remove one; it may be gone already."""
        remove_quietly(self._place.intents / intent)

    def _read(self, name: str) -> Intent | None:
        path = self._place.intents / name
        try:
            data = json.loads(path.read_bytes())
            intent = Intent(name, Verb(data["verb"]), str(data["subject"]), tuple(map(str, data.get("words", ()))))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            remove_quietly(path)
            return None
        return intent if is_slug(intent.subject) else None
