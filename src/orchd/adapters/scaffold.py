"""`orchd init`: the files that help a person to begin. Nothing that exists is ever changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from orchd.adapters.input_schemas import schema_json
from orchd.adapters.place import Place
from orchd.adapters.plain_file import Refusal, hold_folder
from orchd.adapters.templates import template
from orchd.errors import UsageError

TEMPLATES = {"config.yaml": "config.yaml", "example.yaml": "example.yaml", ".gitignore": "gitignore"}
AGENTS = ("implementer", "reviewer", "tester", "documenter", "fixer")
"""Definitions of agents, for who asks for them."""

SCHEMAS = ("task", "session", "claim", "config")
FOLDERS = ("tasks", "sessions", "inbox", "schemas")


def write_scaffold(place: Place, *, agents: bool = False) -> list[tuple[Path, str]]:
    """Write what is missing below `.orch/`, with definitions of `agents` when they are wanted. Each path from the top and
    `written` or `kept`. Raises UsageError when something is in the way."""
    if place.checkout is None:
        raise UsageError("a bare repository has no checkout to write into", "run `orchd init` in a clone, commit and push")
    folders = (*FOLDERS, "agents") if agents else FOLDERS
    contents = (*_contents(), *((f"agents/{name}.md", template(f"agents/{name}.md")) for name in AGENTS if agents))
    for folder in folders:
        _refuse_obstacle(place.checkout, (".orch", folder))
    try:
        for folder in folders:
            (place.checkout / ".orch" / folder).mkdir(parents=True, exist_ok=True)
        return [(Path(".orch") / name, _write_missing(place.checkout / ".orch" / name, text)) for name, text in contents]
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be written: {error.strerror}", "make room for it; is it yours?") from error


def _refuse_obstacle(checkout: Path, parts: tuple[str, ...]) -> None:
    with hold_folder(checkout, parts) as folder:
        if isinstance(folder, Refusal):
            message = f"{'/'.join(parts)} cannot be used: {folder.text}"
            raise UsageError(message, "`.orch` and what is in it must be plain folders; move what is there away")


def _contents() -> Iterator[tuple[str, str]]:
    yield from ((path, template(name)) for path, name in TEMPLATES.items())
    yield from ((f"schemas/{kind}.json", json.dumps(schema_json(kind), indent=2) + "\n") for kind in SCHEMAS)


def _write_missing(path: Path, text: str) -> str:
    if path.exists():
        return "kept"
    path.write_text(text, encoding="utf-8")
    return "written"
