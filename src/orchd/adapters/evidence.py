"""The folder of a run and the evidence in it, for the daemon and for clients: imports nothing heavy.

    stdin, private/ what an agent is told, and the files of its program
    progress.json   what an agent's stream has said so far, written again and again; of a later command: with its place
    step            which step of a task began last, and when
    order.json      what was asked, and the paths and command lines that the adapter worked out; written before the start
    started.json    who supervises it: boot, process id, start time; created exclusively, so a run starts once for ever
    beat            the heartbeat of the supervisor, see `heartbeat`; the only file here that is written again and again
    out.log, out.tail.*   what the commands printed; the layout is in `run_log`, read it with `read_log`
    supervisor.err  what a supervisor said that died of an error of its own
    result.pack     the commits that were collected, if there were any
    exit.json       how it ended; written last
    returned.json   what the airlock did with the result
    live/           what a task has committed while it runs, see `live_evidence`
    notes/          a copy of each note that the task was given while it ran

Rule: evidence is never changed. What cannot be read is no reason to stop: it counts as lost or as not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchd.adapters.agent_launch import STDIN, Launched
from orchd.adapters.codec import decode, dumps, encode
from orchd.adapters.durable import write_durably
from orchd.adapters.heartbeat import read_beat_age
from orchd.adapters.place import Place
from orchd.adapters.processes import Identity, is_alive, measure_age
from orchd.adapters.run_files import EXIT, NOTES, ORDER, RESULT, RETURNED, STARTED
from orchd.adapters.run_log import LogChunk, log_chunks, split_lines
from orchd.adapters.run_step import list_progress
from orchd.core.steps import list_reports
from orchd.errors import OrchdError, UsageError
from orchd.model.agent import Report
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId
from orchd.model.run import CommandResult, Exit, Outcome, Returned, RunOrder


@dataclass(frozen=True, slots=True)
class Ordered:
    """`order.json`: all that a supervisor needs besides the environment, which may hold secrets and is not stored.

    `argv` are the sandboxed command lines, one per command; `git` and `sandboxed_git` begin a git command line; `marks`
    are the environment entries by which a process of this run is known; `tree` is that of the commit, `kit` the file to
    make the workspace from (empty: git does it), `launched` what the programs of agents
    need besides, one per command (empty: there are none).
    """

    order: RunOrder
    workspace: str
    repository: str
    tree: Oid
    argv: tuple[tuple[str, ...], ...]
    git: tuple[str, ...]
    sandboxed_git: tuple[str, ...]
    git_environment: dict[str, str]
    marks: tuple[str, ...]
    grace_seconds: float
    kit: str = ""
    launched: tuple[Launched, ...] = ()


@dataclass(frozen=True, slots=True)
class Running:
    """A run that goes on: the process id of its supervisor, seconds since its start and since its last heartbeat."""

    pid: int
    seconds: float
    beat_seconds: float


_FOLLOW_SECONDS = 0.1


def run_folder(place: Place, run: RunId) -> Path:
    """The folder of a run's evidence. Raises UsageError when `run` cannot be the name of a folder."""
    return place.runs / _checked(run)


def workspace_of(place: Place, run: RunId) -> Path:
    """The workspace of a run. Raises UsageError when `run` cannot be the name of a folder."""
    return place.workspaces / _checked(run)


def result_pack(place: Place, run: RunId) -> Path:
    """The pack of what a run made; it exists when its exit has a tip."""
    return run_folder(place, run) / RESULT


def read_started(place: Place, run: RunId) -> Identity | None:
    """Who supervises or supervised this run. None: it was never started."""
    data = read_json(run_folder(place, run) / STARTED)
    if data is None:
        return None
    try:
        return Identity(**data)
    except TypeError:
        return Identity("", 0, 0)  # started by somebody, and nobody who lives


def read_exit(place: Place, run: RunId) -> Exit | None:
    """How it ended. None: it has not, or nobody could say so."""
    data = read_json(run_folder(place, run) / EXIT)
    if data is None:
        return None
    try:
        return decode(Exit, data)
    except OrchdError as error:
        return Exit(Outcome.LOST, detail=str(error))


def read_reports(place: Place, run: RunId) -> tuple[tuple[str, Report], ...]:
    """What each of its agents has said so far, or in all, after the name of its command; nothing: it has none, or they have
    said nothing yet."""
    told = list_reports(read_exit(place, run))
    return told or tuple(_read_progress(run_folder(place, run)))


def _read_progress(folder: Path) -> Iterator[tuple[str, Report]]:
    order = (read_json(folder / ORDER) or {}).get("order") or {}
    names = [command.get("name", "") for command in order.get("commands", ())]
    for at, path in list_progress(folder):
        with contextlib.suppress(OrchdError):
            yield (names[at] if at < len(names) else "", decode(Report, read_json(path) or {}))


def read_prompt(place: Place, run: RunId) -> str | None:
    """What its agents were told at their start, one after the other. None: it had none."""
    files = sorted(run_folder(place, run).glob(f"{STDIN}*"), key=lambda path: (len(path.name), path.name))
    return "\n".join(path.read_text(encoding="utf-8") for path in files) if files else None


def read_program(place: Place, run: RunId) -> str:
    """The program of the agents of a run; empty when it had none."""
    data = read_json(run_folder(place, run) / ORDER) or {}
    jobs = (command.get("job") or {} for command in (data.get("order") or {}).get("commands", ()))
    return str(next((job["program"] for job in jobs if "program" in job), ""))


def read_returned(place: Place, run: RunId) -> Returned | None:
    """What the airlock did with the result. None: nothing yet."""
    data = read_json(run_folder(place, run) / RETURNED)
    try:
        return None if data is None else decode(Returned, data)
    except OrchdError:
        return None


def read_running(place: Place, run: RunId) -> Running | None:
    """The supervisor of a run that goes on. None: it was not started, has ended or was lost."""
    who = read_started(place, run)
    if who is None or not is_alive(who) or read_exit(place, run):
        return None
    seconds = measure_age(who)
    beat = read_beat_age(run_folder(place, run))
    return Running(who.pid, seconds, seconds if beat is None else beat)


def read_log(place: Place, run: RunId) -> Iterator[bytes]:
    """What the commands of a run have printed until now, line by line. A line of its own says how much was left out."""
    return split_lines(log_chunks(run_folder(place, run)))


def follow_log(place: Place, run: RunId) -> Iterator[bytes]:
    """Like `read_log`, and goes on until the run has ended."""
    return split_lines(_follow_chunks(place, run))


def _follow_chunks(place: Place, run: RunId) -> Iterator[LogChunk]:
    position, goes_on = 0, True
    while goes_on:
        # Asked before reading, so that what was printed last is not missed.
        goes_on = read_running(place, run) is not None
        for chunk in log_chunks(run_folder(place, run), position):
            yield chunk
            position = chunk.end
        if goes_on:
            time.sleep(_FOLLOW_SECONDS)


def write_ordered(place: Place, ordered: Ordered) -> None:
    """Store, durably, what is about to be started."""
    write_durably(run_folder(place, ordered.order.id) / ORDER, dumps(encode(ordered)))


def write_answered(place: Place, run: RunId, tip: Oid, fence: int) -> None:
    """Store, durably, that this attempt had no command: it took up the result `tip` again."""
    folder = run_folder(place, run)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(folder / EXIT, dumps(encode(Exit(Outcome.EXITED, (CommandResult("answer", 0, 0.0),), tip, fence=fence))))


def write_returned(place: Place, run: RunId, returned: Returned) -> None:
    """Store, durably, what the airlock did."""
    write_durably(run_folder(place, run) / RETURNED, dumps(encode(returned)))


def write_told(place: Place, run: RunId, name: str, text: str) -> None:
    """Keep a note that the task was given. Does nothing for a run that never was."""
    folder = run_folder(place, run) / NOTES
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        return
    write_durably(folder / name, text.encode())


def read_told(place: Place, run: RunId) -> dict[str, str]:
    """The notes that a task was given, by file name."""
    folder = run_folder(place, run) / NOTES
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - asked at every look
    return {name: (folder / name).read_text() for name in names if not name.startswith(".")}


def read_json(path: Path) -> Any:
    """The data of an evidence file; None when it is not there, and nothing when it is damaged."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _checked(run: RunId) -> str:
    if not run or run.startswith(".") or "/" in run or "\0" in run:
        raise UsageError(f"{run!r} is not the id of a run", "`orchd ps` lists them")
    return run
