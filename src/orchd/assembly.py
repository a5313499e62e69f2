"""The assembly of the adapters for one repository: what serves it imports this, client commands never do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchd.adapters.agent_files import GitAgentFiles
from orchd.adapters.airlock import GitAirlock
from orchd.adapters.branch import find_branch, find_usual_branch
from orchd.adapters.clock import SystemClock
from orchd.adapters.effective import write_effective
from orchd.adapters.gate_results import GitGateResults
from orchd.adapters.git_lives import GitLives
from orchd.adapters.git_numbers import GitNumbers, SharedNumbers
from orchd.adapters.git_past import GitPast
from orchd.adapters.git_radar import GitRadar
from orchd.adapters.git_refs import GitRefs
from orchd.adapters.git_repo import open_repo
from orchd.adapters.git_saves import GitSaves
from orchd.adapters.git_shared import Alone
from orchd.adapters.git_state import GitStateStore
from orchd.adapters.handshakes import HandshakeBook
from orchd.adapters.intents import IntentFolder
from orchd.adapters.leadership import Leader
from orchd.adapters.lease_reader import StoredLeases
from orchd.adapters.locks import sweep_locks
from orchd.adapters.machine import LocalMachine
from orchd.adapters.number_book import NumberBook
from orchd.adapters.place import Place, refuse_shallow
from orchd.adapters.reservations import open_reservations
from orchd.adapters.runs import SupervisedRuns, passed_environment
from orchd.adapters.sandbox import NoSandbox
from orchd.adapters.session_files import GitSessionFiles
from orchd.adapters.session_lines import GitLines
from orchd.adapters.settings import open_settings
from orchd.adapters.shared_open import open_shared
from orchd.adapters.task_files import open_task_files
from orchd.adapters.trouble_notes import NotedAudience
from orchd.model.config import Config
from orchd.ports import Audience, Ports


@contextmanager
def open_ports(place: Place, leader: Leader, audience: Audience, ring: Callable[[], None]) -> Iterator[Ports]:
    """All adapters for a repository. `ring` is called when a run ends. Closed with the block."""
    refuse_shallow(place)
    repo, clock = open_repo(place), SystemClock()
    audience = NotedAudience(place, audience, clock)
    sweep_locks(place.git_dir)
    store = GitStateStore(repo)
    remembered = store.load().state.branch
    usual = find_usual_branch(place, remembered)
    settings = open_settings(place, repo, clock.monotonic, usual)
    config, _ = settings.look(GitRefs(repo, usual).main() if usual else "")
    write_effective(place, config)
    branch = find_branch(place, config.branch, remembered)
    refs, leases = GitRefs(repo, branch), StoredLeases(repo)
    shared = open_shared(place, repo, branch, config, audience, ring) if config.remote else None
    runs, book = SupervisedRuns(repo, NoSandbox(), ring), NumberBook(repo, clock.now_ms)
    try:
        yield Ports(
            store=store,
            files=open_task_files(
                place, repo, lambda: settings.look(refs.main())[0].timeout_seconds, clock.monotonic, time.time
            ),
            reservations=open_reservations(place, repo, clock.monotonic, time.time),
            settings=settings,
            intents=IntentFolder(place),
            refs=refs,
            runs=runs,
            numbers=SharedNumbers(shared, book) if shared else GitNumbers(repo, book),
            airlock=GitAirlock(repo, branch, leases.fence_of),
            lives=GitLives(repo),
            saves=GitSaves(repo, branch, leases.lease_of, shared),
            results=GitGateResults(repo),
            radar=GitRadar(repo),
            shared=shared or Alone(),
            machine=LocalMachine(place.workspaces, clock.monotonic),
            lines=GitLines(repo),
            sessions=GitSessionFiles(place, repo, branch, time.time),
            agents=GitAgentFiles(place, repo, branch, time.time, _book(place)),
            past=GitPast(repo),
            clock=clock,
            leadership=leader,
            audience=audience,
        )
    finally:
        runs.close()
        if shared is not None:
            shared.close()


def _book(place: Place) -> HandshakeBook:
    return HandshakeBook(place.cache, lambda: passed_environment(Config()), time.time)
