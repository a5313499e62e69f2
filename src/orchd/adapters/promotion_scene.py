"""What a decision about an environment is made from: its records, the history of main, who runs, what time it is."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace

from orchd.adapters.environments import find_freight, read_chain
from orchd.adapters.losses import read_told
from orchd.adapters.place import Place
from orchd.adapters.processes import Identity, boot_id, identify, is_alive
from orchd.adapters.shared_environments import SharedEnvironments
from orchd.core.chain_proof import UNGATED, prove_history
from orchd.core.promotion import Case, find_faults, replay
from orchd.errors import UsageError
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.environment import Environment
from orchd.model.promotion import Chain, Freight, Moment, Process

NOBODY = Freight("", "", "")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. `checkpoint` is the full name of a tag (empty for a roll back), `gone` their word that the
    process on another machine, which began a deployment, is gone."""

    environment: str
    by: str
    checkpoint: str = ""
    gone: bool = False


def read_moment() -> Moment:
    """Now, on both clocks."""
    return Moment(time.time_ns() // 1_000_000, boot_id(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


def own_process() -> Process:
    """This process, for a record."""
    who = identify(os.getpid())
    assert who is not None
    return Process(socket.gethostname(), *who)


def is_going_on(process: Process, *, gone: bool = False) -> bool:
    """Whether it runs. Of another machine nobody knows: then it does, unless somebody says that it is gone."""
    if process.host != socket.gethostname():
        return not gone
    return is_alive(Identity(process.boot, process.pid, process.start))


@dataclass(frozen=True, slots=True)
class Scene:
    """Where to look: the repository, its configuration, the branch that tasks land on, both clocks, and the remote whose
    records count (None: ours do)."""

    place: Place
    config: Config
    branch: str
    now: Callable[[], Moment]
    shared: SharedEnvironments | None = None

    def look(self, wish: Wish) -> Case:
        """Everything as it is now. Raises UsageError for an environment or a checkpoint that does not exist."""
        environment = self.environment(wish.environment)
        self.follow(environment)
        chain = read_chain(self.place, environment.name)
        left = replay(chain.records).open
        case = Case(NOBODY, wish.by, self.now(), environment, chain)
        case = replace(case, is_alive=left is not None and is_going_on(left.process, gone=wish.gone))
        return self._judge(case, self.freight(wish)) if wish.checkpoint else case

    def follow(self, environment: Environment) -> None:
        """Bring what other clones have recorded of it, and of the one before it."""
        before = self._before(environment)
        if self.shared is not None:
            self.shared.fetch([one.name for one in (environment, before) if one is not None])

    def _judge(self, case: Case, freight: Freight) -> Case:
        history = read_told(self.place, self.branch, self.config.remote)
        landed = history.commits.get(freight.commit)
        before = self._before(case.environment)
        return replace(
            case,
            freight=freight,
            before=before,
            before_chain=read_chain(self.place, before.name) if before else Chain(),
            faults=find_faults(history, prove_history(history), freight.checkpoint),
            ungated=landed is None or UNGATED in landed.trailers,
        )

    def freight(self, wish: Wish) -> Freight:
        """The checkpoint. Raises UsageError when there is none of this name."""
        found = find_freight(self.place, wish.checkpoint)
        if found is None:
            raise UsageError(f"there is no checkpoint `{wish.checkpoint}`", "`orchd checkpoints` lists them")
        return found

    def environment(self, name: str) -> Environment:
        """As it is configured. Raises UsageError when there is none of this name."""
        for environment in self.config.environments:
            if environment.name == name:
                return environment
        known = ", ".join(one.name for one in self.config.environments)
        raise UsageError(
            f"there is no environment `{name}`", f"there are {known}; `environments:` in .orch/config.yaml names them"
        )

    def _before(self, environment: Environment) -> Environment | None:
        at = self.config.environments.index(environment)
        return self.config.environments[at - 1] if at else None
