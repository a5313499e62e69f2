"""What a task is told while it runs: the brief at its start, and notes in its control folder afterwards.

Rule: a note is a function of state and snapshot. It is asked for when the last one of its name says something else; where
nothing is to be said and nothing was said before, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from orchd.core.attempts import UNSEEN
from orchd.core.inert import inert
from orchd.core.radar import live_tips, write_conflicts
from orchd.core.watched import current_run
from orchd.model.message import TellRun
from orchd.model.run import Phase, RunSeen
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Task

ASKS: Mapping[str, str] = {}
"""What a running task may ask for: the name of the request, and what its lines are."""

_FOLDER = """\
## This folder

`$ORCHD_CONTROL` is this folder. It is never part of your result.

- orchd leaves notes for you here while you work, as `NAME.md`. Look before you commit and before you end.
- To ask for something, write it to a file with another name and rename that to `NAME.ask`, one request per line. The answer
  is a note. What cannot be understood is named in `rejected.md`.
- Commit as you go. As soon as something that you committed would conflict with what another task did, `conflicts.md` says with
  whom, where, and how to look at it; and as soon as something would not be accepted, `policy.md` says so.
"""

Writer = Callable[[Task, RunSeen, State, Snapshot], str]


def word_brief(task: Task) -> str:
    """The text that stands in the control folder when a task starts."""
    spec = task.spec
    claims = "".join(f"- {claim.mode}: `{inert(claim.glob)}`\n" for claim in spec.claims)
    asks = "".join(f"- `{name}.ask`: {what}\n" for name, what in ASKS.items()) or "- nothing yet\n"
    return (
        f"# {spec.id}: {inert(spec.title)}\n\nAttempt {task.attempt}, session {spec.session}.\n\n"
        f"## What you may change\n\n{claims}\nWhat you change anywhere else is not accepted.\n\n"
        f"{_FOLDER}\nYou may ask for:\n\n{asks}"
    )


def tell_task(task: Task, state: State, snapshot: Snapshot) -> Iterator[TellRun]:
    """The notes that a running task was not given yet, as they should read now."""
    run = current_run(task)
    seen = snapshot.runs.get(run, UNSEEN)
    if seen.phase is not Phase.RUNNING:
        return
    for name, write in NOTES.items():
        text = write(task, seen, state, snapshot)
        if text != seen.told.get(name, ""):
            yield TellRun(run, name, text)


def _tell_rejected(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    unknown = {name: "there is nothing of this name to ask for" for name in seen.asked if name not in ASKS}
    wrong = sorted({**unknown, **seen.misasked}.items())
    return "".join(f"- `{inert(name)}`: {inert(why)}\n" for name, why in wrong) or seen.told.get(REJECTED, "")


def _tell_conflicts(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    if any(found.task == task.spec.id for found in state.conflicts):
        return write_conflicts(task, state, live_tips(state, snapshot.runs))
    return NO_CONFLICT if CONFLICTS in seen.told else ""


def _tell_policy(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    faults = "".join(f"- {inert(fault)}\n" for fault in seen.live.detail) if seen.live else ""
    if faults:
        return f"What you have committed would not be accepted as it is:\n\n{faults}"
    return "Nothing stands against what you have committed any more.\n" if POLICY in seen.told else ""


REJECTED = "rejected.md"
POLICY = "policy.md"
CONFLICTS = "conflicts.md"
NO_CONFLICT = "Nothing of what you committed conflicts any more.\n"

NOTES: Mapping[str, Writer] = {
    REJECTED: _tell_rejected,
    CONFLICTS: _tell_conflicts,
    POLICY: _tell_policy,
}
"""The notes, by file name, and who writes each."""
