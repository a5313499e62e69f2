"""The audience at a terminal: the lines in colour, and below them what runs now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchd.cli.narrator import Listener, Narrator
from orchd.core.chronicle import Line, Tone
from orchd.core.inert import inert
from orchd.core.statuses import ACTIVE, FINISHED
from orchd.model.save import SaveStep
from orchd.model.work import Task

STYLES: Mapping[Tone, str] = {Tone.PLAIN: "dim", Tone.GOOD: "green", Tone.BAD: "red", Tone.CALL: "bold yellow"}
SAVE_WORDS: Mapping[SaveStep, str] = {
    SaveStep.PLANNED: "merging",
    SaveStep.MERGED: "running the gates on the merged tree",
    SaveStep.GATED: "landing",
    SaveStep.LANDED: "tagging and writing the audit",
}
REFRESHES_PER_SECOND = 4


class LiveNarrator(Narrator):
    """A narrator for a terminal."""

    def __init__(self, *, quiet: bool, color: bool, listener: Listener | None = None) -> None:
        super().__init__(quiet=quiet, listener=listener)
        self._console = Console(stderr=True, quiet=quiet, no_color=not color, highlight=False, soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show what runs below the lines while the block runs."""
        with Live(get_renderable=self._render, console=self._console, refresh_per_second=REFRESHES_PER_SECOND, transient=True):
            yield

    def _print(self, line: Line) -> None:
        self._console.print(Text.assemble((f"{line.word:>10}", STYLES[line.tone]), "  ", line.text))

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


def _title(task: Task) -> Text:
    return Text(inert(task.spec.title), "dim", no_wrap=True, overflow="ellipsis")
