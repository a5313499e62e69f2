"""What others use of this machine is seen as it is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from orchd.adapters.machine import ProcMachine


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_listens_on_is_busy_and_then_free(address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip("this machine has no such address")
        listener.listen()
        port = listener.getsockname()[1]
        assert port in ProcMachine().busy_ports()
    assert port not in ProcMachine().busy_ports()


def test_a_machine_without_these_tables_has_no_busy_ports(tmp_path: Path) -> None:
    assert ProcMachine(tmp_path).busy_ports() == frozenset()
