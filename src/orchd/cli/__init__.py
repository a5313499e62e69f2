"""The command line: parse, call app, print. Light: nothing is imported before a command needs it."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of the `orchd` command."""
    from orchd.cli.root import run_cli

    sys.exit(run_cli(sys.argv[1:]))
