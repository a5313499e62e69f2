"""A memory twin of the port `Runs`: it passes the same contract suite as the supervisors, without processes.

It understands two command lines: `exit N`, which ends at once, and everything else, which goes on until it is stopped or lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from orchd.model.config import Config
from orchd.model.ids import RunId
from orchd.model.run import CommandResult, Exit, Outcome, Phase, Returned, RunOrder, RunSeen

Script = Callable[[RunOrder], Exit | None]


def play_commands(order: RunOrder) -> Exit | None:
    """How the commands end; None when one of them goes on."""
    results: list[CommandResult] = []
    for command in order.commands:
        said = re.fullmatch(r"exit (\d+)", command.run)
        if said is None:
            return None
        results.append(CommandResult(command.name, int(said[1]), 0.0))
        if results[-1].code:
            break
    return Exit(Outcome.EXITED, tuple(results))


class ScriptedRuns:
    """`script` says how an order ends, None for one that goes on until `finish`, `lose` or `stop`."""

    def __init__(self, script: Script = play_commands) -> None:
        self.orders: dict[RunId, RunOrder] = {}
        self._script = script
        self._exits: dict[RunId, Exit | None] = {}
        self._lost: set[RunId] = set()
        self._returned: dict[RunId, Returned] = {}
        self._workspaces: set[RunId] = set()
        self.told: dict[RunId, dict[str, str]] = {}
        self.asked: dict[RunId, dict[str, tuple[str, ...]]] = {}

    def start(self, order: RunOrder, config: Config) -> None:
        if order.id not in self.orders:
            self.orders[order.id] = order
            self._workspaces.add(order.id)
            self._exits[order.id] = self._script(order)

    def stop(self, run: RunId) -> None:
        if self._see(run).phase is Phase.RUNNING:
            self.finish(run, Exit(Outcome.STOPPED))

    def tell(self, run: RunId, name: str, text: str) -> None:
        if run in self.orders:
            self.told.setdefault(run, {})[name] = text

    def salvage(self, run: RunId) -> None:
        if self._see(run).phase is Phase.LOST:
            self.finish(run, Exit(Outcome.LOST))

    def revoke(self, run: RunId) -> None:
        if self._see(run).phase in (Phase.RUNNING, Phase.LOST):
            self.finish(run, Exit(Outcome.LOST))

    def look(self, runs: Iterable[RunId]) -> Mapping[RunId, RunSeen]:
        return {run: self._see(run) for run in runs}

    def leftovers(self) -> Mapping[RunId, RunSeen]:
        return {run: self._see(run) for run in sorted(self._workspaces)}

    def discard(self, run: RunId) -> None:
        self._workspaces.discard(run)

    def begin_anew(self) -> None:
        for left in (self.orders, self._exits, self._lost, self._returned, self._workspaces, self.told, self.asked):
            left.clear()

    def finish(self, run: RunId, how: Exit) -> None:
        """The run ends now."""
        self._exits[run] = how

    def lose(self, run: RunId) -> None:
        """Its supervisor is gone."""
        self._lost.add(run)

    def admit(self, run: RunId, returned: Returned) -> None:
        """What the airlock would leave."""
        self._returned[run] = returned

    def _see(self, run: RunId) -> RunSeen:
        if run not in self.orders:
            return RunSeen(Phase.ABSENT)
        if left := self._exits[run]:
            return RunSeen(Phase.ENDED, left, self._returned.get(run))
        if run in self._lost:
            return RunSeen(Phase.LOST)
        return RunSeen(Phase.RUNNING, told=dict(self.told.get(run, {})), asked=self.asked.get(run, {}))
