"""Numbers that are given once (port `Numbers`): by this repository alone, by a shared remote to a daemon, which cannot wait
for it, and to a command, which can.

Rule: a number counts when the chain that counts has it: moved by compare-and-swap, in the remote by a leased push. What
became of a push is never assumed, the remote is asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import random
import time
from collections.abc import Iterable, Iterator, Sequence

from orchd.adapters.asked_remote import AskedRemote
from orchd.adapters.courier import Outcome, Update
from orchd.adapters.git_refs import main_ref
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.git_run import Git
from orchd.adapters.git_shared import GitShared
from orchd.adapters.number_book import NumberBook
from orchd.errors import GitError, OrchdError
from orchd.model.config import Config
from orchd.model.ids import Oid, sequence_ref
from orchd.model.limits import NUMBER_SECONDS
from orchd.model.number import NumberWish

LOCK = "numbers.lock"
LONGEST_WAIT_SECONDS = 0.1
"""Between two tries, with full jitter."""


class GitNumbers:
    """`Numbers` of one repository."""

    def __init__(self, repo: GitRepo, book: NumberBook) -> None:
        self._repo = repo
        self._book = book

    def look(self, wishes: Sequence[NumberWish], config: Config) -> None:
        """Nothing is to be asked for."""

    def ask(self, wishes: Sequence[NumberWish], config: Config) -> None:
        """Never asked for."""

    def take(self, wish: NumberWish, config: Config) -> str:
        """See the port."""
        name = sequence_ref(wish.kind)
        while True:
            tip = self._repo.refs.read(name)
            number, new = self._book.settle(wish, config, tip)
            if new == tip or self._repo.refs.move(name, tip, new):
                return number


class SharedNumbers:
    """`Numbers` of a shared remote, for a daemon: what it asks for goes with its courier."""

    def __init__(self, shared: GitShared, book: NumberBook) -> None:
        self._shared = shared
        self._book = book

    def look(self, wishes: Sequence[NumberWish], config: Config) -> frozenset[NumberWish]:
        """See the port. A chain that cannot be read gives nothing."""
        return frozenset(wish for wish in wishes if self._has(wish, config))

    def ask(self, wishes: Iterable[NumberWish], config: Config) -> None:
        """See the port. Raises GitError when the remote's chain cannot be read."""
        tips: dict[str, Oid] = {}
        for wish in wishes:
            name = sequence_ref(wish.kind)
            _, tips[name] = self._book.settle(wish, config, tips.get(name) or self._shared.remote_at(name))
        updates = (Update(name, self._shared.remote_at(name), tip) for name, tip in tips.items())
        self._shared.push([update for update in updates if update.new != update.old])

    def take(self, wish: NumberWish, config: Config) -> str:
        """See the port. One that is missing (a start of the time before sharing) is asked for."""
        number = self._book.read(self._shared.remote_at(sequence_ref(wish.kind))).numbers.get(wish.holder)
        if not number:
            self.ask((wish,), config)
            raise GitError(f"the shared remote has not given a number of `{wish.kind}` to {wish.holder} yet")
        return number

    def _has(self, wish: NumberWish, config: Config) -> bool:
        try:
            return self._book.has(wish, config, self._shared.remote_at(sequence_ref(wish.kind)))
        except GitError:
            return False


class AskedNumbers:
    """Numbers of a shared remote, for a command that may wait for it: `take` only."""

    def __init__(self, repo: GitRepo, book: NumberBook, git: Git, remote: str, branch: str) -> None:
        self._repo = repo
        self._book = book
        self._git = git
        self._remote = remote
        self._branch = branch
        self._doubt = False

    def take(self, wish: NumberWish, config: Config) -> str:
        """As in the port. Raises OrchdError when the remote does not answer in NUMBER_SECONDS, or refuses."""
        asked = AskedRemote(self._repo, self._git, self._remote, NUMBER_SECONDS, self._tell_unreachable)
        with self._in_turn(asked):
            while not (number := self._try(wish, config, asked)):
                _pause(asked)
        return number

    def _try(self, wish: NumberWish, config: Config, asked: AskedRemote) -> str:
        """The number; empty when another was faster, or nobody knows."""
        name = sequence_ref(wish.kind)
        main, tip = asked.look((main_ref(self._branch), name))
        number, new = self._book.settle(wish, config, tip, main)
        done = new == tip or self._push(Update(name, tip, new), asked)
        return number if done else ""

    def _push(self, update: Update, asked: AskedRemote) -> bool:
        outcome, words = asked.push(update)
        if outcome is Outcome.REFUSED:
            raise OrchdError(f"`{self._remote}` refuses to give a number: {words}", "whoever runs it may allow refs/orch/*")
        self._doubt = self._doubt or outcome is Outcome.UNKNOWN
        return outcome is Outcome.WON

    @contextlib.contextmanager
    def _in_turn(self, asked: AskedRemote) -> Iterator[None]:
        """One at a time in this clone: many would mostly lose to each other."""
        self._repo.place.orch.mkdir(exist_ok=True)
        with (self._repo.place.orch / LOCK).open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    _pause(asked)
            yield

    def _tell_unreachable(self, why: str) -> OrchdError:
        given = "it is not known whether the remote has given one" if self._doubt else "no number was given"
        return OrchdError(
            f"cannot reach `{self._remote}`, which gives the numbers: {why}; {given}",
            "ask again when it answers; with `--for WHO` the same one is given again",
        )


def _pause(asked: AskedRemote) -> None:
    time.sleep(random.uniform(0, min(LONGEST_WAIT_SECONDS, asked.left())))  # noqa: S311 - jitter, no secret
