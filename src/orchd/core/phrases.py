"""The sentences about tasks, as tables: one entry for each status, reason, cause and step. `core.telling` fills them in.

Why apart: what is said is changed more often than when it is said. Rule: a sentence claims no more than the record proves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchd.model.dataclass import dataclass
from orchd.model.save import Hold, SaveStep
from orchd.model.snapshot import Cause
from orchd.model.work import Reason, Source


@dataclass(frozen=True, slots=True)
class Telling:
    """`what` happened, without a full stop; `why` is the evidence line by line; `steps` are what a person can do."""

    what: str
    why: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


EXPIRED = "attempt {attempt} counts as lost: its supervisor gives no heartbeat; it is being ended, and its work will be kept"
LOST_BEFORE = "attempt {attempt} was lost: its supervisor was gone, or gave no heartbeat"
LOG = "`orchd logs {id}` shows what it printed"
DIFF = "`git diff {base} {ref}` shows what it changed: nothing is lost"
RETRY = "`orchd retry {id}` runs it again on the present {branch}"
GO_ON = "`orchd retry {id} --from {next_step}` keeps what the steps before it have made"
ANEW = "{change}: that starts it anew"
ASK_AGAIN = "it was asked for once: `orchd undo` or `orchd restore --make-main` asks again"
NO_COMMAND = "echo 'this was asked for once: ask again with orchd undo or orchd restore' >&2; exit 1"
"""Stands where other tasks have their command, for one that brings a tree back; nobody runs it."""
COPIED = "what is there is a copy of its checkpoint (picked, amended or rebased), which no gate has judged"
BACK = "its file is gone, so a retry would be withdrawn at once: put `.orch/tasks/{id}.yaml` back first"

QUESTIONS: Mapping[Reason, tuple[str, tuple[str, ...]]] = {
    Reason.CLAIM: (
        "its result changed paths outside its claim: may it?",
        (
            "orchd answer {task} --widen",
            "orchd answer {task} --widen GLOB...",
            "orchd answer {task} --drop",
            "orchd cancel {task}",
            "orchd retry {task}",
        ),
    ),
    Reason.CONFLICT: (
        "its result and what landed meanwhile changed the same places: which counts?",
        (
            "orchd answer {task} --take ours",
            "orchd answer {task} --take theirs",
            "orchd answer {task} --file PATH=FILE",
            "orchd answer {task} --task",
            "orchd cancel {task}",
            "orchd retry {task}",
        ),
    ),
}
"""What is asked about a held result, and the commands that answer it."""

TAKE_EARLIER = "orchd answer {task} --take earlier"
"""Besides, where all of a conflict was settled before."""
SETTLED_BEFORE = "the same conflict was settled before, `orchd answer {task} --take earlier` settles it likewise"

SCREENING = "its own gates ({gates}) judge it by itself before it may be merged"
NO_ROOM_ALONE = "it is done, and there is hardly any room on the disk to run its own gates"
SCREENED_OUT = "a gate was red on its own result, before it was merged with anything"

RESTORES = "the tree of {tip} comes back; no command runs"
REWORK = "its result {tip} is judged again, as a person answered; its command does not run again"

FOLLOW_UP = "it is to settle the conflict of its earlier result {tip}"

REASONS: Mapping[Reason, Telling] = {
    Reason.EXIT: Telling("its command did not succeed", steps=(LOG, DIFF, RETRY, ANEW)),
    Reason.TIMEOUT: Telling(
        "it ran into its time limit of {limit} and was ended",
        steps=(LOG, DIFF, "raise `timeout:` ({change}): that starts it anew", RETRY),
    ),
    Reason.WORKSPACE: Telling(
        "its workspace could not be prepared, or its result could not be taken from it", steps=(LOG, DIFF, RETRY)
    ),
    Reason.NOTHING: Telling(
        "its command reported success but changed nothing",
        steps=(LOG, "if that is right, write `noop: allowed` into it ({change}): that starts it anew", RETRY),
    ),
    Reason.CLAIM: Telling(
        "it changed paths outside its claim",
        steps=(
            "`orchd answer {id}` lists them all",
            "`orchd answer {id} --widen` lets them in: the result is judged again, its command does not run again",
            "`orchd answer {id} --drop` puts them back and takes the rest",
            "`orchd cancel {id}` gives it up; its work stays in the attic",
            DIFF,
            "widen `claims:` ({change}): that starts it anew",
            RETRY,
        ),
    ),
    Reason.POLICY: Telling(
        "its result holds something that may not come in",
        steps=(DIFF, "change its command so that it does not make this ({change}): that starts it anew", RETRY),
    ),
    Reason.GATE: Telling(
        "a gate was red on the merged tree", steps=("`orchd logs {gate}` shows what the gate printed", DIFF, RETRY, ANEW)
    ),
    Reason.CONFLICT: Telling(
        "{branch} changed the same lines since it began",
        steps=(
            "`orchd answer {id}` shows both sides of each conflict",
            "`orchd answer {id} --take theirs` takes what the task made there, `--take ours` what {branch} has",
            "`orchd answer {id} --file PATH=FILE` takes the content that you wrote",
            "`orchd answer {id} --task` runs it again, and tells it to settle the conflict",
            RETRY,
            "`orchd cancel {id}` gives it up; its work stays on `{ref}`",
            DIFF,
        ),
    ),
    Reason.BASE: Telling(
        "what it was built on is not there any more",
        steps=(RETRY, "or merge `{ref}` by hand and `orchd cancel {id}`", DIFF),
    ),
    Reason.PROOF: Telling(
        "its merge into {branch} could not be proven to keep both sides",
        steps=(RETRY, "or merge `{ref}` by hand and `orchd cancel {id}`", DIFF),
    ),
    Reason.BUILT_ON: Telling("it was built on the work of a task that fell out of its session", steps=(RETRY, DIFF)),
    Reason.AGENT: Telling("its agent did not finish its work", steps=(LOG, DIFF, RETRY, ANEW)),
    Reason.EVIDENCE: Telling(
        "its result lacks what `evidence:` names",
        steps=(LOG, DIFF, "correct `evidence:` ({change}): that starts it anew", RETRY),
    ),
    Reason.LOST: Telling(
        "its supervisor was gone, or gave no heartbeat, and left no evidence of its own ({lost} times)",
        steps=(LOG, DIFF, RETRY),
    ),
    Reason.FENCED: Telling(
        "its result came from an earlier holder of its claim, so it was not taken in", steps=(DIFF, LOG, RETRY)
    ),
    Reason.CANCELLED: Telling("somebody cancelled it", steps=(DIFF, RETRY)),
}

CAUSES: Mapping[Cause, str] = {
    Cause.NONE: "nothing holds it back: it starts at the next look",
    Cause.NEEDS: "it needs {others}",
    Cause.BLOCKED: "it cannot start: it needs {others}",
    Cause.GONE: "it needs {others}, and {branch} does not contain that work any more: somebody set it back",
    Cause.AFTER: "it comes after {others}",
    Cause.CLAIM: "its claim `{mine}` meets `{theirs}` of {others}",
    Cause.RESERVED: "its claim `{mine}` meets `{theirs}`, which {keeper}",
    Cause.RESOURCE: "it needs `{mine}`, which {others} has",
    Cause.PORTS: "fewer than {mine} of the ports {theirs} are free",
    Cause.SLOTS: "all slots are taken by {active}",
    Cause.PAUSED: "its session `{mine}` is paused",
    Cause.COOLING: "the provider of its agent, `{mine}`, is left alone until {theirs}: it asked for that, or did not answer",
    Cause.BUDGET: "nothing is left of the cap on its {mine} ({theirs}), with what running agents may still spend",
    Cause.SESSION: "its session `{mine}` may run {theirs} at the same time: {others}",
    Cause.GROUP: "its group `{mine}` may run {theirs} at the same time: {others}",
    Cause.AGENT: "its agent `{mine}` may run {theirs} at the same time: {others}",
    Cause.PROVIDER: "the provider `{mine}` of its agent may run {theirs} at the same time: {others}",
    Cause.DISK: "only {mine} are free on the disk of the workspaces; the configuration wants {theirs} before a start",
    Cause.MEMORY: "only {mine} of memory are free; the configuration wants {theirs} before a start",
    Cause.WORKSPACES: "there are {mine} workspaces, and the configuration allows {theirs}",
    Cause.WORKSPACE_BYTES: "the workspaces take {mine}, and the configuration allows {theirs}",
    Cause.DRAINING: "orchd is stopping and starts nothing new",
    Cause.NOT_ASKED: "this run was asked for other tasks",
    Cause.NUMBERS: "the shared remote has not given its number yet ({mine})",
    Cause.NUMBERS_REFUSED: "the shared remote refused a push a moment ago and has not given its number ({mine})",
    Cause.ELSEWHERE: "its session {mine} is not ours to run now: {theirs}",
}

AGAIN = "orchd looks again by itself"

CAUSE_STEPS: Mapping[Cause, tuple[str, ...]] = {
    Cause.BLOCKED: (
        "`orchd explain {first}` says what to do about it",
        "`orchd retry {first}` runs it again",
        "or take it out of `needs:` of {id}",
    ),
    Cause.GONE: (
        "`orchd explain {first}` says how it comes back",
        "`orchd retry {first}` runs it again",
        "or take it out of `needs:` of {id}",
    ),
    Cause.RESERVED: ("it goes on by itself when that file is removed or has expired",),
    Cause.PORTS: ("end what uses them, or give orchd more (`ports:` in `.orch/config.yaml`)",),
    Cause.DISK: ("free some space, or lower `limits.free_disk`", AGAIN),
    Cause.MEMORY: ("end something, or lower `limits.free_memory`", AGAIN),
    Cause.WORKSPACES: ("wait for tasks to land, or raise `limits.workspaces`", AGAIN),
    Cause.WORKSPACE_BYTES: ("wait for tasks to land, or raise `limits.workspace_bytes`", AGAIN),
    Cause.NUMBERS: ("the daemon asks the remote by itself, and says there when it cannot",),
    Cause.NUMBERS_REFUSED: ("the daemon says why; `refs/orch/*` must be allowed there", AGAIN),
    Cause.COOLING: ("name an agent of another provider in `agent:` of {id}", AGAIN),
    Cause.BUDGET: ("`orchd costs` shows what was spent; raise the cap (`caps:` in `.orch/config.yaml`)", AGAIN),
    Cause.PAUSED: ("`orchd session resume {mine}` lets it go on",),
    Cause.DRAINING: ("`orchd run` or `orchd daemon` goes on with it",),
    Cause.NOT_ASKED: ("`orchd run {id}` runs it",),
}

SAVE_STEPS: Mapping[SaveStep, str] = {
    SaveStep.PLANNED: "it is being merged with {branch}",
    SaveStep.MERGED: "the gates run on the merged tree",
    SaveStep.GATED: "it is about to land on {branch}",
    SaveStep.LANDED: "{branch} contains it; the checkpoint is being published",
}

HOLDS: Mapping[Hold, str] = {
    Hold.DIRTY: "it is ready to land, but your checkout of {branch}{where} has changes of its own",
    Hold.ROOM: "it is merged, and there is hardly any room on the disk to run the gates",
    Hold.UNTRACKED: "it is ready to land, but files that git does not track in your checkout{where} are in the way",
}
HOLD_STEPS: Mapping[Hold, tuple[str, ...]] = {
    Hold.DIRTY: (
        "commit or stash these changes (`{git} status` shows them); orchd looks again by itself",
        "or merge it yourself: `{git} merge --no-overwrite-ignore {ready}`",
    ),
    Hold.ROOM: ("free some space (`df -h` shows where); orchd looks again by itself, and goes on when there is room",),
    Hold.UNTRACKED: ("move {files} away (`{git} status --ignored` shows ignored files, too); orchd looks again by itself",),
}
BUSY_STEPS = ("let git finish first (`{git} status` says how); orchd looks again by itself",)
"""Instead of HOLD_STEPS.DIRTY when git itself stands in the way."""

GIT_IS_BUSY = re.compile(r"an? .* is not finished|an interrupted move |a git command is running|git ")
"""How a detail of a hold begins that is no path: another operation of git, or its refusal."""

CHANGES: Mapping[Source, str] = {
    Source.FILE: "change its file",
    Source.INBOX: "drop it changed into `.orch/inbox/`, under the same name",
    Source.COMMIT: "commit a change of its file to {branch}",
}
"""How a person changes a task, by where it came from."""

UNSERVED = "no orchd serves this repository: `orchd run` or `orchd daemon` starts it"
