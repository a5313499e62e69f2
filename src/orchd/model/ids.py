"""Ids and the names of refs. No name is ever a prefix folder of another, or git would refuse one of them."""

from __future__ import annotations

import re
from typing import TypeAlias

from orchd.model.limits import ID_CHARS

TaskId: TypeAlias = str
SessionId: TypeAlias = str
RunId: TypeAlias = str
SaveId: TypeAlias = str
Oid: TypeAlias = str
"""A git object id, 40 lower-case hexadecimal digits."""
NOWHERE: Oid = "0" * 40
"""The commit of a landing of which only a copy is here."""

SLUG = re.compile(rf"[a-z0-9](?:[a-z0-9-]{{0,{ID_CHARS - 2}}}[a-z0-9])?")
DEFAULT_SESSION: SessionId = "default"

ORCHD_NAME, ORCHD_EMAIL = "orchd", "orchd@localhost"
"""Who commits what orchd itself makes."""

STATE_REF = "refs/orch/state"
TEXT_REF = "refs/orch/text"
SAVES_PREFIX = "refs/orch/save/"
KEEP_PREFIX = "refs/orch/keep/"
ATTIC_PREFIX = "refs/orch/attic/"
CHECKOUT = "checkout"
"""The folder of the attic for what a repair replaced in a checkout: each is the content of one file."""
LIVE_PREFIX = "refs/orch/live/"
READY_PREFIX = "refs/orch/ready/"
SEQUENCES_PREFIX = "refs/orch/seq/"
ENVIRONMENTS_PREFIX = "refs/orch/env/"
PINS_PREFIX = "refs/orch/pin/"
TENURE_PREFIX = "refs/orch/tenure/"
REMOTE_PREFIX = "refs/orch/remote/"
"""What the shared remote last showed, copied here by the daemon."""

REMOTE_SEQUENCES_PREFIX = REMOTE_PREFIX + "seq/"

NOTES_REF = "refs/notes/orch/audit"
GATE_NOTES_REF = "refs/notes/orch/gates"
TALLIES_REF = "refs/orch/promotion-gates"
PRECEDENTS_REF = "refs/notes/orch/precedents"
LOSSES_REF = "refs/notes/orch/losses"
SHARED_NOTES = (GATE_NOTES_REF, PRECEDENTS_REF, LOSSES_REF)
"""Notes of records, one a line, which clones of one remote hand to each other."""
CHECKPOINT_FOLDER = "checkpoint/"
SHORT_OID = 12
"""How many digits of an object id people read."""
CHECKPOINTS_PREFIX = f"refs/tags/{CHECKPOINT_FOLDER}"
GATE_MARK = "@"


def is_slug(text: str) -> bool:
    """Whether `text` may be the id of a task or a session: 1 to 48 of a-z, 0-9 and inner hyphens."""
    return SLUG.fullmatch(text) is not None


def task_branch(session: SessionId, task: TaskId) -> str:
    """The full ref that holds a task's accepted commits."""
    return f"refs/heads/session/{session}/task/{task}"


def integration_branch(session: SessionId) -> str:
    """The full ref of what a session has landed."""
    return f"refs/heads/session/{session}/integration"


def save_ref(save: SaveId) -> str:
    """The journal of a save in flight."""
    return SAVES_PREFIX + save


def keep_ref(task: TaskId) -> str:
    """Holds the base of an open task, so that no clean-up of the repository can remove it."""
    return KEEP_PREFIX + task


def attic_ref(task: TaskId, number: int) -> str:
    """Work that was not accepted, or was replaced, and must stay reachable. Numbers start at 1."""
    return f"{ATTIC_PREFIX}{task}/{number}"


def live_ref(run: RunId) -> str:
    """What a running task has committed so far in this attempt."""
    return LIVE_PREFIX + run


def ready_ref(number: int) -> str:
    """A sealed checkpoint commit that waits for the person's checkout."""
    return f"{READY_PREFIX}{number}"


def sequence_ref(kind: str) -> str:
    """The chain of the numbers of a kind that were given."""
    return SEQUENCES_PREFIX + kind


def environment_ref(environment: str) -> str:
    """The chain of the records of an environment."""
    return ENVIRONMENTS_PREFIX + environment


def checkpoint_name(day: str, number: int) -> str:
    """The short name of a checkpoint tag; `day` is YYYY-MM-DD in UTC, `number` never repeats in a repository."""
    return f"{CHECKPOINT_FOLDER}{day}-{number:03d}"


def number_of(checkpoint: str) -> int:
    """The number in the name of a checkpoint; 0 where there is none."""
    number = checkpoint.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def task_run(task: TaskId, generation: int, attempt: int) -> RunId:
    """The run of one attempt; also the name of its folder and of its workspace."""
    return f"{task}.{generation}.{attempt}"


def gate_run(save: SaveId, index: int, attempt: int) -> RunId:
    """The run of the gates on the tree after the first `index` tasks of a save (its mark cannot begin a task id)."""
    return f"{GATE_MARK}{save}.{index}.{attempt}"
