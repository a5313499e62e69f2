"""The integration branches of sessions. The state says where they belong; here they are only put there.

Rule: what a branch loses by being put elsewhere is in the attic first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from orchd.adapters.git_repo import GitRepo
from orchd.model.ids import Oid, SessionId, attic_ref, integration_branch

ATTIC_MARK = "@"
"""Before the name of a session in the attic; no task can be called so."""


class GitLines:
    """`Lines` in git."""

    def __init__(self, repo: GitRepo) -> None:
        self._repo = repo

    def look(self, sessions: Iterable[SessionId]) -> Mapping[SessionId, Oid]:
        """Where the integration branch of each is; those without one are left out."""
        found = {name: self._repo.refs.read(integration_branch(name)) for name in sessions}
        return {name: tip for name, tip in found.items() if tip}

    def place(self, session: SessionId, tip: Oid) -> None:
        """Take the integration branch to `tip`. What it loses by that goes to the attic."""
        name = integration_branch(session)
        old = self._repo.refs.read(name)
        if old and old != tip and not self._repo.contains(tip, old):
            self._keep(session, old)
        self._repo.refs.force(name, tip)

    def _keep(self, session: SessionId, tip: Oid) -> None:
        for number in itertools.count(1):
            name = attic_ref(ATTIC_MARK + session, number)
            held = self._repo.refs.read(name)
            if held == tip or (not held and self._repo.refs.move(name, "", tip)):
                return
