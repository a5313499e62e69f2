"""Commands about a whole session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.flags import Command, Group, read_flags
from orchd.cli.output import fact_lines, print_record, print_records, say
from orchd.cli.session_views import list_names, view_session, view_sessions
from orchd.cli.suggest import unknown
from orchd.core.sessions import find_unsettled, session_of
from orchd.errors import UsageError
from orchd.model.ids import SessionId, is_slug
from orchd.model.session import Landing
from orchd.model.snapshot import State, Verb
from orchd.model.work import Status

if TYPE_CHECKING:
    from orchd.adapters.place import Place

LISTING = "`orchd session list` lists them"
ENDED_BADLY = frozenset({Status.FAILED, Status.HELD})
SHOWN_TASKS = 5


@click.group(cls=Group)
def session() -> None:
    """Look at sessions and steer them."""


@session.command("list", cls=Command)
def list_sessions() -> None:
    """List all sessions."""
    from orchd import app

    place = app.find(read_flags().repo)
    rows = view_sessions(app.read_all(place), app.checkpoints(place), app.branch(place))
    print_records(ENVELOPES["session-list"], rows, "no session yet")


@session.command("show", cls=Command)
@click.argument("name")
def show_session(name: SessionId) -> None:
    """Show everything about session NAME."""
    from orchd import app

    place = app.find(read_flags().repo)
    state = app.read_all(place)
    _check_known(state, name)
    row = view_session(state, name, app.checkpoints(place), app.branch(place))
    print_record(ENVELOPES["session-show"], row, fact_lines(ENVELOPES["session-show"].fields, row))


@session.command("pause", cls=Command)
@click.argument("name")
def pause_session(name: SessionId) -> None:
    """Let nothing of NAME start or land. What runs goes on."""
    place, state = _find(name)
    if session_of(state, name).paused:
        raise UsageError(f"session {name} is paused already", f"`orchd session resume {name}` lets it go on")
    _ask(place, Verb.PAUSE_SESSION, name)


@session.command("resume", cls=Command)
@click.argument("name")
def resume_session(name: SessionId) -> None:
    """Let the paused session NAME go on."""
    place, state = _find(name)
    if not session_of(state, name).paused:
        raise UsageError(f"session {name} is not paused", f"`orchd session show {name}` says where it stands")
    _ask(place, Verb.RESUME_SESSION, name)


@session.command("cancel", cls=Command)
@click.argument("name")
def cancel_session(name: SessionId) -> None:
    """Cancel all tasks of NAME that are open or wait. What they made is kept."""
    place, state = _find(name)
    left = find_unsettled(state, name)
    if not session_of(state, name).line and all(task.status in ENDED_BADLY for task in left):
        told = "".join(f"; {task.spec.id} is {task.status}" for task in left[:SHOWN_TASKS])
        hint = "`orchd cancel TASK` gives a single one up" if left else f"`orchd session show {name}` says where it stands"
        raise UsageError(f"nothing of session {name} waits or is under way{told}", hint)
    _ask(place, Verb.CANCEL_SESSION, name)


@session.command("retry", cls=Command)
@click.argument("name")
def retry_session(name: SessionId) -> None:
    """Ask for another attempt of all tasks of NAME that failed or are held."""
    place, state = _find(name)
    if not any(task.status in ENDED_BADLY for task in find_unsettled(state, name)):
        raise UsageError(f"nothing of session {name} failed or is held", f"`orchd session show {name}` says where it stands")
    _ask(place, Verb.RETRY_SESSION, name)


@session.command("land", cls=Command)
@click.argument("name")
def land_session(name: SessionId) -> None:
    """Ask to land what NAME has integrated. A paused session lands when it is resumed."""
    place, state = _find(name)
    if not session_of(state, name).line:
        raise UsageError(f"session {name} has nothing to land", f"`orchd session show {name}` says where it stands")
    _ask(place, Verb.LAND_SESSION, name)


@session.command("fork", cls=Command)
@click.argument("name")
@click.argument("checkpoint")
@click.option(
    "--landing",
    type=click.Choice([str(one) for one in Landing]),
    default=str(Landing.MANUAL),
    show_default=True,
    help="When its work goes to main.",
)
def fork_session(name: SessionId, checkpoint: str, landing: str) -> None:
    """Begin the session NAME at CHECKPOINT. Tasks that are put into it start there."""
    from orchd import app

    place = app.find(read_flags().repo)
    if not is_slug(name):
        raise UsageError(f"`{name}` cannot be the name of a session", "use 1 to 48 of a-z, 0-9 and inner hyphens")
    app.check_owner(place, name)
    if name in list_names(app.read_all(place)):
        raise UsageError(f"there is a session {name} already", "choose another name")
    commit = app.checkpoint_commit(place, checkpoint)
    if not commit:
        raise unknown("checkpoint", checkpoint, {one.name for one in app.checkpoints(place)}, "`orchd checkpoints` lists them")
    _ask(place, Verb.FORK_SESSION, name, (commit, checkpoint, landing))


def _find(name: SessionId) -> tuple[Place, State]:
    """The repository and its state. Raises UsageError when there is no such session, or another clone owns it."""
    from orchd import app

    place = app.find(read_flags().repo)
    state = app.read_hot(place).state
    if name not in list_names(state):
        _check_known(app.read_all(place), name)
    app.check_owner(place, name)
    return place, state


def _check_known(state: State, name: SessionId) -> None:
    if name not in list_names(state):
        raise unknown("session", name, set(list_names(state)), LISTING)


def _ask(place: Place, verb: Verb, name: SessionId, words: tuple[str, ...] = ()) -> None:
    from orchd import app

    app.ask(place, verb, name, words)
    served = app.server(place) is not None
    word = verb.removesuffix("-session")
    print_records(ENVELOPES["session-ask"], [{"session": name, "verb": word, "served": served}])
    if not served:
        say("nobody serves this repository: the next `orchd run` or `orchd daemon` does it")
