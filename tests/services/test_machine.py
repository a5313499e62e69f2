"""What others use of this machine is seen as it is."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from orchd.adapters.busy_ports import find_busy_ports
from orchd.adapters.machine import LocalMachine, free_disk, free_memory, measure_folder
from orchd.model.config import Config


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_listens_on_is_busy_and_then_free(address: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            pytest.skip("this machine has no such address")
        listener.listen()
        port = listener.getsockname()[1]
        assert port in find_busy_ports()
    assert port not in find_busy_ports()


def test_a_machine_without_these_tables_has_no_busy_ports(tmp_path: Path) -> None:
    assert find_busy_ports(tmp_path) == frozenset()


def test_free_disk_is_told_for_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    told = free_disk(tmp_path / "not" / "yet")
    assert told is not None
    assert told > 0


def test_free_memory_is_what_the_kernel_says(tmp_path: Path) -> None:
    source = tmp_path / "meminfo"
    source.write_text("MemTotal:  9 kB\nMemAvailable:   1234 kB\nMemFree: 1 kB\n")
    assert free_memory(source) == 1234 * 1024
    source.write_text("MemTotal:  9 kB\n")
    assert free_memory(source) is None
    assert free_memory(tmp_path / "none") is None


def test_a_folder_is_measured_without_following_symlinks(tmp_path: Path) -> None:
    (tmp_path / "w" / "deep").mkdir(parents=True)
    (tmp_path / "big").write_bytes(b"x" * 1_000_000)
    (tmp_path / "w" / "deep" / "file").write_bytes(b"x" * 100_000)
    (tmp_path / "w" / "link").symlink_to(tmp_path / "big")
    (tmp_path / "w" / "loop").symlink_to(tmp_path / "w")
    assert 100_000 <= measure_folder(tmp_path / "w") < 500_000
    assert measure_folder(tmp_path / "gone") == 0


def test_workspaces_are_measured_only_when_limited_and_not_at_every_look(tmp_path: Path) -> None:
    now = [0.0]
    machine = LocalMachine(tmp_path, lambda: now[0])
    (tmp_path / "t.1.1").mkdir()
    (tmp_path / "t.1.1" / "file").write_bytes(b"x" * 100_000)
    assert machine.look(Config()).workspace_bytes is None
    limited = Config(workspace_bytes=1)
    first = machine.look(limited)
    assert first.workspaces == {"t.1.1"}
    assert first.workspace_bytes is not None and first.workspace_bytes >= 100_000
    (tmp_path / "t.1.1" / "more").write_bytes(b"x" * 100_000)
    now[0] = 29.0
    assert machine.look(limited).workspace_bytes == first.workspace_bytes
    now[0] = 30.0
    assert (machine.look(limited).workspace_bytes or 0) >= 200_000
    shutil.rmtree(tmp_path / "t.1.1")
    assert machine.look(limited).workspace_bytes == 0
