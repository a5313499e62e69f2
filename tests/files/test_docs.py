"""The reference, the editors' schemas and the templates say what the code does."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path, PurePosixPath

import pytest

from orchd.adapters.input_schemas import MODELS, schema_json
from orchd.adapters.schema import parse_config
from orchd.adapters.schema_docs import render_docs, write_docs
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.adapters.templates import template
from orchd.model.agent import Price
from orchd.model.config import Agent, Config, Slots
from orchd.model.cost import Caps
from orchd.model.environment import Environment
from orchd.model.merge import Recipe, Resolving
from orchd.model.number import NumberKind
from orchd.model.save import Gate, Schedule, When

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", sorted(render_docs()))
def test_the_committed_reference_is_what_the_schema_says(name: str) -> None:
    assert (DOCS / name).read_text() == render_docs()[name], "run `python -m orchd.adapters.schema_docs docs`"


def test_the_reference_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    write_docs(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "task-file.md",
        "session-file.md",
        "config-file.md",
        "claim-file.md",
        "agent-file.md",
        "errors.md",
    }


@pytest.mark.parametrize("kind", ["task", "session", "config", "claim"])
def test_editors_are_told_every_key_with_a_description_and_refuse_others(kind: str) -> None:
    schema = json.loads(json.dumps(schema_json(kind)))
    assert set(schema["properties"]) == {field.alias or key for key, field in MODELS[kind].model_fields.items()}
    assert all("description" in key or "$ref" in key for key in schema["properties"].values())
    assert schema["additionalProperties"] is False


def test_the_example_is_a_good_task() -> None:
    text = template("example.yaml")
    modeline = text.partition("\n")[0]
    assert modeline.startswith("# yaml-language-server: $schema=")
    copy = PurePosixPath(".orch/tasks") / modeline.partition("=")[2]
    assert posixpath.normpath(copy) == ".orch/schemas/task.json", "the modeline is right for the copy"
    assert isinstance(parse_task("example.yaml", "example", text.encode()), ParsedTask)


def test_an_append_claim_does_not_promise_that_both_land() -> None:
    assert "the one that is merged second conflicts and is held" in render_docs()["task-file.md"]


def test_the_configuration_template_is_all_defaults_and_shows_every_key() -> None:
    text = template("config.yaml")
    assert parse_config("config.yaml", text.encode()) == Config()
    shown = "\n".join(line[2:] for line in text.split("\n") if line.startswith(("# ", "#   ")) and is_yaml(line[2:]))
    assert parse_config("config.yaml", shown.encode()) == Config(
        branch="main",
        env=("CI",),
        gates=(Gate("tests", "make test", inputs=("src/**", "tests/**", "Makefile")),),
        gates_at_once=2,
        save=Schedule(When.EVERY, 1800),
        workspaces=100,
        workspace_bytes=50 * 1024**3,
        groups=(Slots("migrations", 1),),
        agents=(Agent("claude", 2, "anthropic"),),
        providers=(Slots("anthropic", 3),),
        numbers=(NumberKind("migration", ("db/migrations/*",)),),
        remote="origin",
        resolving=Resolving((Recipe.WHITESPACE, Recipe.IMPORTS), ("CHANGES.md",)),
        environments=(
            Environment("staging", deploy="./deploy.sh staging", verify="./smoke-test.sh staging"),
            Environment("prod", 7200.0, 1, "./deploy.sh prod"),
        ),
        prices=(Price("gpt-*", 1_250_000, 125_000, 10_000_000, "2026-11-27"),),
        caps=Caps(5_000_000, 50_000_000, 20_000_000),
    )
    assert all(f"# {key}:" in text for key in MODELS["config"].model_fields)


def is_yaml(line: str) -> bool:
    """Keys begin small, sentences do not."""
    return line.startswith("  ") or line.split(":")[0] in MODELS["config"].model_fields


def test_what_is_ignored_is_the_inbox() -> None:
    assert template("gitignore") == "inbox/\n"


def test_a_template_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        template("nothing")
