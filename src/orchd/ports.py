"""What the engine needs from the world, and what each call promises when it is repeated.

The rule of every port: the engine may be killed between any two calls and will then make the last one again. So each
effect is idempotent under the key named here, and its evidence can be observed afterwards. Nothing here returns a
result that only lives in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from orchd.model.agent import AgentsSeen
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId, SaveId, SessionId, TaskId
from orchd.model.machine import MachineSeen
from orchd.model.message import Event
from orchd.model.number import NumberWish
from orchd.model.problem import Problem
from orchd.model.prompt import Ask, Recalled
from orchd.model.run import AdmitOrder, RunOrder, RunSeen
from orchd.model.save import Save
from orchd.model.session import SessionsSeen
from orchd.model.snapshot import FilesSeen, GatesSeen, Intent, Meetings, PastLanding, ReservationsSeen, SaveSeen, State
from orchd.model.tenure import Bid, SharedSeen
from orchd.model.work import Rework


@dataclass(frozen=True, slots=True)
class Stored:
    """A state and the version (opaque) that a compare-and-swap must find unchanged."""

    version: str
    state: State


class StateStore(Protocol):
    """`refs/orch/state`: the only serialisation point."""

    def load(self) -> Stored:
        """The present state. Costs next to nothing while nobody moved the ref. Before the first commit: an empty State."""

    def commit(self, old: Stored, state: State, events: Sequence[Event], at_ms: int) -> Stored | None:
        """Move from `old` to `state` in one operation and log `events`. None when somebody else was faster."""


class TaskFiles(Protocol):
    """Task files in the checkout, in the inbox, or in main's tree where there is no checkout."""

    def look(self, main: Oid) -> FilesSeen:
        """Read what is there. Bad files become problems and never stop the others. Unchanged files are not parsed again."""

    def settle_in(self) -> float | None:
        """Seconds until a file that was still being written wants to be looked at again; None when there is none."""

    def settle(self, drop: str, problems: Sequence[Problem]) -> None:
        """Move the inbox file `drop` to `done`, or with problems to `rejected` beside a text that explains them.
        Does nothing when it is gone or is another file by now."""


class Reservations(Protocol):
    """Claim files of people, in the checkout, or in main's tree where there is no checkout."""

    def look(self, main: Oid) -> ReservationsSeen:
        """What they said last and well: a file that cannot be understood now holds what it held before."""

    def settle_in(self) -> float | None:
        """Seconds until a file that was still being written wants to be looked at again; None when there is none."""


class Settings(Protocol):
    """The configuration: the checkout's file, or main's where there is no checkout."""

    def look(self, main: Oid) -> tuple[Config, tuple[Problem, ...]]:
        """The last good configuration and what is wrong with the present file."""


class Intents(Protocol):
    """Requests that other processes dropped."""

    def look(self) -> tuple[Intent, ...]:
        """In the order of arrival."""

    def forget(self, intent: str) -> None:
        """Remove one. Does nothing when it is gone."""


class Refs(Protocol):
    """The few refs that belong to no other port."""

    @property
    def branch(self) -> str:
        """The short name of the branch that tasks land on."""

    def main(self) -> Oid:
        """The tip of the branch that tasks land on. Raises ConfigError when it does not exist."""

    def past(self, main: Oid, paths: Mapping[TaskId, str]) -> Mapping[TaskId, PastLanding]:
        """Those tasks that checkpoints say have landed, on `main` or lost, unless `main` has changed their files (`paths`)."""

    def gone(self, main: Oid, state: State) -> frozenset[TaskId]:
        """The tasks of `state` whose landing `main` does not contain. Costs next to nothing while main only grows."""

    def kept(self) -> frozenset[TaskId]:
        """Tasks whose base is held by a keep ref."""

    def keep(self, task: TaskId, base: Oid) -> None:
        """Hold `base` for `task`. Repeating it, also with another base, leaves the last one held."""

    def release(self, tasks: Iterable[TaskId]) -> None:
        """Delete keep refs; those that do not exist are skipped."""


class Runs(Protocol):
    """Supervised commands. A run id is used at most once: (task, generation, attempt) or (save, index, attempt)."""

    def start(self, order: RunOrder, config: Config) -> None:
        """Start the supervisor. Returns when its start is durable. Does nothing if this run was ever started."""

    def stop(self, run: RunId) -> None:
        """Ask the supervisor to end the whole tree: polite signal, grace, kill. Does nothing for a run that has ended."""

    def tell(self, run: RunId, name: str, text: str) -> None:
        """Leave a note in the control folder of a run, atomically; afterwards `look` shows it as told. It replaces the one
        of this name. Where the task made it impossible, or the run has ended, it only counts as told."""

    def salvage(self, run: RunId) -> None:
        """For a lost run: kill survivors, collect what was written, leave exit evidence LOST. Does nothing for others."""

    def revoke(self, run: RunId) -> None:
        """For a run that goes on but gives no heartbeat: kill its supervisor and everything below it, whatever state they
        are in, then as `salvage`. The same for a lost run. Does nothing for others."""

    def look(self, runs: Iterable[RunId]) -> Mapping[RunId, RunSeen]:
        """The phase and the evidence of each; while it runs, what it was told and what it asks for."""

    def leftovers(self) -> Mapping[RunId, RunSeen]:
        """All runs that still have a workspace on disk."""

    def discard(self, run: RunId) -> None:
        """Remove the workspace. The caller has seen to it that the work is reachable. Evidence and logs stay."""

    def begin_anew(self) -> None:
        """Run ids start again, so nothing that was left under them may count: stop what still runs, and set all evidence
        and all workspaces aside, where people find them. Does nothing when there is nothing."""


class Numbers(Protocol):
    """Numbers of a kind (migrations) that are given once, whoever asks: in this repository, or in all clones of a remote."""

    def look(self, wishes: Sequence[NumberWish], config: Config) -> frozenset[NumberWish] | None:
        """Those whose holder has its number, and nobody else has used it. None: `take` gives them here and now."""

    def ask(self, wishes: Sequence[NumberWish], config: Config) -> None:
        """Ask the shared remote for numbers. It does not wait; a later look shows what came of it. Does nothing while
        something else is under way."""

    def take(self, wish: NumberWish, config: Config) -> str:
        """The next number after all that stand in a branch or were given, with the leading zeros that the files have; it is
        durable when it is returned. Keyed by kind and holder: the same holder gets the same number again, unless somebody
        else has used it meanwhile. Where a shared remote gives them, only what was asked for and is there: raises GitError."""


class Airlock(Protocol):
    """The only way back for what a run made. It reads a pack, never a repository that an agent could write."""

    def admit(self, order: AdmitOrder, config: Config) -> None:
        """Judge and take in the result; afterwards `Runs.look` shows it as `returned`.

        ACCEPTED: `session/<s>/task/<t>` holds the tip. REFUSED or KEPT: `refs/orch/attic/<task>/<n>` does, if there was
        any. A result that was not made under the present lease of its task is REFUSED with reason FENCED. What the task
        branch held before goes to the attic unless main contains it. Keyed by the run id.
        """

    def rework(self, order: AdmitOrder, rework: Rework, config: Config) -> None:
        """Judge a result again that is in the repository already, under the claims of `order`; afterwards `Runs.look` shows
        the run as ended and `returned`. DROP first puts back what is outside the claims, as another commit on the base.
        Without `accept` it is only kept. Keyed by the run id."""


class Lives(Protocol):
    """What running tasks have committed so far, on the way through the airlock's quarantine."""

    def take(self, order: AdmitOrder, config: Config) -> None:
        """Look at the newest pack of the run and hold its commit by `refs/orch/live/<run>`; afterwards `Runs.look` shows it
        as the tip of `live`. What git refuses is not held, and is not looked at again. Does nothing where there is none."""

    def held(self) -> frozenset[RunId]:
        """Runs with such a ref."""

    def release(self, runs: Iterable[RunId]) -> None:
        """Delete the refs. What no other ref holds goes to the attic first."""


class Saves(Protocol):
    """Merging, landing, publishing. Keyed by the save's id; all objects are functions of the save's record."""

    def look(self, save: Save, main: Oid) -> SaveSeen:
        """The evidence that exists for this save now. The checkout is only looked at when landing was tried before."""

    def journals(self) -> frozenset[SaveId]:
        """Saves that have a journal."""

    def merge(self, save: Save, titles: Sequence[str]) -> None:
        """Create the journal whose parents are base and all tips, build the chain without a work tree, record it."""

    def land(self, save: Save, titles: Sequence[str], bid: Bid | None) -> None:
        """Seal the checkpoint commit, prove that its tree is the gated one and that the stored state still has the leases
        of its tasks, move a clean checkout of main, then move main from `save.base` to it by compare-and-swap, and publish.
        Lost race or unclean checkout: nothing has moved.

        With a `bid` main is the shared remote's: it moves together with the tenure, tag, branch and notes in one atomic
        push, whose outcome a later look at the remote shows."""

    def publish(self, save: Save) -> None:
        """Create the tag, move the integration branch, write the audit notes. For a save to a line: all but the tag."""

    def forget(self, saves: Iterable[SaveId]) -> None:
        """Delete journals (and ready refs). Does nothing for those that do not exist."""


class GateResults(Protocol):
    """What gates said about trees, for everybody who asks about the same trees later."""

    def look(self, save: Save, config: Config) -> GatesSeen:
        """Which gates of a save were green before on the trees of its chain, with the same command and environment."""

    def keep(self, save: Save, config: Config) -> None:
        """Store what its gates said in this save. Writing it again changes nothing."""


class Radar(Protocol):
    """What would happen if commits were merged. It changes nothing that anybody sees."""

    def look(self, main: Oid, tips: Sequence[Oid]) -> Meetings:
        """Which of `tips` do not merge with each other or with `main`. What cannot be found out is left out."""


class Shared(Protocol):
    """The remote that several clones share. Nothing here waits for it: what is asked for happens beside, one thing at a
    time, and a later look shows what came of it."""

    def look(self) -> SharedSeen | None:
        """The remote as it last answered, the same until the next call; None for a clone that is alone."""

    def hold(self, bid: Bid) -> None:
        """Push the tenure over exactly the version `bid.old`. Does nothing while something is under way."""

    def follow(self, main: Oid) -> None:
        """Move our branch and its clean checkouts forward to `main`. Does nothing when a checkout is in the way, or when
        the branch has commits of its own."""


class Lines(Protocol):
    """The integration branches of sessions."""

    def look(self, sessions: Iterable[SessionId]) -> Mapping[SessionId, Oid]:
        """Where the branch of each is; those without one are left out."""

    def place(self, session: SessionId, tip: Oid) -> None:
        """Take the branch to `tip`, wherever it is. What it loses by that is in the attic first."""


class SessionFiles(Protocol):
    """Session files: the checkout's where it shows main, else main's."""

    def look(self, main: Oid) -> tuple[SessionsSeen, tuple[Problem, ...]]:
        """Read what is there, and what is wrong with it. A name that `base` gives is resolved now."""

    def settle_in(self) -> float | None:
        """As `TaskFiles.settle_in`."""


class AgentFiles(Protocol):
    """Definitions of agents: the checkout's where it shows main, else main's."""

    def look(self, main: Oid, *, ask: bool) -> tuple[AgentsSeen, tuple[Problem, ...]]:
        """Read what is there, and what is wrong with it; and which programs are installed. With `ask` those of which nothing
        is known are asked who they are, which takes a while and is not waited for."""

    def settle_in(self) -> float | None:
        """As `TaskFiles.settle_in`."""


class Past(Protocol):
    """What has happened, for the prompts of agents."""

    def recall(self, ask: Ask) -> Recalled:
        """What the needs of a task have changed, and what its earlier attempts printed. What is gone is left out."""


class Clock(Protocol):
    """Time from outside."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 in UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds that only go forward, for limits within this process."""


class Machine(Protocol):
    """The machine that tasks run on."""

    def look(self, config: Config) -> MachineSeen:
        """What is free, and what the workspaces take. Cheap; what costs something is only measured where `config` limits
        it, and may be half a minute old."""

    def busy_ports(self) -> frozenset[int]:
        """TCP ports that somebody has now."""


class Leadership(Protocol):
    """The right to be the one orchd of this repository."""

    @property
    def owner(self) -> str:
        """Who we are, for the record."""

    def check(self) -> None:
        """Raises Busy when the right was lost (somebody removed the lock file)."""


class Audience(Protocol):
    """Whoever follows along: the terminal, a log."""

    def told(self, events: Sequence[Event], state: State) -> None:
        """Events that were stored, and the state after them."""

    def trouble(self, text: str) -> None:
        """Something failed and will be tried again."""

    def notice(self, text: str, word: str = "stop") -> None:
        """Something that a person wants to know about the service itself. May be called by a signal handler."""


class Sandbox(Protocol):
    """The place of isolation. Today the only one is none, and `status` says so."""

    @property
    def name(self) -> str:
        """For people: what separates an agent from this machine."""

    def wrap(self, argv: Sequence[str], workspace: str) -> tuple[str, ...]:
        """The command line that runs `argv` with nothing but `workspace` writable."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, as the composition root hands them to the engine."""

    store: StateStore
    files: TaskFiles
    reservations: Reservations
    settings: Settings
    intents: Intents
    refs: Refs
    runs: Runs
    numbers: Numbers
    airlock: Airlock
    lives: Lives
    saves: Saves
    results: GateResults
    radar: Radar
    shared: Shared
    lines: Lines
    sessions: SessionFiles
    agents: AgentFiles
    past: Past
    clock: Clock
    machine: Machine
    leadership: Leadership
    audience: Audience
