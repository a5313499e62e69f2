"""Claim files as a person writes and removes them. Clients import this, so it stays light.

Rule: an existing file is never overwritten: it may be somebody's "hands off".
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from orchd.adapters.durable import create_durably
from orchd.adapters.place import Place
from orchd.adapters.plain_file import Refusal, hold_folder
from orchd.adapters.reservation_record import CLAIM_FILES
from orchd.errors import UsageError
from orchd.model.ids import is_slug
from orchd.model.limits import LIST_ITEMS

_SUFFIXES = (".yaml", ".yml")


def keep(place: Place, name: str, wish: str, text: str) -> str:
    """Write the claim file `name`, or without a name one that is free and like `wish`. The path from the top of the
    checkout. Raises UsageError when it cannot be written."""
    folder = _folder(place)
    if name and not is_slug(name):
        raise UsageError(f"{name!r} cannot be the name of a claim", "use 1 to 48 of a-z, 0-9 and inner hyphens")
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_obstacle(place)
    base = re.sub(r"[^a-z0-9]+", "-", wish.lower())[:40].strip("-") or "claim"
    names = (name,) if name else (base if at == 1 else f"{base}-{at}" for at in range(1, LIST_ITEMS))
    for one in names:
        if _find(folder, one) is None and create_durably(folder / f"{one}.yaml", text.encode()):
            return "/".join((*CLAIM_FILES, f"{one}.yaml"))
    hint = f"`orchd claim --release {name or base}` ends it, or use another --name"
    raise UsageError(f"there is a claim {name or base} already", hint)


def release(place: Place, name: str) -> str:
    """Remove the claim file `name`; its path. Raises UsageError when there is none."""
    folder = _folder(place)
    found = _find(folder, name) if is_slug(name) else None
    if found is None:
        names = sorted(path.stem for path in folder.glob("*.y*ml")) if folder.is_dir() else []
        raise UsageError(f"there is no claim file of the name {name!r}", f"there are: {', '.join(names) or 'none'}")
    _refuse_obstacle(place)
    found.unlink()
    return "/".join((*CLAIM_FILES, found.name))


def _folder(place: Place) -> Path:
    if place.checkout is None:
        raise UsageError("a bare repository has no checkout to write into", "commit a file `.orch/claims/<name>.yaml` to it")
    return place.checkout.joinpath(*CLAIM_FILES)


def _find(folder: Path, name: str) -> Path | None:
    return next((folder / (name + suffix) for suffix in _SUFFIXES if os.path.lexists(folder / (name + suffix))), None)


def _refuse_obstacle(place: Place) -> None:
    assert place.checkout is not None
    with hold_folder(place.checkout, CLAIM_FILES) as folder:
        if isinstance(folder, Refusal):
            raise UsageError(f"{'/'.join(CLAIM_FILES)} cannot be used: {folder.text}", "put a plain folder there")
