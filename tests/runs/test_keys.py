"""Keys of providers: an agent gets its own, nobody else gets one, and no value is written down."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs_world import World

from orchd.adapters import runs
from orchd.adapters.evidence import read_log
from orchd.adapters.keys import Cleaner
from orchd.model.agent import Job
from orchd.model.config import Config
from orchd.model.run import AGENT, Command, RunOrder

KEYS = {"ANTHROPIC_API_KEY": "sk-claude-1", "OPENAI_API_KEY": "sk-codex-22", "OWN_TOKEN": "own-token-333"}
NAMED = Config(env=tuple(KEYS), kill_grace_seconds=0.5)
# It prints the lengths, so that what it was given can be told from what is shown, and then all that it was given.
PROGRAM = """#!/bin/sh
echo "${#ANTHROPIC_API_KEY} ${#OPENAI_API_KEY} ${#OWN_TOKEN}"
env
echo '{"type": "assistant", "message": {"content": [{"type": "text", "text": "it is '"$ANTHROPIC_API_KEY"'"}]}}'
"""


@pytest.fixture
def keyed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A `claude` in the path, and keys in the environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "bin/claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return world


def log_of(world: World, order: RunOrder, config: Config) -> list[str]:
    world.runs.start(order, config)
    world.end(order.id)
    return [line.decode().rstrip("\n") for line in read_log(world.place, order.id)]


def ask_agent(world: World, config: Config, *keys: str) -> list[str]:
    commands = (Command(AGENT, "", 30.0, job=Job("claude", "hello", keys=keys)),)
    return log_of(world, RunOrder("a.1.1", world.head, commands, True, "m\n"), config)


def ask_command(world: World, config: Config) -> list[str]:
    return log_of(world, world.order("b.1.1", "env", collect=False), config)


def test_an_agent_gets_what_its_program_signs_in_with_and_what_its_definition_names(keyed: World):
    assert ask_agent(keyed, Config(), "OWN_TOKEN")[0] == f"{len('sk-claude-1')} 0 {len('own-token-333')}"


def test_what_is_named_for_everybody_brings_no_key_of_another_program(keyed: World):
    assert ask_agent(keyed, NAMED)[0] == f"{len('sk-claude-1')} 0 {len('own-token-333')}"


def test_a_command_and_a_gate_get_no_key_that_a_program_signs_in_with(keyed: World):
    """OWN_TOKEN is no key that orchd knows: the configuration says who gets it."""
    said = ask_command(keyed, NAMED)
    assert {line for line in said if line.partition("=")[0] in KEYS} == {"OWN_TOKEN=own-token-333"}


def test_without_the_filter_they_would_get_it(keyed: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runs, "find_withheld", frozenset)
    assert "OPENAI_API_KEY=sk-codex-22" in ask_command(keyed, NAMED)


def test_no_value_is_written_down_though_the_agent_prints_it(keyed: World):
    said = ask_agent(keyed, Config(), "OWN_TOKEN")
    assert {"ANTHROPIC_API_KEY=***", "OWN_TOKEN=***"} <= set(said)
    kept = {path.name: path.read_bytes() for path in keyed.folder("a.1.1").rglob("*") if path.is_file()}
    assert b'"it is ***"' in kept["exit.json"]
    for value in KEYS.values():
        assert not [name for name, content in kept.items() if value.encode() in content]


@given(st.lists(st.sampled_from([b"secret-key", b"secret-", b"key", b"s", b"\n", b"x"])), st.integers(1, 7))
def test_a_value_is_found_wherever_the_stream_is_cut_and_nothing_else_changes(words: list[bytes], size: int):
    text, cleaner = b"".join(words), Cleaner(["secret-key", "", "x"])
    shown = b"".join(cleaner.feed(text[at : at + size]) for at in range(0, len(text), size)) + cleaner.rest()
    assert shown == text.replace(b"secret-key", b"***")


def test_a_line_that_has_ended_is_shown_at_once():
    assert Cleaner(["secret-key"]).feed(b"a secret-key is hidden\n") == b"a *** is hidden\n"


@given(
    st.binary(min_size=0, max_size=4),
    st.binary(min_size=0, max_size=4),
    st.sampled_from(["sk-1234567890", "a+b/c?d e&f=gh", "??>>~~??>>"]),
)
def test_a_value_is_hidden_in_base64_and_in_addresses_too(before: bytes, after: bytes, key: str):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = Cleaner([key]).feed(b"Basic " + encode(before + key.encode() + after) + b"\n")
        assert b"***" in shown and len(shown) < len(before + after) * 4 // 3 + 20
    for safe in ("", "/"):
        assert Cleaner([key]).feed(f"?key={quote(key, safe)}\n".encode()) == b"?key=***\n"


@given(st.integers(8, 90), st.sampled_from([b"\n", b"\r\n", b"\\n", b"\\r\\n", b"\\\\n"]), st.integers(1, 200))
def test_base64_is_hidden_also_when_it_is_broken_over_lines(width: int, end: bytes, size: int):
    key = "sk-ant-api03-" + "aB3/+x9" * 9
    coded = base64.b64encode(f"{{token: {key}}}".encode())
    text = end.join(coded[at : at + width] for at in range(0, len(coded), width)) + b"\n"
    cleaner = Cleaner([key])
    shown = b"".join(cleaner.feed(text[at : at + size]) for at in range(0, len(text), size)) + cleaner.rest()
    assert b"***" in shown
    assert len(shown) < 60, shown


def test_a_key_is_hidden_in_lower_case_addresses_and_in_json_and_other_lines_are_shown_at_once():
    key = 'a+b/c?d "e\nf'
    cleaner = Cleaner([key])
    assert cleaner.feed(quote(key, "").lower().encode() + b"\n") == b"***\n"
    assert cleaner.feed(json.dumps({"env": key}).encode() + b"\n") == b'{"env": "***"}\n'
    assert cleaner.feed(b"aGVsbG8gd29ybGQ\n") == b"aGVsbG8gd29ybGQ\n"
