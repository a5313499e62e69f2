"""Which waiting tasks lack a number of the shared remote, for clients: git's command line only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.core.numbering import wants_numbers, wishes_of
from orchd.model.ids import REMOTE_SEQUENCES_PREFIX, TaskId
from orchd.model.work import Task

HOLDERS = "--format=%(trailers:key=Orch-Holder,valueonly,separator=)"


def read_unnumbered(place: Place, tasks: Iterable[Task]) -> Mapping[TaskId, tuple[str, ...]]:
    """The kinds that each of these tasks lacks, as far as the daemon has seen it."""
    wanted = {task.spec.id: wishes_of(task) for task in tasks if wants_numbers(task)}
    kinds = {wish.kind for wishes in wanted.values() for wish in wishes}
    holders = {kind: _read_holders(place, kind) for kind in kinds}
    lacking = {name: tuple(w.kind for w in wishes if w.holder not in holders[w.kind]) for name, wishes in wanted.items()}
    return {name: kinds for name, kinds in lacking.items() if kinds}


def _read_holders(place: Place, kind: str) -> frozenset[str]:
    said = Git(place.git_dir).attempt("log", HOLDERS, REMOTE_SEQUENCES_PREFIX + kind, "--")
    return frozenset(said.stdout.decode(errors="replace").split("\n"))
