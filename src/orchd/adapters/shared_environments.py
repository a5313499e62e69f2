"""Records of environments where clones share a remote: the chain there counts, and ours follows it.

Rule: a record counts when the remote has it; what became of a push is never assumed, the remote is asked. Records that were
made here before are handed over with the next one, and none is ever thrown away.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchd.adapters.asked_remote import AskedRemote
from orchd.adapters.courier import Outcome, Update
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.git_run import Git
from orchd.adapters.place import Place
from orchd.adapters.present import find_settings
from orchd.adapters.shared_open import open_remote
from orchd.errors import OrchdError
from orchd.model.config import Config
from orchd.model.ids import Oid, environment_ref
from orchd.model.limits import RECORD_SECONDS


class SharedEnvironments:
    """The chains in the remote, as they were seen last."""

    def __init__(self, repo: GitRepo, git: Git, remote: str) -> None:
        self._repo = repo
        self._git = git
        self._remote = remote
        self._seen: dict[str, Oid] = {}

    def fetch(self, environments: Iterable[str]) -> None:
        """Let ours follow, and hand over what only we have. Raises OrchdError when the remote does not answer, or when each has
        records that the other lacks."""
        asked = self._ask()
        for ref in map(environment_ref, environments):
            while not self._meet(ref, asked):
                pass

    def _meet(self, ref: str, asked: AskedRemote) -> bool:
        """Whether both chains are the same now."""
        [theirs], ours = asked.look((ref,)), self._repo.refs.read(ref)
        self._seen[ref] = theirs
        if theirs == ours:
            return True
        if theirs and (not ours or self._repo.contains(theirs, ours)):
            return self._repo.refs.move(ref, ours, theirs)
        if not theirs or self._repo.contains(ours, theirs):
            return self.move(ref, ours, ours)
        raise OrchdError(f"{ref} has other records here than in `{self._remote}`", APART.format(ref=ref))

    def move(self, ref: str, tip: Oid, commit: Oid) -> bool:
        """Move the chain there, then ours from `tip`, to `commit`. False: another clone was faster. Raises OrchdError when the
        remote does not want it, or when nobody can tell what became of it."""
        asked = self._ask()
        while True:
            outcome, words = asked.push(Update(ref, self._seen.get(ref, ""), commit))
            if outcome is Outcome.REFUSED:
                raise OrchdError(f"`{self._remote}` refuses a record: {words}", "whoever runs it may allow refs/orch/*")
            [now] = (commit,) if outcome is Outcome.WON else asked.look((ref,))
            if now and self._repo.contains(now, commit):
                self._seen[ref] = now
                if tip != commit:
                    self._repo.refs.move(ref, tip, commit)
                return True
            if now != self._seen.get(ref, ""):
                return False

    def _ask(self) -> AskedRemote:
        return AskedRemote(self._repo, self._git, self._remote, RECORD_SECONDS, self._tell_unreachable)

    def _tell_unreachable(self, why: str) -> OrchdError:
        what = f"cannot reach `{self._remote}`, which has the records of environments: {why}"
        return OrchdError(what, "ask again when it answers: what was begun is taken up with the same key")


APART = (
    "keep ours elsewhere (`git update-ref refs/orch/before-sharing {ref}`), then "
    "`git fetch REMOTE +{ref}:{ref}` takes the remote's"
)


def share_environments(place: Place, repo: GitRepo, config: Config) -> SharedEnvironments | None:
    """What the remote of this configuration has; None: there is none, and our own records count."""
    return SharedEnvironments(repo, open_remote(place, config), config.remote) if config.remote else None


def follow_environments(place: Place, remembered: str) -> None:
    """Bring what other clones have recorded of all environments. Raises OrchdError as `fetch` does."""
    repo = open_repo(place)
    config, _ = find_settings(place, repo, remembered)
    shared = share_environments(place, repo, config)
    if shared is not None:
        shared.fetch(one.name for one in config.environments)
