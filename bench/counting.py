"""What a command costs: processor time of everything that it starts, and memory of single processes.

Supervisors are detached and nobody waits for them, so the usage that `wait4` reports misses them. The kernel's task
clock does not: a perf event that every descendant inherits. Rule: `run_counted` returns when no descendant is left.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import subprocess
import tempfile
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_SYSCALLS = {"x86_64": 298, "aarch64": 241}
_SOFTWARE, _TASK_CLOCK, _ATTRIBUTE_BYTES = 1, 1, 64
_DISABLED, _INHERIT, _ENABLE_ON_EXEC = 1 << 0, 1 << 1, 1 << 12
_CLOSE_ON_EXEC = 8
_GATE = 'read _; exec "$@" </dev/null'
_SHOWN_BYTES = 2000
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of the clock on the wall, of processors (user and system, the whole tree), and of processors for everybody
    else on this machine meanwhile; the processes that were left when the command itself had ended."""

    wall_seconds: float
    cpu_seconds: float
    others_seconds: float
    survivors: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MiB: resident now, resident at most, and its proportional share (shared pages divided)."""

    resident: float
    peak: float
    share: float


def run_counted(argv: Sequence[str], folder: Path, environment: Mapping[str, str], accept: Container[int] = (0,)) -> Cost:
    """Run a command and all that it leaves behind to the end. Raises RuntimeError with its output for another exit code
    than those in `accept`."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(
            ["sh", "-c", _GATE, "sh", *argv], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output
        )
        clock = _open_task_clock(child.pid)
        busy, begin = _machine_seconds(), time.monotonic()
        _open_gate(child)
        survivors = _reap_all(child)
        wall = time.monotonic() - begin
        cpu = int.from_bytes(os.read(clock, 8), "little") / 1e9
        os.close(clock)
        if child.returncode not in accept:
            output.seek(0)
            raise RuntimeError(f"{argv}: exit {child.returncode}\n{output.read().decode(errors='replace')[-_SHOWN_BYTES:]}")
        return Cost(wall, cpu, max(0.0, _machine_seconds() - busy - cpu), survivors)


def read_memory(pid: int) -> Memory:
    """What a process that lives occupies now."""
    status = _read_sizes(Path(f"/proc/{pid}/status"))
    return Memory(status["VmRSS"], status["VmHWM"], _read_sizes(Path(f"/proc/{pid}/smaps_rollup"))["Pss"])


def list_children(pid: int) -> list[int]:
    """The processes that `pid` started and that live."""
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]


def _open_task_clock(pid: int) -> int:
    """A counter of nanoseconds, for `pid` from its next exec on and for all descendants."""
    number = _SYSCALLS.get(platform.machine())
    if number is None:
        raise RuntimeError(f"processor time cannot be counted on {platform.machine()}: its perf_event_open is not known here")
    head = struct.pack("=IIQQQQQ", _SOFTWARE, _ATTRIBUTE_BYTES, _TASK_CLOCK, 0, 0, 0, _DISABLED | _INHERIT | _ENABLE_ON_EXEC)
    attribute = ctypes.create_string_buffer(head, _ATTRIBUTE_BYTES)
    handle: int = _libc.syscall(number, attribute, pid, -1, -1, _CLOSE_ON_EXEC)
    if handle < 0:
        reason = os.strerror(ctypes.get_errno())
        raise RuntimeError(f"processor time cannot be counted: {reason} (see /proc/sys/kernel/perf_event_paranoid)")
    return handle


def _open_gate(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.close()


def _reap_all(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child and for everything that it left to us; how many processes that were."""
    survivors = 0
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return survivors
        survivors += child.returncode is not None
        if pid == child.pid:
            child.returncode = os.waitstatus_to_exitcode(status)


def _machine_seconds() -> float:
    """Processor seconds that this machine was busy since it started."""
    user, nice, system, _, _, interrupts, soft = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8])
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def _read_sizes(file: Path) -> dict[str, float]:
    """The lines `Name: 123 kB`, in MiB."""
    lines = (line.split() for line in file.read_text().splitlines())
    return {line[0].rstrip(":"): int(line[1]) / 1024 for line in lines if line[-1] == "kB"}
