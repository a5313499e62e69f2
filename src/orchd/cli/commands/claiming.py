"""The command that claims: for oneself, or for a task that runs."""

from __future__ import annotations

import getpass
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from orchd.cli.commands.telling import find_task
from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import Row
from orchd.cli.flags import Command, read_flags
from orchd.cli.output import fact_lines, print_record, say
from orchd.core.extensions import read_request
from orchd.core.reservations import find_overlaps, word_file
from orchd.errors import UsageError
from orchd.model.claim import Mode, PathSpec, Reservation
from orchd.model.ids import TaskId, is_slug
from orchd.model.limits import RESERVATION_SECONDS
from orchd.model.snapshot import Verb
from orchd.model.work import Status

if TYPE_CHECKING:
    from orchd.adapters.place import Place

REFUSED = 1
LOOK_SECONDS = 0.2
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
BLANK: Row = {
    "action": "",
    "file": "",
    "task": "",
    "claims": (),
    "until": None,
    "overlaps": (),
    "why": "",
    "served": True,
}


@click.command(cls=Command)
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option(
    "--mode", type=click.Choice([mode.value for mode in Mode]), default=Mode.WRITE.value, show_default=True, help="How."
)
@click.option("--resource", "resources", multiple=True, metavar="NAME", help="A named resource; may be repeated.")
@click.option("--for", "span", default="", metavar="SPAN", help="How long, like 90s, 15m, 2h or 1d. [default: until released]")
@click.option("--until", default="", metavar="INSTANT", help="Until when, like 2026-11-27T18:00:00Z.")
@click.option("--why", default="", help="Why; whoever waits is told.")
@click.option("--by", default="", help="Who. [default: you]")
@click.option("--name", default="", help="The name of the claim file. [default: made of the first GLOB]")
@click.option("--release", default="", metavar="NAME", help="Remove a claim file.")
@click.option("--task", default="", help="Ask for GLOBs for a running task; inside one this is the default.")
@click.option("--wait", is_flag=True, help="With --task: until it is answered; the exit code is 1 when it is refused.")
def claim(
    globs: tuple[str, ...],
    mode: str,
    resources: tuple[str, ...],
    span: str,
    until: str,
    why: str,
    by: str,
    name: str,
    release: str,
    task: TaskId,
    *,
    wait: bool,
) -> int:
    """Claim GLOBs for yourself: tasks that would touch them wait. With --task for a running task, with --release no more."""
    inside = os.environ.get("ORCHD_TASK", "")
    asked = [f"{mode} {glob}" for glob in globs]
    if release:
        return _release(release)
    if inside and os.environ.get("ORCHD_CONTROL") and task in ("", inside):
        return _ask_inside(inside, _read(asked), wait=wait)
    if task:
        return _ask_outside(task, _read(asked), wait=wait)
    if not globs and not resources:
        raise UsageError("nothing is claimed", "name paths, like `orchd claim 'src/auth/**'`, or a --resource")
    paths = _read(asked) if asked else ()
    kept = Reservation("", paths, _check_resources(resources), by or find_person(), why, _read_end(span, until))
    return _keep(kept, name)


def _keep(kept: Reservation, name: str) -> int:
    from orchd import app
    from orchd.adapters.claim_files import keep

    for text in (kept.by, kept.why):
        if not text.isprintable() or len(text) > 200:
            raise UsageError("--by and --why are one printable line each", "make it shorter, without control characters")
    place = app.find(read_flags().repo)
    wish = kept.paths[0].glob if kept.paths else kept.resources[0]
    file = keep(place, name, wish, word_file(kept))
    overlaps = find_overlaps(kept, app.read_hot(place).state.leases)
    row = {"action": "kept", "file": file, "claims": _tell(kept), "until": kept.until_ms or None, "overlaps": overlaps}
    _print(place, {**BLANK, **row, "why": kept.why})
    if overlaps:
        say(f"{', '.join(overlaps)} had some of it before and keeps it until the work has landed or ended")
    return 0


def _release(name: str) -> int:
    from orchd import app
    from orchd.adapters.claim_files import release

    place = app.find(read_flags().repo)
    _print(place, {**BLANK, "action": "released", "file": release(place, name)})
    return 0


def _ask_outside(task: TaskId, paths: tuple[PathSpec, ...], *, wait: bool) -> int:
    from orchd import app

    place = app.find(read_flags().repo)
    known = find_task(place, task)
    app.check_owner(place, known.spec.session)
    if known.status is not Status.RUNNING:
        raise UsageError(f"{task} is {known.status}: only a running task can be granted more", "change `claims:` in its file")
    ask = app.ask(place, Verb.CLAIM, task, _words(paths))
    action, why = _await_answer(place, task, paths, ask) if wait and app.server(place) else ("asked", "")
    _print(place, {**BLANK, "action": action, "task": task, "claims": _words(paths), "why": why})
    return REFUSED if wait and action != "granted" else 0


def _await_answer(place: Place, task: TaskId, paths: tuple[PathSpec, ...], ask: str) -> tuple[str, str]:
    from orchd import app

    while True:
        state = app.read_hot(place).state
        lease, known = state.leases.get(task), state.tasks.get(task)
        if lease is not None and set(paths) <= set(lease.paths):
            return "granted", ""
        if lease is None or known is None or known.status is not Status.RUNNING:
            return "refused", f"{task} does not run any more"
        refusal = next((one for one in lease.refused if one.ask >= ask and set(one.paths) == set(paths)), None)
        if refusal is not None:
            return "refused", refusal.why
        time.sleep(LOOK_SECONDS)


def _ask_inside(task: TaskId, paths: tuple[PathSpec, ...], *, wait: bool) -> int:
    """In the workspace of a task: by its control folder, since its repository is not the one that orchd serves."""
    from orchd.adapters.control_words import add_request, read_answer

    folder = os.environ["ORCHD_CONTROL"]
    add_request(folder, _words(paths))
    action, why = "asked", ""
    while wait and action == "asked":
        action, why = read_answer(folder, paths)
        if action == "asked":
            time.sleep(LOOK_SECONDS)
    row = {**BLANK, "action": action, "task": task, "claims": _words(paths), "why": why}
    print_record(ENVELOPES["claim"], row, fact_lines(ENVELOPES["claim"].fields, row))
    return REFUSED if wait and action != "granted" else 0


def _print(place: Place, row: Row) -> None:
    from orchd import app

    served = app.server(place) is not None
    row = {**row, "served": served}
    print_record(ENVELOPES["claim"], row, fact_lines(ENVELOPES["claim"].fields, row))
    if not served:
        say("nobody serves this repository: the next `orchd run` or `orchd daemon` sees it")


def _read(words: Sequence[str]) -> tuple[PathSpec, ...]:
    paths, faults = read_request(words)
    if faults or not paths:
        raise UsageError("; ".join(faults) or "no path is named", "a path from the root of the repository, like `src/http/**`")
    return paths


def _words(paths: Sequence[PathSpec]) -> tuple[str, ...]:
    return tuple(f"{path.mode} {path.glob}" for path in paths)


def _tell(kept: Reservation) -> tuple[str, ...]:
    return (*_words(kept.paths), *(f"resource {name}" for name in kept.resources))


def _check_resources(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not is_slug(name):
            raise UsageError(f"{name!r} cannot be the name of a resource", "use 1 to 48 of a-z, 0-9 and inner hyphens")
    return tuple(dict.fromkeys(names))


def _read_end(span: str, until: str) -> int:
    """Milliseconds since 1970; 0: no end."""
    if span and until:
        raise UsageError("--for and --until together", "use one of them")
    found = _SPAN.fullmatch(span)
    if span and (not found or not 1 <= float(found[1]) * _UNITS[found[2]] <= RESERVATION_SECONDS):
        raise UsageError(f"{span!r} is not a span of time", "write it like 90s, 15m, 2h or 1d")
    if found:
        return time.time_ns() // 1_000_000 + int(float(found[1]) * _UNITS[found[2]] * 1000)
    until_ms = _read_instant(until) if until else 0
    if until and until_ms <= time.time_ns() // 1_000_000:
        raise UsageError(f"{until} is over already", "such a claim would hold nothing")
    return until_ms


def _read_instant(text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
        ends_ms = int(instant.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        instant, ends_ms = None, 0
    if instant is None or instant.tzinfo is None:
        raise UsageError(f"{text!r} is no date and time with a zone", "write it like 2026-11-27T18:00:00Z")
    return ends_ms


def find_person() -> str:
    """Who works here: as git knows it, else the name of the account; empty when nobody can tell."""
    return next(_names(), "")


def _names() -> Iterator[str]:
    from orchd import app

    yield from filter(None, [app.person(read_flags().repo)])
    try:
        yield getpass.getuser()
    except (OSError, KeyError):
        return
