"""Commands that set up a repository, a hook or a shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import json_schema, to_data
from orchd.cli.flags import Command, Group, read_flags
from orchd.cli.output import print_json, print_lines, print_records, say
from orchd.cli.views import view_lessons, view_problems
from orchd.core.inert import inert
from orchd.core.rendering import render_problem
from orchd.model.limits import LESSON_MERGES

if TYPE_CHECKING:
    from orchd.adapters.place import Place

BAD = 1
INPUT_SCHEMAS = ("task", "session", "config", "claim")
INPUTS = ("tasks", "sessions", "agents", "inbox", "claims", "config.yaml")


@click.command(cls=Command)
@click.option("--learn-merges", is_flag=True, help="Learn from the last merges here which conflicts need nobody.")
@click.option("--agents", is_flag=True, help="Also write a few definitions of agents to begin with.")
def init(*, learn_merges: bool, agents: bool) -> None:
    """Write `.orch/` with its configuration. What is there already is kept. With --learn-merges the last merges that people
    made are made again; recipes that make what people made go into the configuration, all others are off."""
    from orchd import app

    place = app.find(read_flags().repo)
    if place.checkout is None:
        say("this repository is bare, so there is no checkout to write into: run `orchd init` in a clone, commit and push")
        return
    rows = [{"path": str(path), "result": result} for path, result in app.init(place, agents=agents)]
    if learn_merges:
        _learn(place, place.checkout)
    else:
        print_records(ENVELOPES["init"], rows)


def _learn(place: Place, checkout: Path) -> None:
    from orchd import app

    say(f"makes the last {LESSON_MERGES} merges of people again ...")
    lessons = app.learn_merges(place, LESSON_MERGES)
    print_records(ENVELOPES["lessons"], view_lessons(lessons))
    if not lessons.merges:
        say("there are no merges of people to learn from: nothing is changed, and `conflicts.automatic` stays as it is")
        return
    written = app.write_automatic(checkout, lessons)
    found = f"{lessons.merges} merges, {lessons.disputed} with conflicts in {lessons.files} text files that may be settled"
    say(f"{found}; .orch/config.yaml now says `{written}` below `conflicts:`")


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
def check(paths: tuple[Path, ...]) -> int:
    """Check input files. Without PATHs all of them; the exit code is 1 when something is wrong."""
    from orchd import app

    flags = read_flags()
    inputs = [path for path in paths if _is_input(path)]
    for path in paths:
        if path not in inputs:
            say(f"{inert(str(path))} is no input file of orchd: ignored")
    problems = app.check(app.find(flags.repo), inputs) if inputs or not paths else ()
    if flags.json:
        rows = view_problems(problems)
        print_json(ENVELOPES["check"], [to_data(ENVELOPES["check"].fields, row) for row in rows])
    else:
        print_lines(render_problem(problem) for problem in problems)
    return BAD if problems else 0


def _is_input(path: Path) -> bool:
    """Whether orchd would ever read this path: a hook hands over whatever was changed."""
    _, folder, inside = f"{path.absolute()}".rpartition("/.orch/")
    return bool(folder) and inside.split("/")[0] in INPUTS and not path.name.startswith(".")


@click.group(cls=Group)
def schema() -> None:
    """Work with JSON Schemas."""


@schema.command("export", cls=Command)
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(file_okay=False, path_type=Path))
def export_schemas(folder: Path | None) -> None:
    """Write all JSON Schemas into DIR. They cover input files and `--json` output; without DIR they are printed."""
    from orchd import app

    texts = {name: app.schema(name) for name in INPUT_SCHEMAS}
    texts |= {f"orchd-{e.name}-v1": json.dumps(json_schema(e), indent=2) + "\n" for e in ENVELOPES.values()}
    if folder is None:
        print_lines([json.dumps({name: json.loads(text) for name, text in texts.items()}, indent=2)])
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")
    say(f"{len(texts)} schemas written to {folder}")


@click.command(cls=Command)
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL: bash, zsh or fish."""
    from click.shell_completion import get_completion_class

    from orchd.cli.root import COMPLETE_VARIABLE, NAME, root

    found = get_completion_class(shell)
    if found:
        print_lines([found(root, {}, NAME, COMPLETE_VARIABLE).source()])
