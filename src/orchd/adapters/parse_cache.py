"""What task files said when they were last parsed, by the hash of their content, in memory and on disk.

Parsing costs milliseconds, so a restart among thousands of files must not repeat it. Rule: a cache may be deleted, torn or
edited at any time and the answers stay the same: each line carries its checksum, a line that does not fit is a miss, and
the key contains a hash of the code that gives the answers.
"""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from importlib.resources import files
from pathlib import Path

from orchd.adapters import codec
from orchd.adapters.durable import write_durably
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.errors import OrchdError
from orchd.model.ids import TaskId, is_slug
from orchd.model.problem import Problem

CACHE_ENTRIES = 20_000
"""Results kept; when there are more, the older half is dropped."""

_SOURCES = (
    "adapters/claim_entries.py",
    "adapters/codec.py",
    "adapters/field_checks.py",
    "adapters/mistakes.py",
    "adapters/schema.py",
    "adapters/task_schema.py",
    "adapters/yaml_source.py",
    "core/globs.py",
    "core/policy.py",
    "model/agent.py",
    "model/claim.py",
    "model/ids.py",
    "model/limits.py",
    "model/problem.py",
    "model/work.py",
)


class ParseCache:
    """An append-only file of `key checksum result` lines, and the same in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._results = _load(path)
        self._fresh: list[str] = []

    def parse_task(self, path: str, task: TaskId, content: bytes) -> ParsedTask | tuple[Problem, ...]:
        """As `schema.parse_task`, which is asked only for what was never seen."""
        if not is_slug(task):
            return parse_task(path, task, content)
        key = _key(path, content)
        found = _decode(self._results[key]) if key in self._results else None
        if found is None:
            found = parse_task(path, task, content)
            self._results[key] = _encode(found)
            self._fresh.append(key)
        return found

    def flush(self) -> None:
        """Write what is new. Not synced: a lost line is only a miss."""
        if not self._fresh:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if len(self._results) > CACHE_ENTRIES:
            self._results = dict(list(self._results.items())[-CACHE_ENTRIES // 2 :])
            write_durably(self._path, _lines(self._results, list(self._results)))
        else:
            with self._path.open("ab") as out:
                out.write(_lines(self._results, self._fresh))
        self._fresh.clear()


@functools.cache
def _code_version() -> bytes:
    package = files("orchd")
    return hashlib.sha256(b"".join((package / source).read_bytes() for source in _SOURCES)).digest()


def _key(path: str, content: bytes) -> str:
    return hashlib.sha256(_code_version() + path.encode() + b"\0" + content).hexdigest()


def _encode(found: ParsedTask | tuple[Problem, ...]) -> str:
    return json.dumps(codec.encode(found), ensure_ascii=True, separators=(",", ":"))


def _decode(text: str) -> ParsedTask | tuple[Problem, ...] | None:
    """A mapping is a task, a list are problems; anything else is no result."""
    try:
        data = json.loads(text)
        return tuple(codec.decode(Problem, one) for one in data) if isinstance(data, list) else codec.decode(ParsedTask, data)
    except (ValueError, OrchdError):
        return None


def _lines(results: dict[str, str], keys: list[str]) -> bytes:
    """Begins with a line end, which closes a line that a crash tore."""
    return b"\n" + b"".join(f"{key} {_checksum(key, results[key])} {results[key]}\n".encode() for key in keys)


def _load(path: Path) -> dict[str, str]:
    try:
        content = path.read_bytes()
    except OSError:
        return {}
    results = {}
    for line in content.decode(errors="replace").split("\n"):
        key, _, rest = line.partition(" ")
        checksum, _, result = rest.partition(" ")
        if checksum == _checksum(key, result):
            results[key] = result
    return results


def _checksum(key: str, result: str) -> str:
    return f"{zlib.crc32(f'{key} {result}'.encode()):08x}"
