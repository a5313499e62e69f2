"""Does a settled file still parse? Python, JSON, YAML and TOML are read by their own parsers, in a process of its own.

Why a process: the text is a stranger's, and a parser that dies or never ends must not take orchd along. Whatever is not a
plain yes is a no.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping

from orchd.model.limits import PARSE_SECONDS


def parses(path: str, content: bytes) -> bool:
    """Whether the parser for such a file takes it; True where there is none."""
    kind = path.rpartition(".")[2].casefold()
    if kind not in PARSERS:
        return True
    argv = [sys.executable, "-I", "-m", __name__, kind]
    try:
        done = subprocess.run(argv, input=content, capture_output=True, timeout=PARSE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and done.stdout == b"yes"


def _parse_python(content: bytes) -> None:
    ast.parse(content)


def _parse_json(content: bytes) -> None:
    json.loads(content, object_pairs_hook=_refuse_repeats)


def _refuse_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A key that both sides added would silently count once."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _parse_toml(content: bytes) -> None:
    tomllib.loads(content.decode())


def _parse_yaml(content: bytes) -> None:
    from ruamel.yaml import YAML

    for _ in YAML(typ="safe", pure=True).load_all(content):
        pass


PARSERS: Mapping[str, Callable[[bytes], None]] = {
    "py": _parse_python,
    "pyi": _parse_python,
    "json": _parse_json,
    "toml": _parse_toml,
    "yaml": _parse_yaml,
    "yml": _parse_yaml,
}


if __name__ == "__main__":
    PARSERS[sys.argv[1]](sys.stdin.buffer.read())
    print(end="yes")
