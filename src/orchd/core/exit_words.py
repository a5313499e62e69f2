"""How the end of a command is told: exit codes and signals in words that people know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchd.core.inert import inert
from orchd.model.agent import Report, Watch
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


CLOCKS: Mapping[Watch, str] = {
    Watch.SILENCE: "it printed nothing for too long",
    Watch.PROGRESS: "it called no tool anew for too long",
    Watch.WALL: "it ran into the time limit of the task",
    Watch.REPETITION: "it made the same call again and again",
    Watch.TOKENS: "it used as many tokens as its agent may",
    Watch.MONEY: "it used as much money as it was allowed",
}
"""Why we ended an agent."""


def tell_report(report: Report) -> tuple[str, ...]:
    """What stands against an agent, line by line; nothing: it finished, and nothing was refused to it."""
    return tuple(_list_faults(report))


def _list_faults(report: Report) -> Iterator[str]:
    if report.ended_by is not None:
        yield f"it was ended: {CLOCKS[report.ended_by]}"
        yield f"its last call: {inert(report.last_tool)}" if report.last_tool else "it called no tool"
    elif not report.finished:
        yield "its program did not say that it was done"
    if report.denied:
        yield f"refused to it: {', '.join(map(inert, dict.fromkeys(report.denied)))}"
    if report.error:
        status = f" (HTTP status {report.status})" if report.status else ""
        yield f"its last error{status}: {inert(report.error)}"


def tell_expiry(lease: Lease) -> tuple[str, ...]:
    """A line about a lease that expired; none for one that stands."""
    return (f"its lease (fence {lease.fence}) expired: no heartbeat for {LEASE_SECONDS:.0f} s",) if lease.expired_ms else ()
