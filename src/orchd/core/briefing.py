"""What a task is told while it runs: the brief at its start, and notes in its control folder afterwards.

Rule: a note is a function of state and snapshot. It is asked for when the last one of its name says something else; where
nothing is to be said and nothing was said before, there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from orchd.core.attempts import UNSEEN
from orchd.core.extensions import ASK, read_request
from orchd.core.inert import inert
from orchd.core.parts import PARTS, read_parts
from orchd.core.radar import live_tips, write_conflicts
from orchd.core.reservations import standing
from orchd.core.waits import tell_wait
from orchd.core.watched import current_run
from orchd.model.action import TellRun
from orchd.model.claim import PathSpec
from orchd.model.run import Phase, RunSeen
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Earlier, Task

ASKS: Mapping[str, str] = {
    PARTS: "what your goal can be divided into, should it be too large for you: 2 to 5 lines `NAME: what to achieve`, in their "
    "order, NAME of a-z, 0-9 and hyphens. Write it early; it is only used when you cannot do it in one",
    ASK: "what else you want to change, as `GLOB` or `MODE GLOB` (read, write, append); `orchd claim --task` asks the same",
}
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

_EARLIER = """\
## A conflict to settle

An earlier attempt of this task made `{tip}` (`$ORCHD_EARLIER`; theirs), beginning with `{base}`
(the base of both). Meanwhile others landed what you start from now (`HEAD`; ours), and the two conflict in:

{paths}
- What landed there, and what for: `git log -p {base}..HEAD`
- What the earlier attempt did: `git diff {base} {tip}`
- Both, with marks where they conflict: `git merge {tip}`

Bring both goals together. What you make takes the place of the earlier result, which is not used otherwise.

"""

Writer = Callable[[Task, RunSeen, State, Snapshot], str]


def word_brief(task: Task, claims: Iterable[PathSpec]) -> str:
    """The text that stands in the control folder when a task starts, with the `claims` that it starts with."""
    spec, listed = task.spec, _list_paths(claims)
    mine = {name: what for name, what in ASKS.items() if name != PARTS or spec.is_for_agent}
    asks = "".join(f"- `{name}.ask`: {what}\n" for name, what in mine.items())
    return (
        f"# {spec.id}: {inert(spec.title)}\n\nAttempt {task.attempt}, session {spec.session}.\n\n"
        f"## What you may change\n\n{listed}\nWhat you change anywhere else is not accepted.\n\n"
        f"{tell_earlier(task.earlier) if task.earlier else ''}"
        f"{_FOLDER}\nYou may ask for:\n\n{asks}"
    )


def tell_earlier(earlier: Earlier) -> str:
    """What is to be settled, and how to look at it: by the commits, which the workspace can read."""
    return _EARLIER.format(tip=earlier.tip, base=earlier.base, paths="".join(f"- `{inert(path)}`\n" for path in earlier.paths))


def tell_proposing(tasks: int) -> str:
    """How to propose tasks, for who may."""
    return (
        f"\n## More tasks\n\nWhat should be done and is not yours to do you may propose, {tasks} tasks at most: each as a task "
        f"file `proposals/NAME.yaml` in this folder, like\n\n    title: what is to be done\n    goal: what is to be reached\n"
        f"    claims: [what/may/be/changed/**]\n\nThey are read when you have ended well.\n"
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


def _tell_answers(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    lease, kept = state.leases.get(task.spec.id), standing(snapshot.reservations, snapshot.now_ms)
    if lease is None:
        return ""
    lines = [f"waits for {tell_wait(task.spec.id, want, state, kept)}: {_name_paths(want.paths)}" for want in lease.wants]
    lines += [f"refused: {_name_paths(one.paths)}: {inert(one.why)}" for one in lease.refused]
    lines += [f"not understood: {inert(fault)}" for fault in read_request(seen.asked.get(ASK, ()))[1]]
    if not lines and not lease.extended and ANSWERS not in seen.told:
        return ""
    return f"You may change now:\n\n{_list_paths(lease.paths)}" + "".join(f"\n{line}\n" for line in lines)


def _tell_parts(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    if PARTS not in seen.asked:
        return ""
    parts, faults = read_parts(seen.asked[PARTS])
    noted = f"Noted, and used when it cannot be done in one: {', '.join(part.name for part in parts)}\n"
    return "".join(f"- {fault}\n" for fault in faults) or noted


def answer_to(paths: Sequence[PathSpec], note: str) -> tuple[str, str]:
    """What the note of answers says about a request: `granted`, `refused` and why, or `asked` when it says nothing yet."""
    lines = note.splitlines()
    if paths and all(line in lines for line in _list_paths(paths).splitlines()):
        return "granted", ""
    refused = tuple(f"refused: {_name_paths((path,))}: " for path in paths)
    why = next((line.partition("`: ")[2] for line in lines if line.startswith(refused)), None)
    return ("asked", "") if why is None else ("refused", why)


def _list_paths(paths: Iterable[PathSpec]) -> str:
    return "".join(f"- {path.mode}: `{inert(path.glob)}`\n" for path in paths)


def _name_paths(paths: Iterable[PathSpec]) -> str:
    return ", ".join(f"{path.mode} `{inert(path.glob)}`" for path in paths)


def _tell_policy(task: Task, seen: RunSeen, state: State, snapshot: Snapshot) -> str:
    faults = "".join(f"- {inert(fault)}\n" for fault in seen.live.detail) if seen.live else ""
    if faults:
        return f"What you have committed would not be accepted as it is:\n\n{faults}"
    return "Nothing stands against what you have committed any more.\n" if POLICY in seen.told else ""


ANSWERS = "claim.md"
REJECTED = "rejected.md"
PROPOSED = "parts.md"
POLICY = "policy.md"
CONFLICTS = "conflicts.md"
NO_CONFLICT = "Nothing of what you committed conflicts any more.\n"

NOTES: Mapping[str, Writer] = {
    REJECTED: _tell_rejected,
    ANSWERS: _tell_answers,
    PROPOSED: _tell_parts,
    CONFLICTS: _tell_conflicts,
    POLICY: _tell_policy,
}
"""The notes, by file name, and who writes each."""
