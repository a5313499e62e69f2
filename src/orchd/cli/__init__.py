"""The command line: parse, call app, print. Light: nothing is imported before a command needs it."""

from __future__ import annotations

import gc
import sys

COLLECT_AFTER = 200_000
"""Objects made between two searches for circles, instead of Python's 700. Our data is a tree of frozen records that no circle
holds, so a search finds next to nothing and walks all of them: a third of a decision over 10,000 waiting tasks, which makes
50,000 to 70,000 objects and should not pay for one; reading our modules makes 120,000."""


def main() -> None:
    """The entry point of the `orchd` command."""
    collect_rarely()
    from orchd.cli.root import run_cli

    sys.exit(run_cli(sys.argv[1:]))


def collect_rarely() -> None:
    """Let this process search for circles rarely, also while it reads its modules."""
    gc.set_threshold(COLLECT_AFTER, 20, 50)
