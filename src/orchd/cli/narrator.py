"""The audience at the terminal: one line per thing that happened on standard error, and below them what runs now.

The live part needs a terminal; in a pipe or a log there are only the lines.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchd.cli.output import drop_output
from orchd.core.chronicle import Line, Tone, tell_events
from orchd.core.inert import inert
from orchd.core.statuses import ACTIVE, FINISHED
from orchd.model.message import Event, ProblemsChanged
from orchd.model.problem import Problem
from orchd.model.save import SaveStep
from orchd.model.snapshot import State
from orchd.model.work import Task

STYLES: Mapping[Tone, str] = {Tone.PLAIN: "dim", Tone.GOOD: "green", Tone.BAD: "red", Tone.CALL: "bold yellow"}
SAVE_WORDS: Mapping[SaveStep, str] = {
    SaveStep.PLANNED: "merging",
    SaveStep.MERGED: "running the gates on the merged tree",
    SaveStep.GATED: "landing",
    SaveStep.LANDED: "tagging and writing the audit",
}
REFRESHES_PER_SECOND = 4


class Narrator:
    """Port `Audience` on standard error. `listener` hears the same events (the demo acts on them)."""

    def __init__(self, *, quiet: bool, color: bool, listener: Callable[[Sequence[Event], State], None] | None = None) -> None:
        self._console = Console(stderr=True, quiet=quiet, no_color=not color, highlight=False, soft_wrap=True)
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

    def _print(self, line: Line) -> None:
        """In a pipe and in a log a line is only text, and to lay it out is dear. Whoever stops reading stops no work."""
        if self._console.is_terminal:
            self._console.print(_render_line(line))
        elif not self._console.quiet:
            try:
                self._console.file.write(f"{line.word:>10}  {line.text}\n")
                self._console.file.flush()
            except BrokenPipeError:
                self._console.quiet = True
                drop_output(sys.stderr)

    def notice(self, text: str, word: str = "stop") -> None:
        """Print it, past all buffers: a signal handler may call this amidst a print of ours, and into that nobody may write."""
        if not self._console.quiet:
            os.write(sys.stderr.fileno(), f"{word:>10}  {inert(text)}\n".encode())

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show what runs below the lines while the block runs, if standard error is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._render, console=self._console, refresh_per_second=REFRESHES_PER_SECOND, transient=True):
            yield

    def _render(self) -> RenderableType:
        state, now_ms = self._state, time.time_ns() // 1_000_000
        table = Table.grid(padding=(0, 2))
        for task in state.tasks.values():
            if task.status in ACTIVE:
                table.add_row(Text("running", "cyan"), task.spec.id, f"{(now_ms - task.started_ms) / 1000:.0f} s", _title(task))
        if state.save is not None:
            waits = f"waits: {state.save.hold}" if state.save.hold else SAVE_WORDS[state.save.step]
            table.add_row(Text("saving", "cyan"), f"{len(state.save.items)} task(s)", "", waits)
        done = sum(task.status in FINISHED for task in state.tasks.values())
        table.add_row(Text("finished", "dim"), f"{done} of {len(state.tasks)}", "", "")
        return table


def open_narrator(*, quiet: bool, color: bool) -> Narrator:
    """One that suits standard error."""
    return Narrator(quiet=quiet, color=color and sys.stderr.isatty())


def _drop_known(events: Sequence[Event], known: Sequence[Problem]) -> list[Event]:
    """The events, without the problems that have been told."""
    return [
        replace(event, problems=tuple(problem for problem in event.problems if problem not in known))
        if isinstance(event, ProblemsChanged)
        else event
        for event in events
    ]


def _title(task: Task) -> Text:
    return Text(inert(task.spec.title), "dim", no_wrap=True, overflow="ellipsis")


def _render_line(line: Line) -> Text:
    return Text.assemble((f"{line.word:>10}", STYLES[line.tone]), "  ", line.text)
