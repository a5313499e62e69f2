"""The name under which this clone owns sessions: the host, the folder, and a word that a copy of the folder does not share."""

from __future__ import annotations

import json
import os
import secrets
import socket
from pathlib import Path

from orchd.adapters.durable import sync_folder
from orchd.adapters.place import Place

NAME = "clone.json"


def name_clone(place: Place) -> str:
    """The same for the life of this very folder. A copy of it is another clone: its file has another inode."""
    path = place.orch / NAME
    word = _read_word(path) or _write_word(path)
    return f"{socket.gethostname()}:{(place.checkout or place.git_dir).name}-{word}"


def _read_word(path: Path) -> str:
    try:
        data = json.loads(path.read_bytes())
        return str(data["word"]) if data["inode"] == path.stat().st_ino else ""
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _write_word(path: Path) -> str:
    word = secrets.token_hex(4)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        json.dump({"word": word, "inode": os.fstat(out.fileno()).st_ino}, out)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(path.parent)
    return word
