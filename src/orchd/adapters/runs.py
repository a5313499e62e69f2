"""Supervised runs (port `Runs`): starting them, and telling from what they leave how far they are.

Rule: nothing about a run is known from memory. What is remembered is evidence that cannot change any more, a pidfd, or for
how long a heartbeat has stood still, which is measured anew after a restart.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping

from orchd.adapters.agent_launch import NOTHING_LAUNCHED, Launched, Lodging, prepare_launch
from orchd.adapters.control_folder import write_note
from orchd.adapters.durable import sync_folder
from orchd.adapters.evidence import (
    Ordered,
    read_started,
    run_folder,
    workspace_of,
    write_ordered,
    write_told,
)
from orchd.adapters.fork_server import ForkServer
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import HERMETIC_CONFIG, HERMETIC_ENVIRONMENT
from orchd.adapters.heartbeat import HeartbeatWatch
from orchd.adapters.keys import find_withheld
from orchd.adapters.kits import Kits
from orchd.adapters.process_watch import ProcessWatch
from orchd.adapters.processes import send_signal
from orchd.adapters.run_files import ERRORS, STARTED
from orchd.adapters.run_sight import RunSight
from orchd.adapters.workspace import (
    CONTROL_FOLDER,
    make_private_folder,
    remove_trash,
    remove_workspace,
    set_aside,
)
from orchd.adapters.workspace_names import list_workspaces
from orchd.errors import GitError
from orchd.model.config import Config
from orchd.model.ids import Oid, RunId
from orchd.model.run import Command, Phase, RunOrder, RunSeen
from orchd.ports import Sandbox

PASSED = frozenset(
    ("PATH", "HOME", "LANG", "TERM", "TZ", "USER", "LOGNAME", "SHELL", "TMPDIR", "XDG_CACHE_HOME"),
)
"""Variables of the daemon that a task gets, besides `LC_*` and what the configuration names."""

_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_FORBIDDEN_PREFIX = "GIT_"
_FORMER_LIFE = ".before-"
_FORBIDDEN = "OLDPWD"
_ATTENTIVE = ("core.trustctime=true", "core.checkStat=default", "core.ignoreStat=false")
"""So that no configuration of a task lets git overlook a changed file."""
# A workspace need not survive a power cut: the result pack does, and it is synced.
_GIT_CONFIG = (*(pair for pair in HERMETIC_CONFIG if not pair.startswith("core.fsync")), *_ATTENTIVE)
_GIT = ("git", *(part for pair in _GIT_CONFIG for part in ("-c", pair)))


class SupervisedRuns:
    """Commands under supervisors. `wake` is called, from another thread, whenever a supervisor ends; `monotonic` is the
    clock that their heartbeats are watched by."""

    def __init__(
        self, repo: GitRepo, sandbox: Sandbox, wake: Callable[[], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        place = repo.place
        self._place = place
        self._repo = repo
        self._sandbox = sandbox
        self._kits = Kits(repo)
        self._server = ForkServer(place.orch / ERRORS)
        self._watch = ProcessWatch(wake)
        self._sight = RunSight(place, self._watch.add, HeartbeatWatch(monotonic))

    def start(self, order: RunOrder, config: Config) -> None:
        """See the port. Raises OrchdError when no supervisor could be started."""
        folder = run_folder(self._place, order.id)
        if (folder / STARTED).exists():
            return
        make_private_folder(folder)
        sync_folder(folder.parent)
        ordered = _work_out(self._repo, self._sandbox, order, config, self._kits)
        write_ordered(self._place, ordered)
        self._request("start", order.id, _task_environment(ordered, config))

    def stop(self, run: RunId) -> None:
        """See the port. A command can stop (SIGSTOP) its supervisor, which is its parent: it is let go on."""
        who = read_started(self._place, run)
        if who:
            send_signal(who, signal.SIGTERM)
            send_signal(who, signal.SIGCONT)

    def tell(self, run: RunId, name: str, text: str) -> None:
        """See the port."""
        write_note(self._place, run, name, text)
        write_told(self._place, run, name, text)

    def salvage(self, run: RunId) -> None:
        """See the port. Returns when it has begun; the end wakes."""
        if self._sight.see(run).phase is Phase.LOST:
            self._request("salvage", run, {})

    def revoke(self, run: RunId) -> None:
        """See the port. Returns when it has begun; the end wakes."""
        if self._sight.see(run).phase in (Phase.RUNNING, Phase.LOST):
            self._request("revoke", run, {})

    def look(self, runs: Iterable[RunId]) -> Mapping[RunId, RunSeen]:
        """See the port."""
        return self._sight.look(runs)

    def leftovers(self) -> Mapping[RunId, RunSeen]:
        """See the port."""
        remove_trash(self._place.workspaces)
        return {run: self._sight.see(run) for run in list_workspaces(self._place.workspaces)}

    def discard(self, run: RunId) -> None:
        """See the port."""
        remove_workspace(workspace_of(self._place, run))

    def begin_anew(self) -> None:
        """See the port. What is stopped here ends in the folders that were set aside, without evidence."""
        self._sight.forget()
        for folder in (self._place.runs, self._place.workspaces):
            names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
            for run in names if folder == self._place.runs else ():
                self.stop(run)
            if names:
                set_aside(folder, _FORMER_LIFE)
                sync_folder(folder.parent)

    def close(self) -> None:
        """Stop watching. Runs go on."""
        self._watch.close()
        self._server.close()

    def _request(self, verb: str, run: RunId, environment: Mapping[str, str]) -> None:
        who = self._server.request(verb, run_folder(self._place, run), environment)
        if who:
            self._watch.add(who)


def _work_out(repo: GitRepo, sandbox: Sandbox, order: RunOrder, config: Config, kits: Kits) -> Ordered:
    workspace = str(workspace_of(repo.place, order.id))
    marks = {"ORCHD_RUN": order.id, "ORCHD_WORKSPACE": workspace}
    tree = _tree_of(repo, order.commit)
    control = f"{workspace}/.git/{CONTROL_FOLDER}" if order.brief else ""
    folder = run_folder(repo.place, order.id)
    begun = [_launch(one, Lodging(workspace, control, folder, at)) for at, one in enumerate(order.commands)]
    return Ordered(
        order=order,
        workspace=workspace,
        repository=str(repo.place.git_dir),
        tree=tree,
        argv=tuple(sandbox.wrap(argv, workspace) for argv, _ in begun),
        launched=tuple(launched for _, launched in begun) if order.job else (),
        git=_GIT,
        sandboxed_git=sandbox.wrap(_GIT, workspace),
        git_environment=workspace_git(marks)[1],
        marks=tuple(f"{name}={value}" for name, value in marks.items()),
        grace_seconds=config.kill_grace_seconds,
        kit=kits.find(tree),
    )


def _launch(command: Command, place: Lodging) -> tuple[tuple[str, ...], Launched]:
    """The command line, and what an agent needs besides."""
    if command.job is None:
        return ("/bin/sh", "-c", command.run), NOTHING_LAUNCHED
    return prepare_launch(command.job, place)


def _tree_of(repo: GitRepo, commit: Oid) -> Oid:
    """Empty when there is no such commit: then the supervisor cannot check it out and says so."""
    try:
        return repo.tree_of(commit)
    except (GitError, ValueError):
        return ""


def _task_environment(ordered: Ordered, config: Config) -> Mapping[str, str]:
    """From an allow-list; `PWD` because some agents take their folder from it."""
    own = dict(mark.split("=", 1) for mark in ordered.marks)
    if ordered.order.brief:
        own["ORCHD_CONTROL"] = f"{ordered.workspace}/.git/{CONTROL_FOLDER}"
    keys = {name: os.environ[name] for launched in ordered.launched for name in launched.keys}
    whole = {**passed_environment(config), **keys, **dict(ordered.order.env), **own, "PWD": ordered.workspace}
    return {name: value for name, value in whole.items() if not name.startswith(_FORBIDDEN_PREFIX) and name != _FORBIDDEN}


def workspace_git(marks: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command line up to git's own options, and the environment, of a git that lays out a workspace."""
    return _GIT, {"PATH": _path(), **HERMETIC_ENVIRONMENT, **marks}


def passed_environment(config: Config) -> Mapping[str, str]:
    """What tasks and gates get of our own environment: no keys of agents."""
    withheld = find_withheld() if config.env else frozenset()
    return {name: value for name, value in named_environment(config).items() if name not in withheld}


def named_environment(config: Config) -> Mapping[str, str]:
    """All that the configuration names of our own environment, for what a person has started."""
    named = PASSED.union(config.env)
    passed = {name: value for name, value in os.environ.items() if name in named or name.startswith("LC_")}
    return {"PATH": _path(), **passed}


def _path() -> str:
    return os.environ.get("PATH", _DEFAULT_PATH)
