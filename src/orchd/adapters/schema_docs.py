"""The reference of task file, configuration and error codes, written from the schema.

`python -m orchd.adapters.schema_docs docs` writes the pages.
Rule: they are never edited by hand; a test fails when a committed one is stale.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchd.adapters.agent_schema import AgentFile, AgentLimits, ModelEntry
from orchd.adapters.claim_entries import FORMS, PathEntry
from orchd.adapters.cost_schema import CapsEntry, PriceEntry
from orchd.adapters.environment_schema import EnvironmentEntry
from orchd.adapters.gate_schema import GateEntry
from orchd.adapters.mistakes import FILE_CODES
from orchd.adapters.reservation_schema import ReservationFile
from orchd.adapters.schema import AgentEntry, ConfigFile, LimitsEntry, NumbersEntry
from orchd.adapters.session_schema import DefaultsEntry, SessionFile
from orchd.adapters.task_schema import TaskFile
from orchd.adapters.templates import template
from orchd.core.agents import AGENT_CODES
from orchd.core.graph import GRAPH_CODES

_NOTE = "<!-- Written by `python -m orchd.adapters.schema_docs docs`. Do not edit. -->"


def render_docs() -> Mapping[str, str]:
    """The pages by file name."""
    return {
        "task-file.md": _task_page(),
        "session-file.md": _session_page(),
        "config-file.md": _config_page(),
        "claim-file.md": _claim_page(),
        "agent-file.md": _agent_page(),
        "errors.md": _errors_page(),
    }


def _task_page() -> str:
    return _page(
        "The task file",
        "A task is a YAML file `.orch/tasks/<id>.yaml`; the file name is the id (1 to 48 of a-z, 0-9 and inner hyphens). The "
        "same file can be dropped into `.orch/inbox/` instead, which git ignores; it is moved away once it was read.",
        _example(template("example.yaml")),
        *_section("Keys", TaskFile),
        *_section("An entry of `claims`", *FORMS.values()),
        "An entry is one of `path` (with or without `mode`), `resource` and `port`; a bare glob is short for `{path: <glob>}`. "
        "`{migration: next}` asks for the next number of a kind, here `migration`: the task finds it in `$ORCHD_MIGRATION` and "
        "in its brief, with the leading zeros that the files have, and nobody else gets it. It is one more than all that begin "
        "a file name in any branch and all that were given; a retry has the same one, unless somebody used it meanwhile. "
        "`orchd number migration` gives one to people and tools: who takes one without asking while a task runs is not "
        "noticed. Names that begin with a date, and hashes, are not meant.",
        "## What YAML may do here",
        "One document, UTF-8, spaces for indentation. Anchors, aliases, tags, directives and merge keys are refused. Types are "
        "strict: where text is wanted, `08`, `true` and `2026-01-31` must be quoted.",
    )


def _session_page() -> str:
    return _page(
        "The session file",
        "`.orch/sessions/<name>.yaml` sets how the tasks of a session start and land; a task is in it by `session:`. It is "
        "read from main, and over that from the checkout where it shows main: one that is committed can only be taken away by "
        "a commit. What it means is told in [sessions.md](sessions.md).",
        *_section("Keys", SessionFile),
        *_section("Keys of `defaults`", DefaultsEntry),
        *_section("Keys of an entry of `gates`", GateEntry),
    )


def _config_page() -> str:
    return _page(
        "The configuration",
        "`.orch/config.yaml` is optional; without it all defaults hold. A daemon that runs keeps the last good configuration "
        "while the file has mistakes; one that starts with a bad file refuses to.",
        *_section("Keys", ConfigFile),
        *_section("Keys of `limits`", LimitsEntry),
        *_section("Keys of an entry of `gates`", GateEntry),
        *_section("Keys of an entry of `environments`", EnvironmentEntry),
        *_section("Keys of an entry of `agents`", AgentEntry),
        *_section("Keys of an entry of `numbers`", NumbersEntry),
        *_section("Keys of an entry of `prices`", PriceEntry),
        *_section("Keys of `caps`", CapsEntry),
        "## The file that `orchd init` writes",
        _example(template("config.yaml")),
    )


def _claim_page() -> str:
    return _page(
        "The claim file",
        "Whoever works beside the tasks, a person or another tool, says so in a file `.orch/claims/<name>.yaml`; `orchd claim` "
        "writes one. Tasks whose claims overlap wait, and `orchd explain` tells them for whom and until when. They go on by "
        "themselves when the file is removed or has expired. What a running task holds already is not taken from it: `orchd "
        "claims` shows such overlaps. In a repository without a checkout the files of the branch that tasks land on count.",
        _example("claims: [src/auth/**]\nby: anna\nwhy: I rewrite the login by hand\nuntil: 2026-11-27T18:00:00Z\n"),
        *_section("Keys", ReservationFile),
        "A file with a mistake is a problem. While an orchd runs, or when one has read it before here, what it last said well "
        "holds on; a file that was never good holds nothing.",
    )


def _agent_page() -> str:
    return _page(
        "The definition of an agent",
        "`.orch/agents/<name>.md` says how an agent runs: keys between two lines `---`, and below them what it is told each "
        "time. A task names it by `agent:`. It is read from main, and over that from the checkout where it shows main: what is "
        "committed can only be taken away by a commit. `orchd init --agents` writes a few to begin with.",
        f"```markdown\n{template('agents/implementer.md')}```",
        *_section("Keys", AgentFile),
        *_section("Keys of `model`", ModelEntry),
        *_section("Keys of `limits`", AgentLimits),
        "## What holds without a definition",
        "A task may also name a program, or `auto`. It may then read, edit and run commands, and neither use the web nor start "
        "agents of its own. The rules are for the program; what comes back is judged by the claim of the task whatever "
        "they say.",
        "## Which one `auto` is",
        "Among the definitions whose program can be used: the one that has the most of the task's `labels` among its "
        "`capabilities`, else the first by name that can `implement`, else the first program that can be used. A program can "
        "be used when it is installed and has told its version and every flag that orchd needs. The answers are kept; who has "
        "none, has changed, could not be used or was asked a week ago is asked anew, and a task with `auto` is taken in when "
        "they have answered.",
        "## A chain",
        "`agent: [one, two]`: who is named first begins, and the next goes on where that one cannot "
        "([recovery](recovery.md)). Whose program is not installed, or cannot be held to its rules, is passed over. "
        "`orchd explain` says who `auto` is, and who is passed over and why, by what the orchd that served last has seen.",
    )


def _errors_page() -> str:
    codes = {**FILE_CODES, **GRAPH_CODES, **AGENT_CODES}
    rows = [f"| {code} | {codes[code]} |" for code in sorted(codes)]
    return _page(
        "Error codes of input files",
        "A code never changes its meaning. `orchd check` prints them with file, line, column and a hint.",
        "\n".join(["| code | meaning |", "|---|---|", *rows]),
    )


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join([f"# {title}", _NOTE, *blocks]) + "\n"


def _example(text: str) -> str:
    return f"```yaml\n{text}```"


def _section(title: str, *models: type[BaseModel]) -> Iterable[str]:
    rows = [_row(field.alias or name, field) for model in models for name, field in model.model_fields.items()]
    return f"## {title}", "\n".join(["| key | meaning | default | example |", "|---|---|---|---|", *rows])


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", field.description or "", _default(field), _spell(name, field.examples))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel) or value in (None, ""):
        return "see meaning" if value in (None, "") else "see below"
    if isinstance(value, tuple):
        return f"`{'-'.join(map(str, value))}`"
    plain = [one.path if isinstance(one, PathEntry) else one for one in value] if isinstance(value, list) else value
    return f"`{json.dumps(plain)}`"


def _spell(name: str, examples: list[object] | None) -> str:
    return f"`{name}: {examples[0] if isinstance(examples[0], str) else json.dumps(examples[0])}`" if examples else ""


def write_docs(folder: Path) -> None:
    """Write all pages into `folder`."""
    for name, text in render_docs().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_docs(Path(sys.argv[1]))
