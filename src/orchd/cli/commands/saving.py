"""The command that saves by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchd.cli.closing import close_run
from orchd.cli.commands.sessions import LISTING
from orchd.cli.commands.working import serve
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import print_records, say
from orchd.cli.session_views import list_names
from orchd.cli.suggest import unknown
from orchd.core.sessions import session_of
from orchd.errors import UsageError
from orchd.model.ids import SessionId, TaskId
from orchd.model.snapshot import State, Verb
from orchd.model.work import Status

if TYPE_CHECKING:
    from orchd.adapters.place import Place


@click.command(cls=Command)
@click.argument("session", required=False)
def save(session: SessionId | None) -> int:
    """Save what is done now, whatever its schedule: of SESSION, also what it has integrated; else of all sessions.

    Where no orchd serves, this one does it and ends."""
    from orchd import app

    place = app.find(read_flags().repo)
    state = app.read_hot(place).state
    asked = _choose(place, state, session)
    for name, (verb, _) in asked.items():
        app.check_owner(place, name)
        app.ask(place, verb, name)
    served = app.server(place) is not None
    rows = [{"session": name, "tasks": tasks, "served": served} for name, (_, tasks) in asked.items()]
    print_records(ENVELOPES["save"], rows)
    return 0 if served else _save_here(place, tuple(task for _, tasks in asked.values() for task in tasks))


def _save_here(place: Place, tasks: tuple[TaskId, ...]) -> int:
    summary, code = close_run(serve(place, until_idle=True, only=tasks))
    say(summary)
    return code


def _choose(place: Place, state: State, session: SessionId | None) -> dict[SessionId, tuple[Verb, tuple[TaskId, ...]]]:
    """What is asked of each session. A line goes to main only when its session is named. Raises UsageError when there is
    nothing to save."""
    from orchd import app

    if session is not None and session not in list_names(state):
        raise unknown("session", session, set(list_names(app.read_all(place))), LISTING)
    line = session_of(state, session).line if session else ()
    if session and line:
        return {session: (Verb.LAND_SESSION, line)}
    ready = sorted((task for task in state.tasks.values() if task.status is Status.READY), key=lambda task: task.order)
    names = sorted({task.spec.session for task in ready} if session is None else {session})
    found = {name: tuple(task.spec.id for task in ready if task.spec.session == name) for name in names}
    if not any(found.values()):
        lines = [name for name, one in state.sessions.items() if one.line]
        hint = (
            f"`orchd save {lines[0]}` lands what that session has integrated"
            if lines
            else "`orchd status` shows where all stands"
        )
        raise UsageError("nothing that is done waits for a save", hint)
    return {name: (Verb.SAVE_SESSION, tasks) for name, tasks in found.items()}
