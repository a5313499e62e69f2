"""What this machine is used for by others: the TCP ports that anybody has. Read from /proc, without a process."""

from __future__ import annotations

from pathlib import Path

_TABLES = ("tcp", "tcp6")


class ProcMachine:
    """Port `Machine` on /proc."""

    def __init__(self, net: Path = Path("/proc/self/net")) -> None:
        self._net = net

    def busy_ports(self) -> frozenset[int]:
        """Local ports of all sockets in our network namespace, in whatever state: one that was just closed may not be free."""
        return frozenset(port for table in _TABLES for port in _read_ports(self._net / table))


def _read_ports(table: Path) -> list[int]:
    """Each line after the first is `sl: ADDRESS:PORT ...`, in hexadecimal."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:
        return []
    return [int(line.split(maxsplit=2)[1].rpartition(":")[2], 16) for line in lines]
