"""The configuration of a repository, after reading and checking. Everything works without a file."""

from __future__ import annotations

from dataclasses import dataclass

from orchd.model.limits import (
    CHANGED_FILES,
    DRAIN_SECONDS,
    FILE_BYTES,
    KILL_GRACE_SECONDS,
    PARALLEL_TASKS,
    TASK_TIMEOUT_SECONDS,
)
from orchd.model.save import Gate


@dataclass(frozen=True, slots=True)
class Config:
    """`branch` is the branch that tasks land on (empty: the one found at start). `env` names variables that are passed
    from orchd's own environment to tasks and gates, in addition to the fixed small list."""

    branch: str = ""
    parallel: int = PARALLEL_TASKS
    timeout_seconds: float = TASK_TIMEOUT_SECONDS
    drain_seconds: float = DRAIN_SECONDS
    kill_grace_seconds: float = KILL_GRACE_SECONDS
    changed_files: int = CHANGED_FILES
    file_bytes: int = FILE_BYTES
    env: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
