"""The audience at standard error: one line per thing that happened.

In a pipe and in a log a line is only text. Rule: nothing that draws is imported here, it is dear to read and to call.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeAlias

from orchd.cli.output import drop_output
from orchd.core.chronicle import Line, Tone, tell_events
from orchd.core.inert import inert
from orchd.model.message import Event, ProblemsChanged
from orchd.model.problem import Problem
from orchd.model.snapshot import State

Listener: TypeAlias = Callable[[Sequence[Event], State], None]


class Narrator:
    """Port `Audience`. `listener` hears the same events (the demo acts on them)."""

    def __init__(self, *, quiet: bool, listener: Listener | None = None) -> None:
        self._quiet = quiet
        self._listener = listener
        self._state = State()
        self._troubles: set[str] = set()

    def told(self, events: Sequence[Event], state: State) -> None:
        """Print what happened."""
        fresh, self._state = _drop_known(events, self._state.problems), state
        for line in tell_events(fresh, state):
            self._print(line)
        if self._listener:
            self._listener(events, state)

    def trouble(self, text: str) -> None:
        """Print a failure that will be tried again, once for each wording."""
        if text not in self._troubles:
            self._troubles.add(text)
            self._print(Line(Tone.BAD, "trouble", inert(text)))

    def notice(self, text: str, word: str = "stop") -> None:
        """Print it, past all buffers: a signal handler may call this amidst a print of ours, and into that nobody may write."""
        if not self._quiet:
            os.write(sys.stderr.fileno(), f"{word:>10}  {inert(text)}\n".encode())

    def live(self) -> AbstractContextManager[None]:
        """Show what runs below the lines while the block runs, where that can be shown."""
        return nullcontext()

    def _print(self, line: Line) -> None:
        """Whoever stops reading stops no work."""
        if self._quiet:
            return
        try:
            sys.stderr.write(f"{line.word:>10}  {line.text}\n")
            sys.stderr.flush()
        except BrokenPipeError:
            self._quiet = True
            drop_output(sys.stderr)


def _drop_known(events: Sequence[Event], known: Sequence[Problem]) -> list[Event]:
    """The events, without the problems that have been told."""
    return [
        replace(event, problems=tuple(problem for problem in event.problems if problem not in known))
        if isinstance(event, ProblemsChanged)
        else event
        for event in events
    ]
