"""No orchd inside a task of orchd: what a task starts would start tasks, and so on."""

from __future__ import annotations

from collections.abc import Mapping

from orchd.errors import UsageError

REFUSED = frozenset(
    (
        "run",
        "daemon",
        "demo",
        "save",
        "session",
        "retry",
        "cancel",
        "answer",
        "restore",
        "undo",
        "promote",
        "rollback",
        "prune",
        "waive",
    )
)
"""Commands that start, end or decide something. Looking is allowed, and `orchd claim --task` is how a task asks."""

MARK = "ORCHD_RUN"
"""In the environment of whatever a run starts."""


def refuse_nested(command: str, environment: Mapping[str, str]) -> None:
    """Raises UsageError for a command that is not for tasks, inside of one."""
    if command in REFUSED and environment.get(MARK):
        hint = "say in your result what else is to be done; `orchd claim --task` asks for more paths"
        raise UsageError(f"`orchd {command}` is not for tasks, and this is one ({environment[MARK]})", hint)
