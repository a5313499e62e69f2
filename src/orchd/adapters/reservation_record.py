"""What claim files said last, left by the daemon: clients do not read YAML, and a file may be spoilt before the next start."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.errors import OrchdError
from orchd.model.claim import Reservation

RECORD_NAME = "reservations.json"
CLAIM_FILES = (".orch", "claims")


def write_reservations(place: Place, reservations: Iterable[Reservation]) -> None:
    """Leave them in the cache folder."""
    place.cache.mkdir(parents=True, exist_ok=True)
    write_durably(place.cache / RECORD_NAME, dumps([encode(one) for one in reservations]))


def read_reservations(place: Place) -> tuple[Reservation, ...]:
    """What was left. In a checkout only that of files which are there still."""
    try:
        data = json.loads((place.cache / RECORD_NAME).read_bytes())
        left = tuple(decode(Reservation, one) for one in data)
    except (FileNotFoundError, ValueError, TypeError, OrchdError):
        return ()
    return tuple(one for one in left if place.checkout is None or (place.checkout / one.path).exists())


def has_claim_files(place: Place, branch: Callable[[], str]) -> bool:
    """Whether there is anything to read: in the checkout, or in the branch that tasks land on where there is none."""
    if place.checkout is None:
        return Git(place.git_dir).attempt("cat-file", "-e", f"refs/heads/{branch()}:{'/'.join(CLAIM_FILES)}").returncode == 0
    folder = place.checkout.joinpath(*CLAIM_FILES)
    return folder.is_dir() and any(folder.iterdir())
