"""All measurements in one run: `make bench`, or `python bench/measure.py [--quick] [SECTION ...]`.

Every figure is a median of several samples on this machine at this moment; nothing is taken from an earlier run. What
lands is checked in every round, because a fast run that loses a task is no run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from arbiter import measure_arbiter, measure_contention
from counting import Cost, list_children, read_memory, run_counted
from looks import World, build_world, open_world, time_first_look, time_looks
from orchd.cli import collect_rarely
from radar import measure_radar
from samples import ORCHD, Sample, make_sample, serve, wait_until
from tables import Row, describe_machine, render_rows
from takeover import measure_takeover

PLAIN = Path(__file__).with_name("plain.sh")
REST_SECONDS = 0.3
IDLE_SECONDS = 3.0
SMALL_FILES, LARGE_FILES = 10, 4000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    drops: int = 40
    rounds: int = 3
    tasks: int = 200
    large_tasks: int = 20
    looks: int = 20
    worlds: tuple[int, ...] = (10, 1_000, 10_000)
    commands: int = 15
    radar: int = 10
    takeovers: int = 7
    contests: int = 15


FEW = (10, 1_000)
QUICK = Size(drops=8, rounds=1, tasks=40, large_tasks=4, looks=5, worlds=FEW, commands=3, radar=3, takeovers=1, contests=3)


def main() -> int:
    """Measure the sections that were named, or all of them."""
    collect_rarely()  # as orchd's own processes do
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"any of: {', '.join(SECTIONS)}")
    parser.add_argument("--quick", action="store_true", help="fewer samples, for trying it out")
    parser.add_argument("--folder", type=Path, help="where the samples are made; default: the folder for temporary files")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}")
    print(describe_machine(asked.folder or Path(tempfile.gettempdir())), flush=True)
    for name in asked.sections or SECTIONS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="orchd-bench-", dir=asked.folder) as folder:
            rows = list(SECTIONS[name](Path(folder), QUICK if asked.quick else Size()))
        print(f"\n{name}\n\n{render_rows(rows)}", flush=True)
    return 0


def measure_drop(folder: Path, size: Size) -> Iterator[Row]:
    """From the rename of a task file to the first action of the task, which writes into a pipe that we listen to."""
    sample = make_sample(folder, SMALL_FILES)
    pipe = folder / "started"
    os.mkfifo(pipe)
    with serve(sample):
        listener = os.open(pipe, os.O_RDWR)
        values = [_time_drop(sample, pipe, listener, number) for number in range(size.drops + 1)]
        os.close(listener)
    yield Row("file drop to process start, daemon idle", "ms", tuple(values[1:]), most=150)


def _time_drop(sample: Sample, pipe: Path, listener: int, number: int) -> float:
    wait_until(lambda: _count_checkpoints(sample) == number, "the task before to land")
    time.sleep(REST_SECONDS + random.random())
    begin = time.monotonic()
    sample.write_task(f"task-{number}", f"echo > {pipe}; echo {number} > file-{number}", claims=[f"file-{number}"])
    if not select.select([listener], [], [], 30)[0]:
        raise TimeoutError("the task did not start")
    milliseconds = (time.monotonic() - begin) * 1000
    os.read(listener, 10)
    return milliseconds


def measure_tasks(folder: Path, size: Size) -> Iterator[Row]:
    """Trivial tasks against a shell script with plain git, in a small repository."""
    yield from _compare_tasks(folder, size.rounds, size.tasks, SMALL_FILES)


def measure_tasks_large(folder: Path, size: Size) -> Iterator[Row]:
    """The same in a repository of thousands of files."""
    yield from _compare_tasks(folder, size.rounds, size.large_tasks, LARGE_FILES)


def _compare_tasks(folder: Path, rounds: int, tasks: int, files: int) -> Iterator[Row]:
    pairs = [
        (_run_orchd(folder / f"a{turn}", tasks, files), _run_script(folder / f"b{turn}", tasks, files))
        for turn in range(rounds)
    ]
    start = [_run_orchd(folder / f"s{turn}", 0, files).cpu_seconds * 1000 for turn in range(rounds)]
    ours, theirs = (tuple(pair[side].cpu_seconds * 1000 / tasks for pair in pairs) for side in (0, 1))
    work = tuple(value - statistics.median(start) / tasks for value in ours)
    where = f"{tasks} tasks, {files} files"
    yield Row(f"{where}: tasks per second, end to end", "/s", tuple(tasks / pair[0].wall_seconds for pair in pairs))
    yield Row("the script, one after the other", "/s", tuple(tasks / pair[1].wall_seconds for pair in pairs))
    yield Row("CPU of orchd per task", "ms", ours)
    yield Row("CPU of the script per task", "ms", theirs)
    yield Row("CPU of orchd / script", "", tuple(a / b for a, b in zip(ours, theirs, strict=True)), most=1)
    yield Row("CPU of orchd / script, without orchd's start", "", tuple(a / b for a, b in zip(work, theirs, strict=True)))
    yield Row("CPU of `orchd run` with nothing to do", "ms", tuple(start))
    yield Row("CPU used by others meanwhile", "cores", tuple(_others(cost) for pair in pairs for cost in pair))


def _run_orchd(home: Path, tasks: int, files: int) -> Cost:
    sample = make_sample(home, files)
    sample.write_trivial_tasks(tasks)
    cost = run_counted([ORCHD, "run"], sample.top, sample.environment)
    _check_landed(sample, tasks)
    return cost


def _run_script(home: Path, tasks: int, files: int) -> Cost:
    sample = make_sample(home, files)
    cost = run_counted(["sh", str(PLAIN), str(home / "trees"), str(tasks)], sample.top, sample.environment)
    _check_landed(sample, tasks)
    return cost


def _check_landed(sample: Sample, tasks: int) -> None:
    if sample.count_landed() != tasks:
        raise RuntimeError(f"{sample.count_landed()} of {tasks} tasks are on main")


def _others(cost: Cost) -> float:
    return cost.others_seconds / cost.wall_seconds


def measure_look(folder: Path, size: Size) -> Iterator[Row]:
    """One look (load, observe, plan) at worlds with nothing to do."""
    for world in World:
        for count in size.worlds:
            sample = make_sample(folder / f"{world}-{count}", SMALL_FILES)
            reading = build_world(sample, world, count)
            with open_world(sample) as ports:
                first = time_first_look(ports)
                values = time_looks(ports, size.looks)
            target = 50 if (world, count) == (World.LANDED, 1_000) else None
            yield Row(f"one look, {count} {world} tasks", "ms", tuple(values), most=target)
            yield Row(f"first look after a restart, {count} {world} tasks", "ms", (first,))
            yield Row(f"reading {count} unknown task files", "ms", (reading * 1000,))


def measure_memory(folder: Path, size: Size) -> Iterator[Row]:
    """Of the daemon with few and many tasks, and of a supervisor."""
    for count in (min(size.worlds), max(size.worlds)):
        sample = make_sample(folder / f"m{count}", SMALL_FILES)
        build_world(sample, World.LANDED, count)
        yield from _measure_daemon(sample, f"daemon, idle, {count} tasks landed before its start")
    sample = make_sample(folder / "work", SMALL_FILES)
    sample.write_trivial_tasks(size.tasks)
    with serve(sample) as daemon:
        wait_until(lambda: sample.count_landed() == size.tasks, "all tasks to land")
        yield from _memory_rows(daemon, f"daemon after landing {size.tasks} tasks")
        yield from _measure_supervisor(sample, daemon)


def _measure_daemon(sample: Sample, what: str) -> Iterator[Row]:
    with serve(sample) as daemon:
        yield from _memory_rows(daemon, what)


def _memory_rows(daemon: int, what: str) -> Iterator[Row]:
    time.sleep(IDLE_SECONDS)
    memory = read_memory(daemon)
    yield Row(f"{what}: resident", "MiB", (memory.resident,), most=120)
    yield Row(f"{what}: resident at most", "MiB", (memory.peak,))


def _measure_supervisor(sample: Sample, daemon: int) -> Iterator[Row]:
    sample.write_task("sleeper", "sleep 600", claims=["sleeper"])
    wait_until(lambda: _running(sample), "a task to run")
    supervisor = _running(sample)[0]["pid"]
    wait_until(lambda: list_children(supervisor), "the command to run")
    yield Row("one supervisor: proportional share", "MiB", (read_memory(supervisor).share,))
    yield Row("fork server: proportional share", "MiB", tuple(read_memory(pid).share for pid in list_children(daemon)))
    sample.run(ORCHD, "cancel", "sleeper")
    wait_until(lambda: not _running(sample), "the task to end")


def _running(sample: Sample) -> list[Mapping[str, int]]:
    rows: list[Mapping[str, int]] = json.loads(sample.run(ORCHD, "ps", "--json"))["data"]
    return rows


def measure_commands(folder: Path, size: Size) -> Iterator[Row]:
    """CPU of client commands (with the git processes that they start), after some work."""
    sample = make_sample(folder, SMALL_FILES)
    sample.write_trivial_tasks(size.tasks)
    sample.run(ORCHD, "run", "-q")
    for words in ("--version", "status", "ps", "explain task-1", "checkpoints"):
        argv = [ORCHD, *words.split()]
        costs = [run_counted(argv, sample.top, sample.environment) for _ in range(size.commands)]
        target = 150 if words in ("status", "ps") else None
        yield Row(f"CPU of `orchd {words}`", "ms", tuple(cost.cpu_seconds * 1000 for cost in costs), most=target)


def _count_checkpoints(sample: Sample) -> int:
    return len(sample.git("tag", "--list", "checkpoint/*").splitlines())


SECTIONS: Mapping[str, Callable[[Path, Size], Iterator[Row]]] = {
    "drop": measure_drop,
    "tasks": measure_tasks,
    "tasks-large": measure_tasks_large,
    "look": measure_look,
    "radar": lambda folder, size: measure_radar(folder, LARGE_FILES, size.radar),
    "takeover": lambda folder, size: measure_takeover(folder, size.takeovers, size.commands),
    "arbiter": lambda _, size: measure_arbiter(size.worlds, size.looks),
    "contention": lambda _, size: measure_contention(size.contests),
    "memory": measure_memory,
    "commands": measure_commands,
}

if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stdout or ''}")
