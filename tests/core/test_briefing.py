"""What a task is told: inert text, and each note once."""

from __future__ import annotations

from dataclasses import replace

from orchd.core.briefing import REJECTED, tell_task, word_brief
from orchd.model.action import TellRun
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config
from orchd.model.run import Phase, RunSeen
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Source, Status, Task, TaskSpec

SPEC = TaskSpec("a", "Mend\x1b[2J the login", "make", claims=(PathSpec("src/**"), PathSpec("LOG", Mode.APPEND)))
TASK = Task(SPEC, Status.RUNNING, "1", Source.FILE, 1, 0, attempt=2)


def notes(seen: RunSeen) -> list[TellRun]:
    state = State(tasks={"a": TASK})
    return list(tell_task(TASK, state, Snapshot(0, state, Config(), "main", runs={"a.1.2": seen})))


def test_the_brief_says_who_and_what_may_change_and_cannot_move_the_cursor():
    brief = word_brief(TASK, TASK.spec.claims)
    assert brief.startswith("# a: Mend") and "Attempt 2" in brief
    assert "- write: `src/**`\n- append: `LOG`\n" in brief
    assert "\x1b" not in brief


def test_a_request_for_what_there_is_not_is_answered_once():
    seen = RunSeen(Phase.RUNNING, asked={"moon": ("now",)}, misasked={"odd": "it is a symlink"})
    [note] = notes(seen)
    assert (note.run, note.name) == ("a.1.2", REJECTED)
    assert note.text.splitlines() == ["- `moon`: there is nothing of this name to ask for", "- `odd`: it is a symlink"]
    assert notes(replace(seen, told={REJECTED: note.text})) == []
    assert notes(RunSeen(Phase.RUNNING, told={REJECTED: note.text})) == []


def test_nobody_is_told_anything_who_asks_nothing_or_does_not_run():
    assert notes(RunSeen(Phase.RUNNING)) == []
    assert notes(RunSeen(Phase.ENDED, asked={"moon": ("now",)})) == []
