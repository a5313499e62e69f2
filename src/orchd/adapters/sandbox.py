"""What separates an agent from this machine. Rule: the name says honestly what there is."""

from __future__ import annotations

from collections.abc import Sequence


class NoSandbox:
    """Nothing separates them."""

    @property
    def name(self) -> str:
        """For `orchd status`."""
        return "none (agents run unsandboxed, with your rights)"

    def wrap(self, argv: Sequence[str], workspace: str) -> tuple[str, ...]:
        """`argv` as it is."""
        return tuple(argv)
