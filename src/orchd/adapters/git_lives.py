"""Live commits (port `Lives`): what running tasks have committed goes through the airlock's quarantine and is held by a ref.

Rule: nothing here accepts anything. The policy is asked, so that the task can be told early what would stand against it; what
counts is its result. A ref goes only when its commit is reachable from another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pygit2

from orchd.adapters.airlock import fill_quarantine, judge_commit
from orchd.adapters.attic_refs import keep_in_attic
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.live_evidence import Judged, newest_pack, write_judged
from orchd.adapters.patience import outlast
from orchd.adapters.quarantine import Quarantine, make_quarantine
from orchd.errors import GitError
from orchd.model.config import Config
from orchd.model.ids import LIVE_PREFIX, Oid, RunId, live_ref
from orchd.model.run import AdmitOrder


class GitLives:
    """`Lives` in git. Only this daemon writes the refs, so they are listed once."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo
        self._held = {name.removeprefix(LIVE_PREFIX) for name in repo.refs.names(LIVE_PREFIX)}

    def take(self, order: AdmitOrder, config: Config) -> None:
        """See the port."""
        newest = newest_pack(self._repo.place, order.run)
        if newest is None:
            return
        number, tip, pack = newest
        quarantine = make_quarantine(self._repo, f"{order.run}.live")
        try:
            judged = self._judge(quarantine, pack, order, tip, config)
        finally:
            quarantine.remove()
        write_judged(self._repo.place, order.run, replace(judged, number=number))

    def held(self) -> frozenset[RunId]:
        """See the port."""
        return frozenset(self._held)

    def release(self, runs: Iterable[RunId]) -> None:
        """See the port."""
        gone = sorted(set(runs) & self._held)
        for run in gone:
            tip = self._repo.refs.read(live_ref(run))
            if tip and not self._is_held_elsewhere(tip):
                keep_in_attic(self._repo, run.split(".")[0], tip)
        self._repo.refs.delete(map(live_ref, gone))
        self._held -= set(gone)

    def _judge(self, quarantine: Quarantine, pack: Path, order: AdmitOrder, tip: Oid, config: Config) -> Judged:
        try:
            fault = fill_quarantine(self._repo, quarantine, pack, order.base)
        except FileNotFoundError:  # the supervisor has made a newer one, which is taken at the next look
            fault = "its pack was replaced"
        except GitError as error:
            fault = outlast(self._repo.place, order.run, "live", error)
        if fault:
            return Judged(0, "", tuple(fault.splitlines()))
        aside = replace(self._repo, library=quarantine.open())
        if not isinstance(aside.library.get(tip), pygit2.Commit):
            return Judged(0, "", (f"its tip {tip} is not a commit of the pack",))
        said = judge_commit(aside, replace(order, accept=True), aside.commit(tip), config)
        aside.library.free()
        quarantine.release()
        self._repo.refs.force(live_ref(order.run), tip)
        self._held.add(order.run)
        return Judged(0, tip, said.detail)

    def _is_held_elsewhere(self, tip: Oid) -> bool:
        asked = ("for-each-ref", f"--contains={tip}", "--format=%(refname)")
        names = self._repo.git.attempt(*asked).stdout.decode().split()
        return any(not name.startswith(LIVE_PREFIX) for name in names)
