"""Promotes in the person's own process: looks, lets the core decide, records the beginning, deploys, records the end.

Rule: nothing is deployed before its beginning is recorded, and the beginning is recorded under the lock of the environment
and by compare-and-swap, so only one promoter gets through.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace

from orchd.adapters.deployment import Deployment
from orchd.adapters.environment_lock import hold_environment
from orchd.adapters.environment_records import append_record
from orchd.adapters.environments import read_chain
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.place import Place
from orchd.adapters.present import find_settings
from orchd.adapters.promotion_gates import check_gates
from orchd.adapters.promotion_scene import Scene, Wish, own_process, read_moment
from orchd.adapters.shared_environments import share_environments
from orchd.core.promotion import (
    Already,
    Case,
    Go,
    Refusal,
    decide_approval,
    decide_promotion,
    decide_rollback,
    is_ours,
    settle,
)
from orchd.errors import OrchdError
from orchd.model.dataclass import dataclass
from orchd.model.environment import Environment
from orchd.model.promotion import Moment, Process, Record, Step
from orchd.model.save import GatePhase

_Decide = Callable[[Case, Process], Refusal | Already | Go]


@dataclass(frozen=True, slots=True)
class Promoted:
    """What came of it: the record at the end (None: it was refused), why it is not done, what to do."""

    record: Record | None
    what: str = ""
    hint: str = ""
    log: str = ""

    @property
    def done(self) -> bool:
        """Whether it is as it was asked for."""
        return self.record is not None and self.record.step is not Step.FAILED


@dataclass(frozen=True, slots=True)
class Talk:
    """Where words about the deployment, and what its commands print, go."""

    say: Callable[[str], None]
    show: Callable[[bytes], object]


class Promoter:
    """All that can be asked about environments of one repository. `now` gives both clocks."""

    def __init__(self, place: Place, remembered: str, talk: Talk, now: Callable[[], Moment] = read_moment) -> None:
        self._place = place
        self._repo: GitRepo = open_repo(place)
        config, branch = find_settings(place, self._repo, remembered)
        self._shared = share_environments(place, self._repo, config)
        self._scene = Scene(place, config, branch, now, self._shared)
        self._talk = talk
        self._deployment: Deployment | None = None

    def promote(self, wish: Wish) -> Promoted:
        """Bring a checkpoint to an environment. Raises UsageError for one that does not exist."""
        self._scene.freight(wish)
        return self._carry_out(wish, decide_promotion)

    def rollback(self, wish: Wish) -> Promoted:
        """Bring an environment back to what was good there before. Raises UsageError for one that does not exist."""
        return self._carry_out(wish, decide_rollback)

    def approve(self, wish: Wish) -> Promoted:
        """Record an approval. Raises UsageError for an environment or a checkpoint that does not exist."""
        while True:
            case = self._scene.look(wish)
            decided = decide_approval(case)
            if isinstance(decided, Refusal):
                return Promoted(None, decided.why, decided.hint)
            if append_record(self._repo, wish.environment, case.chain.tip, decided, shared=self._shared):
                return Promoted(decided)

    def _carry_out(self, wish: Wish, decide: _Decide) -> Promoted:
        environment = self._scene.environment(wish.environment)
        verb = f"promotes {wish.checkpoint}" if wish.checkpoint else "rolls back"
        who = f"{wish.by} {verb} in {wish.environment} (process {os.getpid()} on {socket.gethostname()})"
        with hold_environment(self._place, wish.environment, who) as holder:
            if holder is not None:
                return Promoted(None, f"{holder or 'somebody'} was faster", "`orchd environments` shows when it has ended")
            begun = self._ask_gates(wish) or self._begin(wish, decide)
            return begun if isinstance(begun, Promoted) else self._deploy(begun, environment)

    def _open(self, environment: str) -> Deployment:
        """The one of this process."""
        self._deployment = self._deployment or Deployment(self._place, self._scene.config, environment, self._talk.show)
        return self._deployment

    def _ask_gates(self, wish: Wish) -> Promoted | None:
        """Before anything is recorded: while the gates run nothing has begun, and what stands there keeps its time."""
        gated = any(gate.phase is GatePhase.PROMOTE for gate in self._scene.config.gates)
        decided = decide_promotion(self._scene.look(wish), own_process()) if gated and wish.checkpoint else None
        if not isinstance(decided, Go) or decided.skip_deploy:
            return None
        deployment = self._open(wish.environment)
        red = check_gates(self._repo, self._scene.config, deployment, decided.record)
        why = f"not green on the tree of {wish.checkpoint}: {'; '.join(red)}"
        return Promoted(None, why, "nothing was deployed; repair it and land that first", deployment.tail) if red else None

    def _begin(self, wish: Wish, decide: _Decide) -> Promoted | Go:
        """Until it is recorded: an approval, or another machine, may come in between; then it is decided anew."""
        while True:
            case = self._scene.look(wish)
            decided = decide(case, own_process())
            if isinstance(decided, Refusal):
                return Promoted(None, decided.why, decided.hint)
            if isinstance(decided, Already):
                return Promoted(decided.record, "it is there already; nothing was deployed")
            if append_record(self._repo, wish.environment, case.chain.tip, decided.record, shared=self._shared):
                return decided

    def _deploy(self, go: Go, environment: Environment) -> Promoted:
        if go.resumed:
            self._talk.say(f"an earlier try of this did not end; it is taken up again with the same key {go.record.key}")
        if not environment.deploy and not environment.verify:
            return self._end(go.record, environment, "", "")
        deployment = self._open(environment.name)
        try:
            with deployment.checkout(go.record):
                why = self._run_commands(deployment, go, environment)
        except OrchdError as error:
            why = str(error)
        return self._end(go.record, environment, why, deployment.tail)

    def _run_commands(self, deployment: Deployment, go: Go, environment: Environment) -> str:
        why = ""
        if environment.deploy and not go.skip_deploy:
            why = deployment.run("deploy", environment.deploy, environment.timeout_seconds, go.record)
        if not why and environment.verify:
            if go.record.step is Step.BEGUN:
                self._append(environment, replace(go.record, step=Step.VERIFYING, at=self._scene.now()), deployment.tail)
            why = deployment.run("verify", environment.verify, environment.timeout_seconds, go.record)
        return why

    def _end(self, record: Record, environment: Environment, why: str, log: str) -> Promoted:
        ended = settle(record, environment, self._scene.now(), why)
        self._append(environment, ended, log)
        hint = f"repair it and ask again, or `orchd rollback {environment.name}`" if why else ""
        if not why and not environment.deploy:
            why = f"{environment.name} has no deploy command: it is only recorded"
        return Promoted(ended, why, hint, log)

    def _append(self, environment: Environment, record: Record, log: str) -> None:
        while True:
            self._scene.follow(environment)
            chain = read_chain(self._place, environment.name)
            if not is_ours(chain, record):
                hint = "look at it before you go on; `orchd environments --json` shows all records"
                raise OrchdError(f"somebody else has written records of {environment.name} during this deployment", hint)
            if append_record(self._repo, environment.name, chain.tip, record, log, self._shared):
                return
