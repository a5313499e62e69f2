"""The TCP ports that anybody on this machine has. Read from /proc, without a process."""

from __future__ import annotations

from pathlib import Path

_TABLES = ("tcp", "tcp6")
SOCKETS = Path("/proc/self/net")


def find_busy_ports(net: Path = SOCKETS) -> frozenset[int]:
    """Local ports of all sockets in our network namespace, in whatever state: one that was just closed may not be free."""
    return frozenset(port for table in _TABLES for port in _read_ports(net / table))


def _read_ports(table: Path) -> list[int]:
    """Each line after the first is `sl: ADDRESS:PORT ...`, in hexadecimal."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:
        return []
    return [int(line.split(maxsplit=2)[1].rpartition(":")[2], 16) for line in lines]
