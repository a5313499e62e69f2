"""What an agent is to be told (Ask), and what has to be looked up for that outside of the state (Recalled)."""

from __future__ import annotations

from orchd.model.agent import Effort
from orchd.model.claim import PathSpec
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid, RunId, TaskId
from orchd.model.work import Earlier, Setback


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A task that runs at the same time, and what it may change."""

    task: TaskId
    title: str
    paths: tuple[PathSpec, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """A task that this one needed: the commit `tip` with its work, made from `base` (empty: it failed, and is optional)."""

    task: TaskId
    title: str
    base: Oid = ""
    tip: Oid = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A step that was done: its name, what it was, and what it made from `base` to `tip` (empty: in this very run)."""

    name: str
    what: str
    base: Oid = ""
    tip: Oid = ""


@dataclass(frozen=True, slots=True)
class Omitted:
    """A step that could not be done and that the task goes on without: its name, what it was, and what was said of its failure
    (empty: nothing that is remembered)."""

    name: str
    what: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Everything that a prompt is written from, as the state has it. `gates` are commands, `setbacks` the last attempts in
    vain, the newest last; `runs` are those whose output says why, in the order of `setbacks` (empty: nothing does).

    `earlier` is the result that it is to settle a conflict of. `step` is which of the `steps` it is about (empty: the task
    has none), `finished` are those before it, `omitted` those that were skipped, `whole` is the goal that it is a part of
    (empty: of none). `divisible`: its agent may propose parts of it."""

    title: str
    goal: str
    instructions: str = ""
    acceptance: tuple[str, ...] = ()
    effort: Effort | None = None
    paths: tuple[PathSpec, ...] = ()
    evidence: tuple[str, ...] = ()
    noop: bool = False
    neighbours: tuple[Neighbour, ...] = ()
    needs: tuple[Need, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    setbacks: tuple[Setback, ...] = ()
    runs: tuple[RunId, ...] = ()
    step: str = ""
    steps: tuple[str, ...] = ()
    finished: tuple[Finished, ...] = ()
    omitted: tuple[Omitted, ...] = ()
    whole: str = ""
    divisible: bool = False
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was looked up: the changed paths of each of `Ask.needs`, the end of what each of `Ask.runs` printed, the changed
    paths of each of `Ask.finished`, and the number of each kind that the task was given."""

    changed: tuple[tuple[str, ...], ...] = ()
    printed: tuple[str, ...] = ()
    made: tuple[tuple[str, ...], ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()


NOTHING_RECALLED = Recalled()
