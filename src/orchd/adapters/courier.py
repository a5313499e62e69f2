"""The courier: a thread that talks to the shared remote, so that nobody else has to wait for it.

It fetches the few refs that matter into `refs/orch/remote/`, and it pushes. Each git process has a limit and is ended with
its whole group. Rule: what a push came to is never believed from its exit code; the remote is asked, and until it has
answered nothing else is pushed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import Enum

from orchd.adapters.git_run import Git
from orchd.model.dataclass import dataclass
from orchd.model.ids import (
    CHECKPOINTS_PREFIX,
    NOTES_REF,
    REMOTE_PREFIX,
    REMOTE_SEQUENCES_PREFIX,
    SEQUENCES_PREFIX,
    TENURE_PREFIX,
    Oid,
)
from orchd.model.limits import REMOTE_SECONDS

MIRRORED = {
    TENURE_PREFIX + "*": REMOTE_PREFIX + "tenure/*",
    SEQUENCES_PREFIX + "*": REMOTE_SEQUENCES_PREFIX + "*",
    CHECKPOINTS_PREFIX + "*": REMOTE_PREFIX + "checkpoint/*",
    NOTES_REF.rpartition("/")[0] + "/*": REMOTE_PREFIX + "notes/*",
    "refs/heads/session/*/integration": REMOTE_PREFIX + "integration/*",
}
"""Refs of the remote and where they are copied to; the branch itself is `refs/orch/remote/main`. All are globs, because a
missing ref is an error only where it is named in full."""

WON_FLAGS = frozenset(" +*")
"""Flags of `git push --porcelain` that mean: this push moved the ref. `=` means that somebody had moved it before."""

MOVED_ON = (
    "stale info",
    "atomic push fail",
    "atomic transaction fail",
    "fetch first",
    "non-fast-forward",
    "failed to update ref",
    "cannot lock ref",
)
"""What git says when a ref was not where we thought: an ordinary lost race. Everything else is told."""

CAUSES = ("fatal: ", "error: ", "ssh: ", "remote: ")
"""How the lines begin that say what went wrong."""

FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 60.0
CLOSE_SECONDS = 3.0

PAUSES = 5
"""How many pauses between two questions a git process may take at first: about the time after which an owner is unsure."""


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push: from `old` (empty: it must not exist) to `new`."""

    ref: str
    old: Oid
    new: Oid


class Outcome(Enum):
    """What git said about a push. LOST: another was faster. REFUSED: the remote does not want it. UNKNOWN: it broke off."""

    WON = 1
    LOST = 2
    REFUSED = 3
    UNKNOWN = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """The refs under `refs/orch/remote/` (without that prefix) after the remote's last answer, and when it came."""

    refs: Mapping[str, Oid] = field(default_factory=dict)
    at_seconds: float = 0.0


def judge_push(output: str, code: int, updates: Sequence[Update]) -> tuple[Outcome, str]:
    """The outcome of `git push --porcelain`, and the words of a refusal."""
    lines = [line.split("\t") for line in output.splitlines() if line[1:2] == "\t"]
    flags = {parts[1].partition(":")[2]: (parts[0], parts[-1]) for parts in lines if len(parts) > 2}
    bad = [words for flag, words in flags.values() if flag == "!"]
    if code == 0 and all(flags.get(update.ref, ("!",))[0] in WON_FLAGS for update in updates):
        return Outcome.WON, ""
    if not bad:
        return (Outcome.LOST if code == 0 else Outcome.UNKNOWN), ""
    refusals = [words for words in bad if not any(moved in words for moved in MOVED_ON)]
    return (Outcome.REFUSED, refusals[0]) if refusals else (Outcome.LOST, "")


def choose_words(stderr: bytes) -> str:
    """The line of what git says that names the cause: its last ones are general advice."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(CAUSES)), lines[-1] if lines else "no reason was given")


class RemoteProcess:
    """One git process at a time, with a limit; it and its children can be ended from another thread. The limit doubles each
    time that it was too short, so that silence is noticed soon and much to fetch arrives in the end."""

    def __init__(self, git: Git, limit_seconds: float) -> None:
        self._git = git
        self._first_seconds = self._limit_seconds = limit_seconds
        self._child: subprocess.Popen[bytes] | None = None

    def call(self, *arguments: str) -> subprocess.CompletedProcess[bytes] | None:
        """The finished process; None when it was ended because it took too long."""
        with self._git.start(*arguments, apart=True) as child:
            self._child = child
            try:
                out, err = child.communicate(b"", timeout=self._limit_seconds)
            except subprocess.TimeoutExpired:
                self._limit_seconds = min(2 * self._limit_seconds, REMOTE_SECONDS)
                self.end()
                return None
            finally:
                self._child = None
        self._limit_seconds = self._first_seconds
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def end(self) -> None:
        """End the one that runs, if any."""
        child = self._child
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


class Courier:
    """One remote. `ring` is called after each answer; `tell` is given what people should know, once for each change."""

    def __init__(self, git: Git, remote: str, branch: str, ring: Callable[[], None], tell: Callable[[str], None]) -> None:
        self._git = git
        self._remote = remote
        self._fetched = {f"refs/heads/{branch}": REMOTE_PREFIX + "main", **MIRRORED}
        self._ring = ring
        self._tell = tell
        self._wake = threading.Condition()
        self._push: tuple[Update, ...] | None = None
        self._closed = False
        self._trouble = ""
        self._rest_seconds, self._rests_until = 0.0, float("-inf")
        self.answer: Answer | None = None
        self.unsettled = True

    def open(self, clock: Callable[[], float], pause_seconds: float) -> None:
        """Begin to ask, every `pause_seconds`."""
        self._process = RemoteProcess(self._git, PAUSES * pause_seconds)
        self._clock, self._pause_seconds = clock, pause_seconds
        self._thread = threading.Thread(target=self._serve, name="courier", daemon=True)
        self._thread.start()

    @property
    def rests(self) -> bool:
        """Whether the remote refused a landing so short a time ago that it is not asked again."""
        return self._clock() < self._rests_until

    def send(self, updates: Sequence[Update]) -> bool:
        """Push these refs, all or none. False: something is under way, nothing was taken."""
        with self._wake:
            if self.unsettled or self._closed:
                return False
            self._push, self.unsettled = tuple(updates), True
            self._wake.notify()
        return True

    def close(self) -> None:
        """End; a push that is under way may take CLOSE_SECONDS more."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(CLOSE_SECONDS)
        self._process.end()
        self._thread.join(CLOSE_SECONDS)

    def _serve(self) -> None:
        while not self._closed:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - the top of a thread: what it does is tried again
                self._say(f"{UNREACHABLE} `{self._remote}`: {type(error).__name__}: {error}")
                with self._wake:
                    self._wake.wait_for(lambda: self._closed, self._pause_seconds)
            self._ring()

    def _turn(self) -> None:
        push = self._take()
        if push:
            self._deliver(push)
        if not self._closed:
            self._ask()

    def _take(self) -> tuple[Update, ...] | None:
        """The next push, or nothing when it is time to ask or to end."""
        with self._wake:
            if self.answer is not None and self._push is None and not self._closed:
                self._wake.wait(self._pause_seconds)
            push, self._push = self._push, None
            return push

    def _deliver(self, updates: tuple[Update, ...]) -> None:
        leases = [f"--force-with-lease={update.ref}:{update.old}" for update in updates]
        specs = [f"{update.new}:{update.ref}" for update in updates]
        done = self._process.call("push", "--porcelain", "--atomic", "--no-verify", *leases, self._remote, *specs)
        if done is None:
            return
        outcome, words = judge_push(done.stdout.decode(errors="replace"), done.returncode, updates)
        if outcome is Outcome.REFUSED:
            self._rest_seconds = min(max(2 * self._rest_seconds, FIRST_REST_SECONDS), LONGEST_REST_SECONDS)
            self._rests_until = self._clock() + self._rest_seconds
            self._say(f"`{self._remote}` refuses a push: {words}")
        elif outcome is Outcome.WON and len(updates) > 1:
            self._rest_seconds = 0.0

    def _ask(self) -> None:
        specs = [f"+{source}:{target}" for source, target in self._fetched.items()]
        options = (
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--prune",
            "--quiet",
            "--no-recurse-submodules",
        )
        done = self._process.call("fetch", *options, self._remote, *specs)
        if done is None or done.returncode:
            self._say_unreachable(done)
            if self.answer is None:
                self.answer = Answer(_read_refs(self._git), float("-inf"))
            return
        self.answer = Answer(_read_refs(self._git), self._clock())
        self.unsettled = self._push is not None
        if self._trouble.startswith(UNREACHABLE):
            self._tell(f"`{self._remote}` answers again")
            self._trouble = ""

    def _say_unreachable(self, done: subprocess.CompletedProcess[bytes] | None) -> None:
        why = choose_words(done.stderr) if done else "no answer in time"
        if not self._trouble.startswith(UNREACHABLE):
            self._say(f"{UNREACHABLE} `{self._remote}`: {why}; soon nothing is started or landed until it answers")

    def _say(self, text: str) -> None:
        if text != self._trouble:
            self._trouble = text
            self._tell(text)


UNREACHABLE = "cannot reach"


def _read_refs(git: Git) -> dict[str, Oid]:
    listed = git.run("for-each-ref", "--format=%(refname) %(objectname)", REMOTE_PREFIX).decode()
    pairs = (line.split(" ") for line in listed.splitlines())
    return {name.removeprefix(REMOTE_PREFIX): oid for name, oid in pairs}
