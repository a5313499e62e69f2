"""Processes: who one is, whether it still lives, what is below it. The daemon and the supervisors use it: stdlib only.

Rule: a process id alone names nobody, because ids are used again. A process is its boot, its id and its start time, and
it is signalled through a pidfd that was opened before its start time was compared.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

_DEAD_STATES = "ZX"


class Identity(NamedTuple):
    """One process for ever: the id of the boot, the process id, the start time in clock ticks after the boot."""

    boot: str
    pid: int
    start: int


class Listed(NamedTuple):
    """One process as /proc lists it now."""

    pid: int
    parent: int
    group: int
    start: int
    state: str

    @property
    def identity(self) -> Identity:
        """Who it is for ever."""
        return Identity(boot_id(), self.pid, self.start)


@functools.cache
def boot_id() -> str:
    """Changes with every boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> Identity | None:
    """Who has this process id now. None: nobody."""
    listed = _read_stat(pid)
    return listed.identity if listed else None


def is_alive(who: Identity) -> bool:
    """Whether this very process still runs. One that only waits to be reaped does not."""
    if who.boot != boot_id():
        return False
    listed = _read_stat(who.pid)
    return listed is not None and listed.start == who.start and listed.state not in _DEAD_STATES


def measure_age(who: Identity) -> float:
    """Seconds since a process of this boot was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - who.start / os.sysconf("SC_CLK_TCK")


def open_process(who: Identity) -> int | None:
    """A pidfd of this very process, which the caller closes. None: it has ended."""
    try:
        handle = os.pidfd_open(who.pid)
    except ProcessLookupError:
        return None
    if is_alive(who):
        return handle
    os.close(handle)
    return None


def send_signal(who: Identity, number: int) -> None:
    """Signal this very process. Does nothing when it has ended or is not ours to signal."""
    handle = open_process(who)
    if handle is None:
        return
    try:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(handle, number)
    finally:
        os.close(handle)


def kill_all(found: Iterable[Listed]) -> None:
    """Kill these processes and whoever shares a process group with one of them: what only lives to fork its successor is
    gone before it can be signalled, but the kernel lets nobody fork out of a group that is being killed."""
    listed = list(found)
    for one in listed:
        send_signal(one.identity, signal.SIGKILL)
    for group in {one.group for one in listed} - {os.getpgrp()}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def find_below(root: int) -> list[Listed]:
    """All living descendants of the process `root`, whatever sessions and groups they made for themselves."""
    return _find_tree(lambda listed: listed.parent == root)


def measure_work(root: int) -> float:
    """CPU seconds of what is below the children of `root`, of those that ended too: what its programs started, without
    themselves."""
    ticks = 0
    for listed in find_below(root):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{listed.pid}/stat").read_bytes().rpartition(b") ")[2].split()
            own, ended = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
            ticks += ended + (0 if listed.parent == root else own)
    return ticks / os.sysconf("SC_CLK_TCK")


def find_marked(marks: Iterable[bytes]) -> list[Listed]:
    """All living processes that were started with each of these `NAME=value` in their environment, and what is below
    them. One that scrubbed its environment and whose parents are gone is not found."""
    wanted = frozenset(marks)
    return _find_tree(lambda listed: wanted <= _read_environment(listed.pid))


def _find_tree(is_top: Callable[[Listed], bool]) -> list[Listed]:
    everyone = [listed for pid in _list_ids() if (listed := _read_stat(pid)) and listed.state not in _DEAD_STATES]
    below: dict[int, list[Listed]] = {}
    for listed in everyone:
        below.setdefault(listed.parent, []).append(listed)
    found = {listed.pid: listed for listed in everyone if listed.pid != os.getpid() and is_top(listed)}
    pending = list(found)
    while pending:
        for child in below.get(pending.pop(), ()):
            if child.pid not in found:
                found[child.pid] = child
                pending.append(child.pid)
    return list(found.values())


def _list_ids() -> list[int]:
    with os.scandir("/proc") as entries:
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def _read_stat(pid: int) -> Listed | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold anything, so fields are counted after the last one.
    fields = text[text.rindex(b")") + 2 :].split()
    return Listed(pid, int(fields[1]), int(fields[2]), int(fields[19]), fields[0].decode())


def _read_environment(pid: int) -> frozenset[bytes]:
    try:
        return frozenset(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return frozenset()
