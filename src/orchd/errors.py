"""Broken promises. Expected outcomes are values; these are raised where nothing sensible can follow.

Every error carries a hint, the next thing a person can do, and the exit code of `docs/cli.md`.
"""

from __future__ import annotations


class OrchdError(Exception):
    """Base of all errors that orchd raises on purpose.

    `hint` says what to do next; `exit_code` is what the command line ends with (3: orchd itself failed).
    """

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(OrchdError):
    """The caller asked for something that does not exist or makes no sense."""

    exit_code = 2


class ConfigError(OrchdError):
    """The configuration or the repository itself cannot be used."""

    exit_code = 78


class Busy(OrchdError):
    """Another orchd serves this repository."""

    exit_code = 75


class GitError(OrchdError):
    """A git command or a git library call failed in a way that has no place in the plan."""
