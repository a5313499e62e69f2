"""Precedents in git: notes in `refs/notes/orch/precedents`, each under the name of its conflict. For clients, too: light.

A note has one precedent a line, and the last one whose answer has landed counts. Rule: what cannot be read was never settled.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping

from orchd.adapters.codec import decode, dumps, encode
from orchd.core.precedents import Precedent, Trio, name_conflict
from orchd.errors import OrchdError
from orchd.model.ids import PRECEDENTS_REF, Oid
from orchd.model.limits import DISPUTE_BYTES


def decode_trio(contents: Iterable[bytes]) -> Trio | None:
    """Three versions as texts; None when one is no UTF-8 text, or too large."""
    base, ours, theirs = map(decode_text, contents)
    return None if base is None or ours is None or theirs is None else (base, ours, theirs)


def decode_text(content: bytes) -> str | None:
    """None: it is no UTF-8 text, or too large."""
    try:
        return None if len(content) > DISPUTE_BYTES or b"\0" in content else content.decode()
    except UnicodeDecodeError:
        return None


def list_notes(trio: Trio) -> Mapping[str, str]:
    """Where git has the notes that may be about a conflict, by their names."""
    return {name: f"{PRECEDENTS_REF}:{name[:2]}/{name[2:]}" for name in name_conflict(trio)}


def spell_precedent(precedent: Precedent) -> str:
    """The line of a note."""
    return dumps(encode(precedent)).decode()


def parse_notes(notes: Iterable[tuple[str, str]], has_landed: Callable[[Oid], bool]) -> Mapping[str, Precedent]:
    """What the notes (name and text) say of answers that came to something that `has_landed`."""
    found = {name: _read_last(text, has_landed) for name, text in notes}
    return {name: said for name, said in found.items() if said is not None}


def _read_last(note: str, has_landed: Callable[[Oid], bool]) -> Precedent | None:
    for line in reversed(note.splitlines()):
        with contextlib.suppress(ValueError, OrchdError):
            said = decode(Precedent, json.loads(line))
            if said.commit and has_landed(said.commit):
                return said
    return None
