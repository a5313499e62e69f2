"""Any bytes: an answer within a bounded time, never an exception. And what happens without the guard."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.adapters.schema import parse_config
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.adapters.yaml_source import load_yaml
from orchd.core.rendering import render_problem
from orchd.model.config import Config
from orchd.model.problem import Problem

BOUND_SECONDS = 3.0
KIB = 1024
HOSTILE = {
    "brackets": b"[" * 10 * KIB,
    "braces": b"{" * 64 * KIB,
    "braces with keys": b"{a: " * 16 * KIB,
    "dashes": b"- " * 32 * KIB,
    "questions": b"? " * 32 * KIB,
    "colons": b": " * 32 * KIB,
    "anchors": b"&a " * 20 * KIB,
    "aliases": b"- *a\n" * 12 * KIB,
    "tags": b"!" * 64 * KIB,
    "quotes": b'"' * 64 * KIB,
    "documents": b"---\n" * 16 * KIB,
    "entries": b"- a\n" * 16 * KIB,
    "empty lists": b"[" + b"[]," * 20 * KIB,
    "digits": b"a: " + b"9" * 60 * KIB,
    "blank lines": b"\n" * 64 * KIB,
    "one line": b"a" * 64 * KIB,
    "too large": b"#" * (64 * KIB + 1),
    "bombs": b"a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_is_refused_within_a_bounded_time(name: str) -> None:
    before = time.process_time()
    found = parse_task("t.yaml", "me", HOSTILE[name])
    assert time.process_time() - before < BOUND_SECONDS
    assert isinstance(found, tuple)


PIECES = [
    *("title: ", "run: ", "needs: ", "claims: ", "timeout: ", "a", "- ", "[", "]", "{", "}", ": ", "\n", "  ", "\t", "|", ">"),
    *"'\"%#?0\ré\x00\u202e",
    *("&a", "*a", "!t", "---", "\\u", "<<"),
]


@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.binary(max_size=400), st.lists(st.sampled_from(PIECES), max_size=60).map(lambda x: "".join(x).encode())))
def test_any_bytes_give_a_value_or_problems_that_can_be_stored_and_shown(content: bytes) -> None:
    lines = len(content.split(b"\n"))
    for found in (parse_task("t.yaml", "me", content), parse_config("c.yaml", content)):
        if isinstance(found, tuple):
            assert found
            for problem in found:
                assert isinstance(problem, Problem)
                assert 0 <= problem.line <= lines
                assert problem.width >= 1
                render_problem(problem).encode()
                problem.excerpt.encode()
        else:
            assert isinstance(found, ParsedTask | Config)


BYPASS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (3, 3))
from ruamel.yaml import YAML
YAML(typ="safe", pure=True).load("[" * 10240 + "]" * 10240)
print("loaded")
"""


def test_without_the_guard_the_same_brackets_crash_the_loader_or_cost_seconds() -> None:
    done = subprocess.run([sys.executable, "-c", BYPASS], capture_output=True, text=True, timeout=60, check=False)
    assert "loaded" not in done.stdout
    assert "RecursionError" in done.stderr or done.returncode < 0


def test_with_the_guard_the_brackets_are_refused_at_the_thirteenth() -> None:
    found = load_yaml("t.yaml", b"[" * 10240 + b"]" * 10240)
    assert isinstance(found, Problem)
    assert (found.code, found.line, found.column) == ("E017", 1, 13)


def test_twelve_levels_and_five_thousand_values_are_still_read() -> None:
    assert not isinstance(load_yaml("t.yaml", b"[" * 12 + b"]" * 12), Problem)
    assert not isinstance(load_yaml("t.yaml", b"- a\n" * 4999), Problem)
    found = load_yaml("t.yaml", b"- a\n" * 5000)
    assert isinstance(found, Problem)
    assert (found.code, found.line) == ("E018", 5000)
