"""The configuration in effect, left by the daemon for clients, which do not read YAML."""

from __future__ import annotations

import json

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.adapters.place import Place
from orchd.errors import OrchdError
from orchd.model.config import Config

EFFECTIVE_NAME = "config.json"


def write_effective(place: Place, config: Config) -> None:
    """Leave it in the cache folder."""
    place.cache.mkdir(parents=True, exist_ok=True)
    write_durably(place.cache / EFFECTIVE_NAME, dumps(encode(config)))


def read_effective(place: Place) -> Config:
    """What was left, or the defaults."""
    try:
        return decode(Config, json.loads((place.cache / EFFECTIVE_NAME).read_bytes()))
    except (FileNotFoundError, ValueError, OrchdError):
        return Config()
