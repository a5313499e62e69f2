"""Files that are not what they seem are not read, and asking whether somebody writes one is safe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from orchd.adapters.plain_file import PlainFile, Refusal, Withheld, hold_folder, is_being_written, read_plain_file
from orchd.model.limits import TASK_FILE_BYTES


def read(path: Path) -> object:
    with hold_folder(path.parent, ()) as folder:
        assert isinstance(folder, int)
        return read_plain_file(folder, path.name)


def symlink(path: Path) -> None:
    path.with_name("secret").write_text("x")
    path.symlink_to("secret")


def hard_link(path: Path) -> None:
    path.with_name("other").write_text("x")
    path.hardlink_to(path.with_name("other"))


@pytest.mark.parametrize(
    ("make", "word"), [(symlink, "symlink"), (hard_link, "second name"), (os.mkfifo, "plain"), (Path.mkdir, "plain")]
)
def test_only_a_plain_file_with_one_name_is_read(tmp_path: Path, make: Callable[[Path], object], word: str) -> None:
    make(tmp_path / "a.yaml")
    found = read(tmp_path / "a.yaml")
    assert isinstance(found, Refusal)
    assert word in found.text


def test_a_plain_file_is_read_and_a_missing_one_is_gone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    found = read(tmp_path / "a")
    assert isinstance(found, PlainFile)
    assert found.content == b"x"
    assert read(tmp_path / "b") is Withheld.GONE


def test_of_a_huge_file_only_a_little_is_read(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as out:
        out.truncate(1 << 40)
    found = read(tmp_path / "a")
    assert isinstance(found, PlainFile)
    assert len(found.content) == TASK_FILE_BYTES + 1


def test_who_writes_is_noticed_and_who_reads_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("x")
    with path.open() as ours, path.open():
        assert not is_being_written(ours.fileno())
        with path.open("a"):
            assert is_being_written(ours.fileno())
            assert read(path) is Withheld.BUSY
        assert not is_being_written(ours.fileno())


HOLD_A_LEASE = """
    import fcntl, os, sys
    from orchd.adapters.plain_file import take_lease
    handle = os.open(sys.argv[1], os.O_RDONLY)
    {take}
    print("held", flush=True)
    sys.stdin.readline()
    print("alive", flush=True)
"""


def hold_while_somebody_opens(path: Path, take: str) -> tuple[str, int]:
    script = textwrap.dedent(HOLD_A_LEASE).format(take=take)
    argv = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(BlockingIOError):
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        out, _ = child.communicate("go on\n", timeout=30)
    return out, child.returncode


def test_somebody_who_opens_the_file_at_the_wrong_moment_does_not_end_us(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert hold_while_somebody_opens(tmp_path / "a", "take_lease(handle)") == ("alive\n", 0)


def test_with_the_signal_that_leases_send_by_default_it_would(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    take = "fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)"
    assert hold_while_somebody_opens(tmp_path / "a", take) == ("", -signal.SIGIO)
