"""The fork server and the supervisors it makes: one process per run that starts it, watches it and leaves evidence.

It runs as `python -I -S` without site-packages and imports the standard library and its light neighbours only, once: a
supervisor then costs a fork and not the start of an interpreter. The server lives as long as the daemon holds its socket;
supervisors outlive both. Rule: `started.json` is created exclusively and durably before anything else, and `exit.json` is
written last, when no process of the run is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import json
import math
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias

from orchd.adapters.collect import Base, Collected, collect_result, commit_step
from orchd.adapters.durable import create_durably, write_durably
from orchd.adapters.heartbeat import begin_beating
from orchd.adapters.live_commits import LiveCommits
from orchd.adapters.process_tree import Ended, ProcessTree
from orchd.adapters.processes import Identity, find_below, find_marked, identify, is_alive, kill_all, send_signal
from orchd.adapters.room import was_starved
from orchd.adapters.run_files import ERRORS, EXIT, LIVE, ORDER, RESULT, SALVAGE_LOCK, STARTED, STEPS
from orchd.adapters.run_log import RunLog
from orchd.adapters.run_step import name_progress, note_step, read_told
from orchd.adapters.spawn import tied_process
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.adapters.workspace import CONTROL_FOLDER, Prepared, build_workspace, remove_unfinished
from orchd.model.limits import COLLECT_SECONDS, LIVE_SECONDS, PREPARE_SECONDS

# One JSON object per line from the daemon, with the pipe for the answer: what to do, the run folder, the environment
# (which may hold secrets and is therefore not in a file).
Request: TypeAlias = "Mapping[str, Any]"
# `order.json`, as `evidence.Ordered` says.
Ordered: TypeAlias = "Mapping[str, Any]"
Result: TypeAlias = "dict[str, Any]"

_LINE_BYTES = 65536
_SURVIVOR_ROUND_SECONDS = 0.01
_REVOKE_SECONDS = 5.0
_REVOKE = "revoke"


class Ran(NamedTuple):
    """What the commands of a run came to, in the words of `model.run.Exit`."""

    outcome: str
    results: tuple[Result, ...] = ()
    detail: str = ""
    report: Mapping[str, Any] | None = None
    starved: bool = False


def serve(handle: int) -> None:
    """Fork for every request on the socket `handle` until its other end is closed."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps: no zombies
    gc.collect()
    gc.freeze()  # a collection in a child would copy every page that it shares with this process
    with socket.socket(fileno=handle) as server:
        for line, answer in _requests(server):
            if os.fork() == 0:
                server.close()
                _become_supervisor(json.loads(line), answer)
            os.close(answer)


def _requests(server: socket.socket) -> Iterator[tuple[bytes, int]]:
    while True:
        line, handles, _, _ = socket.recv_fds(server, _LINE_BYTES, 1)
        while line and not line.endswith(b"\n"):
            more = server.recv(_LINE_BYTES)
            line = line + more if more else b""
        if not line:
            return
        yield line, handles[0]


def _become_supervisor(request: Request, answer: int) -> NoReturn:
    folder = Path(request["folder"])
    _detach(folder)
    _VERBS[request["verb"]](folder, request, answer)
    os._exit(0)


def _detach(folder: Path) -> None:
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    errors = os.open(folder / ERRORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, source in enumerate((null, null, errors)):
        os.dup2(source, target)


def _supervise(folder: Path, request: Request, answer: int) -> None:
    tree = ProcessTree()
    begin_beating(folder)
    who = _own_identity()
    if not create_durably(folder / STARTED, _dumps(who)):
        return _tell(answer, None)
    _tell(answer, who)
    ordered = json.loads((folder / ORDER).read_bytes())
    log = RunLog(folder)
    begin = time.monotonic()
    prepared, ran = _prepare_and_run(tree, ordered, request["environment"], log)
    folders = (ordered["workspace"], request["environment"].get("TMPDIR", "/tmp"))  # noqa: S108 - it is only looked at
    ran = ran._replace(starved=was_starved(ran.detail, folders))
    seconds = time.monotonic() - begin
    log.close()
    tree.ignore_stop()
    made, detail = _collect(tree, folder, ordered, prepared) if ran.results else (Collected(), ran.detail)
    _leave_evidence(folder, ordered, ran._replace(detail=detail), made, seconds)
    return None


def _prepare_and_run(
    tree: ProcessTree, ordered: Ordered, environment: Mapping[str, str], log: RunLog
) -> tuple[Prepared | None, Ran]:
    launched = ordered.get("launched", ())
    refusal = next((one["refusal"] for one in launched if one.get("refusal")), "")
    if refusal:
        return None, Ran("unprepared", detail=refusal, report={"error": refusal})
    try:
        git = _git_of(tree, ordered, "git", PREPARE_SECONDS)
        order, repository = ordered["order"], Path(ordered["repository"])
        prepared = build_workspace(git, order["commit"], repository, ordered.get("kit", ""), order.get("brief", ""))
    except GitFailed as error:
        return None, Ran("stopped") if tree.stopping else Ran("unprepared", detail=str(error))
    if order["collect"]:
        live = LiveCommits(_git_of(tree, ordered, "sandboxed_git", COLLECT_SECONDS), order["commit"], log.folder / LIVE)
        tree.set_pulse(live.pulse, LIVE_SECONDS)
    _ignore(Path(ordered["workspace"]), [pattern for one in launched for pattern in one.get("ignored", ())])
    ran = _run_commands(tree, ordered, environment, log, Steps(tree, ordered, prepared, log.folder / STEPS))
    tree.set_pulse(int, math.inf)
    return prepared, ran


def _run_commands(tree: ProcessTree, ordered: Ordered, environment: Mapping[str, str], log: RunLog, steps: Steps) -> Ran:
    results: list[Result] = []
    report: Mapping[str, Any] | None = None
    order = ordered["order"]
    for at, command in enumerate(order["commands"]):
        if tree.stopping:
            break
        if results and report is not None:
            results[-1]["report"] = report
        own = {**_without_keys(environment, ordered, at), **dict(command.get("env", ()))}
        if order["collect"] and len(order["commands"]) > 1:
            note_step(log.folder, command["name"])
        result, report = (_run_agent if command.get("job") else _run_command)(tree, ordered, at, own, log)
        results.append(result)
        if result["code"] != 0 or result["timed_out"] or not (report is None or report.get("finished")):
            break
        if order["collect"] and command is not order["commands"][-1]:
            log.write(steps.keep(command["name"], demands=command.get("demands", False)).encode())
            if steps.idle:
                result["idle"] = True
                break
            if report is not None:
                _forget_parts(Path(ordered["workspace"]))
    return Ran(_outcome_of(tree, results), tuple(results), report=report)


def _forget_parts(workspace: Path) -> None:
    """What an agent proposed for its step is nothing for the next one."""
    from orchd.adapters.plain_file import hold_folder
    from orchd.core.parts import PARTS

    with contextlib.suppress(OSError), hold_folder(workspace.parent, (workspace.name, ".git", CONTROL_FOLDER)) as folder:
        if isinstance(folder, int):
            os.unlink(f"{PARTS}.ask", dir_fd=folder)


def _without_keys(environment: Mapping[str, str], ordered: Ordered, at: int) -> Mapping[str, str]:
    """What the command at this place gets: keys only where it is the agent that they are for."""
    keys = [one.get("keys", ()) for one in ordered.get("launched", ())]
    others = {name for names in keys for name in names}.difference(keys[at] if keys else ())
    return {name: value for name, value in environment.items() if name not in others}


def _run_command(
    tree: ProcessTree, ordered: Ordered, at: int, environment: Mapping[str, str], log: RunLog
) -> tuple[Result, None]:
    begin, command = time.monotonic(), ordered["order"]["commands"][at]
    start = tied_process(tuple(ordered["argv"][at]), ordered["workspace"], environment)
    ended = tree.run(start, command["timeout_seconds"], ordered["grace_seconds"], log.write)
    return _tell_result(command, ended, begin), None


def _tell_result(command: Mapping[str, Any], ended: Ended, begin: float) -> Result:
    seconds = round(time.monotonic() - begin, 3)
    return {"name": command["name"], "code": ended.code, "seconds": seconds, "timed_out": ended.timed_out}


class Steps:
    """The checkpoints of a task's steps, written to `file` as they are made."""

    def __init__(self, tree: ProcessTree, ordered: Ordered, prepared: Prepared, file: Path) -> None:
        self._tree = tree
        self._ordered = ordered
        self._prepared = prepared
        self._file = file
        self._made: list[dict[str, str]] = []
        self.idle = False

    def keep(self, name: str, *, demands: bool) -> str:
        """Commit what there is at the end of the step `name`. Gives a word for the log. Without a checkpoint the task goes on
        all the same: only going on from here is not possible then. A step that `demands` a change and has none is `idle`."""
        ordered = self._ordered
        order, base = ordered["order"], Base(ordered["order"]["commit"], ordered["tree"])
        git = _git_of(self._tree, ordered, "sandboxed_git", COLLECT_SECONDS)
        try:
            commit = commit_step(git, base, self._prepared, f"{order.get('message', '')}Orch-Step: {name}\n")
        except GitFailed as error:
            return f"orchd: step {name} has no checkpoint: {error}\n"
        before = self._made[-1]["commit"] if self._made else order["commit"]
        self.idle = demands and commit == before
        if self.idle:
            return f"orchd: step {name} has changed nothing\n"
        self._made.append({"name": name, "commit": commit})
        write_durably(self._file, _dumps(self._made))
        return f"orchd: step {name} is done, {commit[:12]}\n"


def read_steps(folder: Path) -> list[dict[str, str]]:
    """The checkpoints of a run's steps so far."""
    try:
        made: list[dict[str, str]] = json.loads((folder / STEPS).read_bytes())
    except (OSError, ValueError):
        return []
    return made


def _run_agent(
    tree: ProcessTree, ordered: Ordered, at: int, environment: Mapping[str, str], log: RunLog
) -> tuple[Result, Mapping[str, Any]]:
    """The command of an agent, which is watched as it works. What that takes is only read here: it weighs more than all
    other supervisors need."""
    from orchd.adapters.agent_diary import DiaryReader
    from orchd.adapters.agent_launch import Launched
    from orchd.adapters.agent_watch import AgentWatch
    from orchd.adapters.agents.programs import PROGRAMS
    from orchd.adapters.codec import decode, encode
    from orchd.adapters.keys import Cleaner
    from orchd.model.agent import Job

    begin, command = time.monotonic(), ordered["order"]["commands"][at]
    job, launched = decode(Job, command["job"]), decode(Launched, ordered["launched"][at])
    program, own = PROGRAMS[job.program], {**environment, **dict(launched.env)}
    diary = DiaryReader(program.signs.diary, own, job.resume)
    watch = AgentWatch(program, job.clocks, tree, name_progress(log.folder, at), diary)
    cleaner, take = Cleaner(environment.get(name, "") for name in launched.keys), watch.tee(log.write)
    start = tied_process(tuple(ordered["argv"][at]), ordered["workspace"], own, launched.stdin)
    with tree.also_pulse(watch.pulse):
        ended = tree.run(start, command["timeout_seconds"], ordered["grace_seconds"], lambda data: take(cleaner.feed(data)))
    take(cleaner.rest())
    report: Mapping[str, Any] = encode(watch.close(ended.code, timed_out=ended.timed_out))
    return _tell_result(command, ended, begin), report


def _ignore(workspace: Path, patterns: Sequence[str]) -> None:
    """What programs leave for themselves is no work."""
    if patterns:
        (workspace / ".git/info/exclude").write_text("".join(f"{pattern}\n" for pattern in dict.fromkeys(patterns)))


def _outcome_of(tree: ProcessTree, results: list[Result]) -> str:
    if tree.stopping:
        return "stopped"
    return "timeout" if any(result["timed_out"] for result in results) else "exited"


def _salvage(folder: Path, request: Request, answer: int) -> None:
    with (folder / SALVAGE_LOCK).open("a+b", buffering=0) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _let_go_on(folder / SALVAGE_LOCK)
            return _tell(answer, None)
        lock.truncate(0)
        lock.write(_dumps(_own_identity()))
        _tell(answer, _own_identity())
        if request["verb"] == _REVOKE:
            _end_supervisor(folder)
        if not (folder / EXIT).exists():
            _salvage_alone(folder, json.loads((folder / ORDER).read_bytes()))
    return None


def _let_go_on(lock: Path) -> None:
    """A survivor of the run can stop (SIGSTOP) the process that salvages it."""
    with contextlib.suppress(ValueError, TypeError, OSError):
        send_signal(Identity(**json.loads(lock.read_bytes())), signal.SIGCONT)


def _salvage_alone(folder: Path, ordered: Ordered) -> None:
    workspace = Path(ordered["workspace"])
    _end_survivors(ordered)
    remove_unfinished(workspace)
    tree = ProcessTree()
    tree.ignore_stop()
    try:
        made, detail = _collect(tree, folder, ordered, None) if os.path.lexists(workspace) else (Collected(), "")
        _leave_evidence(folder, ordered, Ran("lost", detail=detail, report=read_told(folder)), made)
    except OSError:  # of the machine: it may be better the next time
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it would be the same for ever; the workspace is kept
        import traceback

        traceback.print_exc()
        _leave_evidence(folder, ordered, Ran("lost", detail=f"it could not be collected: {error!r}"), Collected())


def _end_supervisor(folder: Path) -> None:
    """Kill a supervisor that is there but does nothing, and before it what runs below it: once it is gone, nobody knows any
    more what was below. It is stopped meanwhile, so that it starts nothing."""
    who = Identity(**json.loads((folder / STARTED).read_bytes()))
    send_signal(who, signal.SIGSTOP)
    until = time.monotonic() + _REVOKE_SECONDS
    while is_alive(who) and (below := find_below(who.pid)) and time.monotonic() < until:
        kill_all(below)
        time.sleep(_SURVIVOR_ROUND_SECONDS)
    send_signal(who, signal.SIGKILL)
    while is_alive(who) and time.monotonic() < until:
        time.sleep(_SURVIVOR_ROUND_SECONDS)


def _end_survivors(ordered: Ordered) -> None:
    """Like the end of a process tree, for processes that are not our children and can only be asked about."""
    marks = [os.fsencode(mark) for mark in ordered["marks"]]
    survivors = [listed.identity for listed in find_marked(marks)]
    until = time.monotonic() + ordered["grace_seconds"]
    for who in survivors:
        send_signal(who, signal.SIGTERM)
    while any(map(is_alive, survivors)) and time.monotonic() < until:
        time.sleep(_SURVIVOR_ROUND_SECONDS)
    while left := find_marked(marks):
        kill_all(left)
        time.sleep(_SURVIVOR_ROUND_SECONDS)


def _leave_evidence(folder: Path, ordered: Ordered, ran: Ran, made: Collected, seconds: float = 0.0) -> None:
    fence = ordered["order"].get("fence", 0)
    evidence = {**ran._asdict(), **made._asdict(), "seconds": round(seconds, 3), "fence": fence, "steps": read_steps(folder)}
    write_durably(folder / EXIT, _dumps(evidence))


def _collect(tree: ProcessTree, folder: Path, ordered: Ordered, prepared: Prepared | None) -> tuple[Collected, str]:
    """The commits, and why there are none though something may have changed."""
    order = ordered["order"]
    if not order["collect"]:
        return Collected(), ""
    git = _git_of(tree, ordered, "sandboxed_git", COLLECT_SECONDS)
    base = Base(order["commit"], ordered["tree"])
    try:
        return collect_result(git, base, prepared, order.get("message", ""), folder / RESULT), ""
    except GitFailed as error:
        return Collected(), str(error)


def _git_of(tree: ProcessTree, ordered: Ordered, prefix: str, seconds: float) -> TaskGit:
    workspace = Path(ordered["workspace"])
    return TaskGit(tree, tuple(ordered[prefix]), ordered["git_environment"], workspace, time.monotonic() + seconds)


def _tell(answer: int, who: Mapping[str, object] | None) -> None:
    """End the wait of the daemon: who does it, or None when another one did or does. Without an answer this process died."""
    with contextlib.suppress(BrokenPipeError):  # the daemon was killed; the run goes on
        os.write(answer, _dumps(who))
    os.close(answer)


def _own_identity() -> Mapping[str, object]:
    who = identify(os.getpid())
    return who._asdict() if who else {}


def _dumps(data: object) -> bytes:
    return (json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n").encode(errors="replace")


_VERBS: Mapping[str, Callable[[Path, Request, int], None]] = {"start": _supervise, "salvage": _salvage, _REVOKE: _salvage}
