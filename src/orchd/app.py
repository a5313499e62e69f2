"""The composition root. Doors call it; it puts the parts together (with `orchd.assembly`, which knows every adapter).

Rule: imports of adapters stay inside functions, so that a client command pays only for what it uses.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchd.core.tables import tell_span
from orchd.model.dataclass import dataclass
from orchd.model.ids import ATTIC_PREFIX, CHECKPOINT_FOLDER, Oid, RunId, SessionId, TaskId
from orchd.model.snapshot import Decision, State, Verb
from orchd.model.work import Status, Task

if TYPE_CHECKING:
    from orchd.adapters.attic import Kept
    from orchd.adapters.place import Place
    from orchd.adapters.promoter import Promoter
    from orchd.adapters.server import Server
    from orchd.adapters.state_reader import HotState, Operation
    from orchd.core.arbiter import Turn
    from orchd.core.chain_proof import Proof
    from orchd.core.disputes import Disagreement
    from orchd.core.lessons import Lessons
    from orchd.core.policy import Change
    from orchd.core.retention import Judged
    from orchd.model.agent import Report
    from orchd.model.claim import Reservation
    from orchd.model.config import Config
    from orchd.model.environment import Environment
    from orchd.model.problem import Problem
    from orchd.model.promotion import Chain, Record
    from orchd.model.save import Checkpoint
    from orchd.ports import Audience


@dataclass(frozen=True, slots=True)
class Served:
    """How a run of the loop ended: the state then and before, the tasks it was asked for (None: all), and the signals that
    stopped it (none: it was done)."""

    state: State
    before: State
    only: frozenset[TaskId] | None = None
    signals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RunView:
    """A run that goes on: the supervisor's process id, seconds since its start and its last heartbeat, the folder of its
    log, what each of its agents has said, after the name of its command; the `step` that it is at (empty: it has none), and
    seconds since that began."""

    pid: int
    seconds: float
    beat_seconds: float
    log: Path
    reports: tuple[tuple[str, Report], ...] = ()
    step: str = ""
    step_seconds: float = 0.0


def find(start: Path) -> Place:
    """The repository that `start` is in."""
    from orchd.adapters.place import find_place

    return find_place(start)


def serve(place: Place, audience: Audience, *, until_idle: bool, only: Iterable[TaskId] = ()) -> Served:
    """Serve a repository in this process until stopped, or until nothing is left to do. Raises Busy for a second one."""
    from orchd.adapters.gc_guard import keep_gc_away
    from orchd.adapters.leadership import take_leadership
    from orchd.assembly import open_ports
    from orchd.engine.bell import Bell
    from orchd.engine.reconcile import Reconciler

    bell = Bell()
    with ExitStack() as stack:
        stops = stack.enter_context(_signals(audience, asks=until_idle))
        leader = take_leadership(place)
        stack.callback(leader.release)
        stack.enter_context(keep_gc_away(place))
        ports = stack.enter_context(open_ports(place, leader, audience, bell.ring))
        asked = frozenset(only) or None
        reconciler = Reconciler(ports, bell, asked)
        stops.attach(reconciler.drain, lambda: config(place).drain_seconds)
        stack.enter_context(_watching(place, bell.ring))
        reconciler.lead()
        before = ports.store.load().state
        if not until_idle:
            where = f"{place.checkout or place.git_dir}, branch {branch(place)}"
            audience.notice(f"{where}; isolation of agents: {sandbox_name()}", "serves")
        return Served(reconciler.run(until_idle=until_idle), before, asked, tuple(stops.heard))


@contextmanager
def _watching(place: Place, ring: Callable[[], None]) -> Iterator[None]:
    from orchd.adapters.watch import Watcher

    watcher = Watcher(place, ring)
    watcher.start()
    try:
        yield
    finally:
        watcher.close()


class _Stops:
    """What the signals said, and whom they stop; from the first moment on, so that none is missed."""

    def __init__(self, audience: Audience, *, asks: bool) -> None:
        self.heard: list[int] = []
        self._audience = audience
        self._asks = asks
        self._drain: Callable[[], None] | None = None
        self._limit_seconds: Callable[[], float] = float
        self._told = False

    def attach(self, drain: Callable[[], None], limit_seconds: Callable[[], float]) -> None:
        """From now on a signal drains, for at most `limit_seconds`; one that came before does so at once."""
        self._drain, self._limit_seconds = drain, limit_seconds
        if self.heard:
            self._begin_drain()

    def hear(self, number: int, _: object) -> None:
        """TERM drains. INT asks once where somebody can answer, then drains, then leaves at once."""
        self.heard.append(number)
        if len(self.heard) == 1 and self._asks and number == signal.SIGINT:
            self._audience.notice("stop? Press Ctrl-C again: nothing new is started, and what runs may finish")
        elif len(self.heard) > 2 and number == signal.SIGINT:
            raise KeyboardInterrupt
        elif self._drain is not None:
            self._begin_drain()

    def _begin_drain(self) -> None:
        """Told once. The third Ctrl-C leaves at once."""
        assert self._drain is not None
        if not self._told:
            self._told = True
            limit = f"what runs may finish for up to {tell_span(self._limit_seconds())}"
            self._audience.notice(f"nothing new is started; {limit}; a third Ctrl-C leaves at once")
        self._drain()


@contextmanager
def _signals(audience: Audience, *, asks: bool) -> Iterator[_Stops]:
    stops = _Stops(audience, asks=asks)
    before = {number: signal.signal(number, stops.hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stops
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def read_hot(place: Place) -> HotState:
    """All tasks that are not archived, and the number of archived ones by status."""
    from orchd.adapters.state_reader import read_hot

    return read_hot(place)


def read_all(place: Place) -> State:
    """The whole state."""
    from orchd.adapters.state_reader import read_all

    return read_all(place)


def read_task(place: Place, task: TaskId) -> Task | None:
    """One task, archived or not."""
    from orchd.adapters.state_reader import read_task

    return read_task(place, task)


def checkpoints(place: Place) -> tuple[Checkpoint, ...]:
    """What landed, oldest first."""
    from orchd.adapters.state_reader import read_checkpoints

    return read_checkpoints(place)


def prove(place: Place) -> Proof:
    """Whether main, with a remote the one there, holds what orchd landed, from git objects alone."""
    from orchd.adapters.losses import prove_branch

    return prove_branch(place, branch(place), config(place).remote)


def restore(place: Place, checkpoint: Checkpoint, folder: Path | None, *, dry_run: bool) -> Path:
    """Check out a checkpoint in a new folder (None: one beside the repository). Raises UsageError when it is taken."""
    from orchd.adapters.person_tree import add_person_tree, name_person_tree

    target = folder or name_person_tree(place, checkpoint.name.removeprefix(CHECKPOINT_FOLDER))
    if not dry_run:
        add_person_tree(place, target, checkpoint.commit)
    return target


def count_changes(place: Place, old: Oid, new: Oid) -> int:
    """How many files differ between two commits."""
    from orchd.adapters.git_run import Git

    return Git(place.git_dir).run("diff", "--name-only", "-z", "--no-renames", old, new).count(b"\0")


def resolve(place: Place, words: str) -> Oid:
    """The commit that git's words name. Raises GitError when there is none."""
    from orchd.adapters.git_run import Git

    return Git(place.git_dir).run("rev-parse", "--verify", f"{words}^{{commit}}").decode().strip()


def promoter(place: Place, say: Callable[[str], None], show: Callable[[bytes], object]) -> Promoter:
    """What promotes, approves and rolls back; words go to `say`, what the commands print to `show`."""
    from orchd.adapters.promoter import Promoter, Talk

    return Promoter(place, read_hot(place).state.branch, Talk(say, show))


def retention(place: Place) -> tuple[Judged, ...]:
    """What keeps the tag of each checkpoint, the newest first."""
    from orchd.adapters.timeline import read_ties
    from orchd.core.retention import judge_checkpoints

    return judge_checkpoints(checkpoints(place), read_ties(place, read_all(place), branch(place)))


def prune(place: Place, *, dry_run: bool) -> tuple[Judged, ...]:
    """Take the tags away that nothing keeps; what was decided about each."""
    from orchd.adapters.timeline import prune, read_tags

    tags = read_tags(place)
    judged = retention(place)
    if not dry_run:
        prune(place, (one.checkpoint for one in judged if not one.why), tags, time.time_ns() // 1_000_000)
    return judged


def pin(place: Place, name: str, *, pinned: bool) -> bool:
    """Keep a checkpoint from being pruned, or no longer; whether it was kept so before."""
    from orchd.adapters import timeline

    if not pinned:
        return timeline.unpin(place, name)
    was = name in timeline.read_ties(place, read_hot(place).state, branch(place)).pinned
    timeline.pin(place, name)
    return was


def promotions(place: Place) -> Mapping[str, Chain]:
    """The records of all environments that have some."""
    from orchd.adapters.environments import read_chains

    return read_chains(place)


def environments(place: Place) -> tuple[Environment, ...]:
    """Those of the configuration as it is now."""
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.present import find_settings

    return find_settings(place, open_repo(place), read_hot(place).state.branch)[0].environments


def is_going_on(record: Record) -> bool:
    """Whether the process of a deployment that has not ended still runs, as far as this machine can tell."""
    from orchd.adapters.promotion_scene import is_going_on

    return is_going_on(record.process)


def attic(place: Place) -> tuple[Kept, ...]:
    """What was put away, and the workspaces that are kept."""
    from orchd.adapters.attic import list_attic
    from orchd.core.watched import watched_runs

    return list_attic(place, branch(place), watched_runs(read_hot(place).state))


def take_out(place: Place, task: TaskId, number: int, folder: Path | None) -> tuple[str, Oid, Path]:
    """Check out an entry of the attic (0: the newest of `task`) in a new folder (None: one beside the repository): its ref,
    its commit and the folder. Raises UsageError when there is no such entry or the folder is taken."""
    from orchd.adapters.attic import find_kept, take_out
    from orchd.adapters.person_tree import name_person_tree

    ref, oid = find_kept(place, task, number)
    target = folder.absolute() if folder else name_person_tree(place, ref.removeprefix(ATTIC_PREFIX).replace("/", "-"))
    take_out(place, oid, target)
    return ref, oid, target


def checkpoint_commit(place: Place, name: str) -> Oid:
    """The commit of a checkpoint, by its full name or without `checkpoint/`; empty when there is none."""
    return next((one.commit for one in checkpoints(place) if name in (one.name, one.name.removeprefix("checkpoint/"))), "")


def operations(place: Place, limit: int) -> Sequence[Operation]:
    """The newest operations on the state."""
    from orchd.adapters.state_reader import read_operations

    return read_operations(place, limit)


def decisions(place: Place, state: State) -> tuple[Decision, ...]:
    """What the arbiter says about each waiting task now. `state` may be the hot one."""
    waiting = [task for task in state.tasks.values() if task.status is Status.WAITING]
    if not waiting:
        return ()  # and nothing is imported for it: mostly nobody waits when people look
    from orchd.adapters.effective import read_agents, read_effective
    from orchd.adapters.machine import LocalMachine
    from orchd.adapters.number_reader import read_unnumbered
    from orchd.adapters.sessions_view import read_elsewhere
    from orchd.core.chains import decide_alone
    from orchd.core.desk import Room
    from orchd.core.graph import dependencies
    from orchd.core.reservations import standing

    if any(name not in state.tasks for task in waiting for name in dependencies(task.spec)):
        state = replace(read_all(place), gone=state.gone)
    effective = read_effective(place)
    sessions = {task.spec.session for task in waiting} if effective.remote else frozenset[str]()
    now_ms = time.time_ns() // 1_000_000
    kept = standing(reservations(place), now_ms)
    machine, away = LocalMachine(place.workspaces, time.monotonic).look(effective), read_elsewhere(place, sessions)
    lacking = read_unnumbered(place, waiting) if effective.remote else {}
    room = Room(effective, now_ms, reservations=kept, elsewhere=away, machine=machine, unnumbered=lacking, gone=state.gone)
    return decide_alone(state, room, read_agents(place))


def reservations(place: Place) -> tuple[Reservation, ...]:
    """What people keep for themselves, expired or not: as the orchd that serves here has read it, else as their files say."""
    from orchd.adapters.reservation_record import has_claim_files, read_reservations

    if server(place) is None and has_claim_files(place, lambda: branch(place)):
        from orchd.adapters.reservations import read_claim_files

        return read_claim_files(place, branch(place))
    return read_reservations(place) if server(place) is not None else ()


def plan(place: Place) -> tuple[State, tuple[Turn, ...]]:
    """The waiting tasks in the order that the arbiter would take, and the state with all task files as they are now."""
    from orchd.adapters.file_check import check_files
    from orchd.adapters.git_refs import GitRefs
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.machine import LocalMachine
    from orchd.adapters.present import find_settings
    from orchd.adapters.session_files import GitSessionFiles
    from orchd.adapters.sessions_view import read_elsewhere
    from orchd.adapters.task_files import open_task_files
    from orchd.core.preview import foresee
    from orchd.engine.observe import list_news
    from orchd.model.snapshot import FilesSeen, Snapshot

    state, repo = read_all(place), open_repo(place)
    config, branch = find_settings(place, repo, state.branch)
    refs = GitRefs(repo, branch)
    main = refs.main()
    state = replace(state, gone=state.gone if config.remote else refs.gone(main, state))
    rules, _ = GitSessionFiles(place, repo, branch, time.time).look(main)
    if place.checkout is None:
        files = open_task_files(place, repo, lambda: config.timeout_seconds, time.monotonic, time.time).look(main)
    else:
        files = FilesSeen(check_files(place)[0])
    kept, machine = reservations(place), LocalMachine(place.workspaces, time.monotonic).look(config)
    sessions = {task.spec.session for task in state.tasks.values()} if config.remote else frozenset[str]()
    past, now_ms = refs.past(main, list_news(state, files)), time.time_ns() // 1_000_000
    snapshot = Snapshot(now_ms, state, config, main, files, kept, machine=machine, sessions=rules, past=past)
    return foresee(snapshot, read_elsewhere(place, sessions))


def config(place: Place) -> Config:
    """The configuration that the last orchd here used; the defaults before the first."""
    from orchd.adapters.effective import read_effective

    return read_effective(place)


def branch(place: Place, state: State | None = None) -> str:
    """The branch that tasks land on. `state`: where it was read already."""
    from orchd.adapters.branch import find_branch

    return find_branch(place, config(place).branch, (state or read_hot(place).state).branch)


def file_names(place: Place) -> frozenset[TaskId]:
    """The ids that the task files give which are there now, good or bad: in the checkout, or on the branch when bare."""
    if place.checkout is not None:
        return frozenset(file.stem for name in ("tasks", "inbox") for file in (place.checkout / ".orch" / name).glob("*.y*ml"))
    from orchd.adapters.git_run import Git

    listed = Git(place.git_dir).attempt("ls-tree", "-z", "--name-only", f"refs/heads/{branch(place)}:.orch/tasks").stdout
    return frozenset(Path(name).stem for name in listed.decode(errors="replace").split("\0") if name)


def outside(place: Place, task: Task) -> tuple[Change, ...] | None:
    """All that the result of `task` changed outside its claim. None when the commits are not there."""
    from orchd.adapters.outside import list_outside

    return list_outside(place, task)


def disagreement(place: Place, task: Task) -> Disagreement | None:
    """What the held result of `task` conflicts with now: main, or the line of its session. None: git cannot tell."""
    from orchd.adapters.branch import find_tip
    from orchd.adapters.disputes import read_disagreement
    from orchd.core.sessions import find_start

    return read_disagreement(place, task, find_start(read_hot(place).state, task.spec.session, find_tip(place, branch(place))))


def store_file(place: Place, content: bytes) -> Oid:
    """Put the content of a file into the repository."""
    from orchd.adapters.disputes import store_file

    return store_file(place, content)


def server(place: Place) -> Server | None:
    """Who serves the repository now."""
    from orchd.adapters.server import read_server

    return read_server(place)


def running(place: Place, state: State) -> Mapping[RunId, RunView]:
    """The runs that go on now, whoever started them."""
    from orchd.adapters.evidence import read_reports, read_running, run_folder
    from orchd.adapters.run_step import read_step
    from orchd.core.watched import watched_runs

    found = {}
    for run in watched_runs(state):
        if (seen := read_running(place, run)) is not None:
            log, said = run_folder(place, run), read_reports(place, run)
            found[run] = RunView(seen.pid, seen.seconds, seen.beat_seconds, log, said, *read_step(log))
    return found


def sandbox_name() -> str:
    """What separates a task from this machine."""
    from orchd.adapters.sandbox import NoSandbox

    return NoSandbox().name


def has_log(place: Place, run: RunId) -> bool:
    """Whether there is anything left of a run that could hold its output."""
    from orchd.adapters.evidence import run_folder

    return run_folder(place, run).is_dir()


def log_lines(place: Place, run: RunId, follow: bool) -> Iterator[bytes]:  # noqa: FBT001 - one flag of one command
    """The raw log of a run, line by line; with `follow` until the run has ended."""
    from orchd.adapters.evidence import follow_log, read_log

    return follow_log(place, run) if follow else read_log(place, run)


def check_owner(place: Place, session: SessionId) -> None:
    """Raises UsageError when another clone owns a session, so that nothing can be asked of it here. Without a daemon that
    asks the remote nobody knows; the next one sees to it."""
    from orchd.adapters.sessions_view import check_owner

    if server(place) is not None:
        check_owner(place, session, config(place).takeover_seconds)


def ask(place: Place, verb: Verb, subject: str, words: Sequence[str] = ()) -> str:
    """Drop a request and return its id; the daemon that runs, or the next one, takes it."""
    from orchd.adapters.intents import drop_intent

    return drop_intent(place, verb, subject, words)


def person(start: Path) -> str:
    """Who works here, as git knows it, also from the person's own configuration; empty when it does not."""
    from orchd.adapters.git_run import read_person

    return read_person(find(start).git_dir)


def take_number(place: Place, kind: str, holder: str) -> str:
    """A number of a kind for `holder`, who gets the same again. Raises OrchdError when a shared remote does not answer."""
    from orchd.adapters.clock import SystemClock
    from orchd.adapters.git_numbers import AskedNumbers, GitNumbers
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.number_book import NumberBook
    from orchd.adapters.present import find_settings
    from orchd.adapters.shared_open import open_remote
    from orchd.model.number import NumberWish

    repo = open_repo(place)
    used, branch = find_settings(place, repo, read_hot(place).state.branch)
    book = NumberBook(repo, SystemClock().now_ms)
    asked = AskedNumbers(repo, book, open_remote(place, used), used.remote, branch) if used.remote else GitNumbers(repo, book)
    return asked.take(NumberWish(kind, holder), used)


def init(place: Place, *, agents: bool = False) -> list[tuple[Path, str]]:
    """Write `.orch/`, with definitions of `agents` when they are wanted. What is there is kept. Each path and whether it was
    written."""
    from orchd.adapters.scaffold import write_scaffold

    return write_scaffold(place, agents=agents)


def learn_merges(place: Place, limit: int) -> Lessons:
    """What the newest merges of the branch that tasks land on say about settling conflicts without asking."""
    from orchd.adapters.git_repo import open_repo
    from orchd.adapters.replay import replay_merges
    from orchd.core.lessons import sum_up

    return sum_up(replay_merges(open_repo(place), f"refs/heads/{branch(place)}", limit))


def write_automatic(checkout: Path, lessons: Lessons) -> str:
    """Write into the configuration which conflicts are settled without asking. The line. Raises UsageError."""
    from orchd.adapters.config_edit import write_automatic

    off = [f"{lesson.recipe}: off, {lesson.fault}" for lesson in lessons.recipes if lesson.fault]
    head = f"By `orchd init --learn-merges`, from {lessons.merges} merges of people:"
    return write_automatic(checkout, lessons.chosen, (head, *off))


def check(place: Place, paths: Sequence[Path]) -> tuple[Problem, ...]:
    """What is wrong with these input files, or with all of them."""
    from orchd.adapters.file_check import check_files
    from orchd.core.graph import find_graph_problems, split_duplicates

    good, problems = check_files(place, paths)
    files, again = split_duplicates(good)
    known = {name: task.spec for name, task in read_all(place).tasks.items() if name not in files}
    wrong = find_graph_problems(files, known)
    return tuple(sorted({*problems, *wrong.values(), *(problem for _, problem in again)}))


def schema(name: str) -> str:
    """The JSON Schema of `task`, `config` or `claim` files."""
    import json

    from orchd.adapters.input_schemas import schema_json

    return json.dumps(schema_json(name), indent=2) + "\n"
