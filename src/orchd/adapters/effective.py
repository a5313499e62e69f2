"""The configuration in effect and the agents that there are, left by the daemon for clients, which do not read YAML."""

from __future__ import annotations

import json
from dataclasses import replace

from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.adapters.place import Place
from orchd.errors import OrchdError
from orchd.model.agent import AgentsSeen
from orchd.model.config import Config

EFFECTIVE_NAME = "config.json"
AGENTS_NAME = "agents-seen.json"


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


def write_agents(place: Place, seen: AgentsSeen) -> None:
    """Leave it in the cache folder: who can be meant, without what agents are told."""
    place.cache.mkdir(parents=True, exist_ok=True)
    good = tuple(replace(one, instructions="") for one in seen.good)
    short = AgentsSeen(good, programs=seen.programs, installed=seen.installed, unfit=seen.unfit)
    write_durably(place.cache / AGENTS_NAME, dumps(encode(short)))


def read_agents(place: Place) -> AgentsSeen:
    """What was left, or nothing."""
    try:
        return decode(AgentsSeen, json.loads((place.cache / AGENTS_NAME).read_bytes()))
    except (FileNotFoundError, ValueError, OrchdError):
        return AgentsSeen()
