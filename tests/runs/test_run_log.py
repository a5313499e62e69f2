"""The log keeps the beginning and the end of any output, in bounded space and memory, and can be followed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from runs_world import World, wait_for

from orchd.adapters.evidence import follow_log, read_log
from orchd.adapters.run_log import RunLog, log_chunks, split_lines

MIB = 1024 * 1024


def write_all(folder: Path, *pieces: bytes) -> None:
    log = RunLog(folder)
    for piece in pieces:
        log.write(piece)
    log.close()


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("out.*"))


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB])
def test_a_log_within_its_limits_is_kept_byte_by_byte(tmp_path: Path, size: int):
    text = bytes(range(256)) * (size // 256 + 1)
    write_all(tmp_path, text[:size])
    chunks = list(log_chunks(tmp_path))
    assert b"".join(chunk.data for chunk in chunks) == text[:size]
    assert not any(chunk.left_out for chunk in chunks)


@pytest.mark.parametrize("extra", [0, 1, 3 * MIB + 17])
def test_of_a_longer_log_the_head_and_the_tail_stay_and_the_gap_is_counted(tmp_path: Path, extra: int):
    size = 9 * MIB + extra
    text = b"".join(b"%015d\n" % number for number in range(size // 16 + 1))[:size]
    write_all(tmp_path, *(text[begin : begin + 70000] for begin in range(0, size, 70000)))
    chunks = list(log_chunks(tmp_path))
    kept = b"".join(chunk.data for chunk in chunks)
    gaps = [chunk.left_out for chunk in chunks if chunk.left_out]
    assert kept[:MIB] == text[:MIB]
    assert kept[-4 * MIB :] == text[-4 * MIB :]
    assert gaps == [size - len(kept)]
    assert size_of(tmp_path) <= 6 * MIB


def test_a_log_is_followed_from_the_end_of_what_was_read(tmp_path: Path):
    log = RunLog(tmp_path)
    log.write(b"one")
    (first,) = log_chunks(tmp_path)
    assert list(log_chunks(tmp_path, first.end)) == []
    log.write(b"two")
    assert [chunk.data for chunk in log_chunks(tmp_path, first.end)] == [b"two"]
    log.close()


def test_lines_are_whole_wherever_chunks_end_and_gaps_are_told(tmp_path: Path):
    from orchd.adapters.run_log import LogChunk

    chunks = [LogChunk(3, b"a\nb", 0), LogChunk(5, b"c\n", 0), LogChunk(20, b"d", 10)]
    assert list(split_lines(chunks)) == [b"a\n", b"bc\n", b"\n", b"[orchd: 10 bytes left out]\n", b"d"]


def test_standard_output_and_errors_are_in_the_log_in_order(world: World):
    world.run("a.1.1", "echo one; echo two >&2; echo three")
    assert list(read_log(world.place, "a.1.1")) == [b"one\n", b"two\n", b"three\n"]


def test_output_that_came_just_before_the_end_is_in_the_log(world: World):
    world.run("a.1.1", "seq 20000 & wait")
    assert list(read_log(world.place, "a.1.1"))[-1] == b"20000\n"


def test_following_shows_lines_as_they_come_and_ends_with_the_run(world: World):
    world.start("a.1.1", "echo one; until [ -e go ]; do sleep 0.01; done; echo two")
    lines: list[bytes] = []
    thread = threading.Thread(target=lambda: lines.extend(follow_log(world.place, "a.1.1")))
    seen: list[bytes] = []
    following = follow_log(world.place, "a.1.1")
    seen.append(next(following))
    thread.start()
    (world.workspace("a.1.1") / "go").touch()
    seen.extend(following)
    thread.join()
    assert seen == lines == [b"one\n", b"two\n"]


def test_a_flood_of_output_goes_through_a_supervisor_of_constant_size(world: World):
    line = "head -c 200000000 /dev/zero | tr '\\0' 'x'; touch done; until [ -e go ]; do sleep 0.01; done"
    world.start("a.1.1", line)
    wait_for((world.workspace("a.1.1") / "done").exists)
    status = Path(f"/proc/{world.supervisor('a.1.1')}/status").read_text()
    high = int(next(row for row in status.splitlines() if row.startswith("VmHWM")).split()[1])
    (world.workspace("a.1.1") / "go").touch()
    assert world.end("a.1.1").results[0].code == 0
    assert high < 24 * 1024
    assert size_of(world.folder("a.1.1")) <= 6 * MIB
    chunks = list(log_chunks(world.folder("a.1.1")))
    assert sum(len(chunk.data) + chunk.left_out for chunk in chunks) == 200000000
