"""How the end of a command is told: exit codes and signals in words that people know."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.model.claim import Lease
from orchd.model.limits import LEASE_SECONDS

KNOWN: Mapping[int, str] = {126: "not executable", 127: "command not found"}
"""Exit codes that shells give a meaning of their own."""

SIGNALS: Mapping[int, str] = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
}
"""Those that end programs, by their numbers on Linux: the same everywhere, so that the core stays pure."""


def tell_exit(code: int) -> str:
    """The end of a process by its exit code, or minus the signal that killed it."""
    if code >= 0:
        return f"ended with {code}" + (f" ({KNOWN[code]})" if code in KNOWN else "")
    return f"killed by signal {-code}" + (f" ({SIGNALS[-code]})" if -code in SIGNALS else "")


def tell_expiry(lease: Lease) -> tuple[str, ...]:
    """A line about a lease that expired; none for one that stands."""
    return (f"its lease (fence {lease.fence}) expired: no heartbeat for {LEASE_SECONDS:.0f} s",) if lease.expired_ms else ()
