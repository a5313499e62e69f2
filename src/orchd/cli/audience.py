"""Who tells the person at standard error what happens."""

from __future__ import annotations

import sys

from orchd.cli.narrator import Listener, Narrator


def open_narrator(*, quiet: bool, color: bool, listener: Listener | None = None) -> Narrator:
    """One that suits standard error."""
    if not sys.stderr.isatty():
        return Narrator(quiet=quiet, listener=listener)
    from orchd.cli.live import LiveNarrator

    return LiveNarrator(quiet=quiet, color=color, listener=listener)
