"""Carries out one deployment: a fresh checkout of exactly the freight, its commands, the end of what they printed.

Rule: when a command is over, none of its processes is left; what an earlier deployment that was killed left running is ended
first, so two deployments to one environment never run beside each other.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from orchd.adapters.place import Place
from orchd.adapters.process_tree import Ended, ProcessTree
from orchd.adapters.processes import find_marked, is_alive, kill_all, send_signal
from orchd.adapters.runs import named_environment, workspace_git
from orchd.adapters.spawn import tied_process
from orchd.adapters.task_git import GitFailed, TaskGit
from orchd.adapters.workspace import build_workspace, remove_workspace
from orchd.errors import OrchdError
from orchd.model.config import Config
from orchd.model.limits import PREPARE_SECONDS, PROMOTION_LOG_BYTES
from orchd.model.promotion import Record

MARK = "ORCHD_WORKSPACE"
"""Names the folder of the checkout, which is the same for all deployments to one environment of one repository."""
_ROUND_SECONDS = 0.01
_STOPS = (signal.SIGINT, signal.SIGHUP)


class Deployment:
    """What is run for a promotion to `environment`. One in a process: it becomes the parent of all that is left behind. What
    the commands print goes to `show`, too."""

    def __init__(self, place: Place, config: Config, environment: str, show: Callable[[bytes], object]) -> None:
        self._config = config
        self._environment_name = environment
        self._show = show
        self._place = place
        self._folder = place.workspaces.with_name("deployments") / environment
        self._mark = {MARK: str(self._folder)}
        self._tree = ProcessTree()
        self._tail = bytearray()
        for number in _STOPS:
            signal.signal(number, _stop)

    @property
    def tail(self) -> str:
        """The end of what the commands printed."""
        return self._tail.decode(errors="replace")

    @contextmanager
    def checkout(self, record: Record) -> Iterator[None]:
        """The freight of a record in a folder outside of anybody's checkout, while the context lasts. Raises OrchdError."""
        self._end_earlier()
        remove_workspace(self._folder)
        try:
            prefix, environment = workspace_git(self._mark)
            git = TaskGit(self._tree, prefix, environment, self._folder, time.monotonic() + PREPARE_SECONDS)
            build_workspace(git, record.freight.commit, self._place.git_dir, "")
        except GitFailed as error:
            raise OrchdError(f"the checkout cannot be made: {error}") from error
        try:
            yield
        finally:
            remove_workspace(self._folder)

    def run(self, name: str, command: str, seconds: float, record: Record) -> str:
        """Run one command of a record; why it failed, empty when it did not."""
        if self._tree.stopping:
            return f"stopped before {name}"
        own = {
            "ORCHD_IDEMPOTENCY_KEY": record.key,
            "ORCHD_FREIGHT": record.freight.checkpoint,
            "ORCHD_ENVIRONMENT": self._environment_name,
            "ORCHD_COMMIT": record.freight.commit,
        }
        return _tell_end(name, self._run(command, seconds, own), seconds, stopped=self._tree.stopping)

    def judge(self, command: str, seconds: float, variables: Mapping[str, str]) -> Ended:
        """Run a gate, which is told nothing of the environment: its answer counts for others, too. Raises OrchdError when it
        was stopped by a signal, for then it has not answered."""
        ended = self._run(command, seconds, variables)
        if self._tree.stopping:
            raise OrchdError("stopped by a signal before all gates had answered", "nothing was deployed")
        return ended

    def _run(self, command: str, seconds: float, own: Mapping[str, str]) -> Ended:
        start = tied_process(("/bin/sh", "-c", command), str(self._folder), self._environment(own))
        return self._tree.run(start, seconds, self._config.kill_grace_seconds, self._take)

    def _environment(self, own: Mapping[str, str]) -> Mapping[str, str]:
        whole = {**named_environment(self._config), **self._mark, **own, "PWD": str(self._folder)}
        return {name: value for name, value in whole.items() if not name.startswith("GIT_")}

    def _take(self, data: bytes) -> None:
        self._tail += data
        del self._tail[:-PROMOTION_LOG_BYTES]
        self._show(data)

    def _end_earlier(self) -> None:
        """First politely, then not."""
        marks = [os.fsencode(f"{MARK}={self._folder}")]
        left = [listed.identity for listed in find_marked(marks)]
        until = time.monotonic() + self._config.kill_grace_seconds
        for who in left:
            send_signal(who, signal.SIGTERM)
        while any(map(is_alive, left)) and time.monotonic() < until:
            time.sleep(_ROUND_SECONDS)
        while more := find_marked(marks):
            kill_all(more)
            time.sleep(_ROUND_SECONDS)


def _stop(*_: object) -> None:
    """As the process tree hears it: what runs is ended, and the record says so."""
    os.kill(os.getpid(), signal.SIGTERM)


def _tell_end(name: str, ended: Ended, seconds: float, *, stopped: bool) -> str:
    if stopped:
        return f"stopped by a signal during {name}"
    if ended.timed_out:
        return f"{name} took longer than {seconds:g} s"
    return f"{name} ended with exit code {ended.code}" if ended.code else ""
