"""A check-up of the machine and the repository: what was seen, and what is to be done about it."""

from __future__ import annotations

from enum import StrEnum

from orchd.model.agent import Handshake
from orchd.model.dataclass import dataclass


class Verdict(StrEnum):
    """POOR: orchd works, but not with this, or not as well as it could. BAD: it does not work."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check-up. `hint` says what to do (empty: nothing)."""

    check: str
    verdict: Verdict
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Symptoms:
    """What was seen. Versions are numbers in order (empty: not found). `unwritable` are folders that we need and may not
    write; `foreign` are those that belong to another user. `free_bytes` None: it cannot be told; nothing starts with less
    than `least_bytes`. `fault` is what is wrong with the configuration, `isolation` what separates agents from this machine."""

    python: tuple[int, ...] = ()
    git: tuple[int, ...] = ()
    kernel: str = ""
    unwritable: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    free_bytes: int | None = None
    least_bytes: int = 0
    fault: str = ""
    isolation: str = ""
    programs: tuple[Handshake, ...] = ()
