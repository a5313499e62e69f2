"""The cache changes what a look costs, never what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_world import GOOD

from orchd.adapters import parse_cache, schema
from orchd.adapters.parse_cache import ParseCache
from orchd.adapters.task_schema import parse_task

CONTENT = {"a": GOOD.encode(), "b": (GOOD + "needs: [a]\ntimeout: 1h\n").encode(), "c": b"title: 08\n"}


def fill(path: Path) -> None:
    cache = ParseCache(path)
    for name, content in CONTENT.items():
        cache.parse_task(f"{name}.yaml", name, content)
    cache.flush()


def is_cached(path: Path, name: str, content: bytes) -> bool:
    """Whether a new cache on `path` answers without parsing. Its answer is the right one in any case."""
    cache = ParseCache(path)
    assert cache.parse_task(f"{name}.yaml", name, content) == parse_task(f"{name}.yaml", name, content)
    before = path.read_bytes() if path.exists() else b""
    cache.flush()
    return (path.read_bytes() if path.exists() else b"") == before


def test_what_was_parsed_is_known_after_a_restart(tmp_path: Path) -> None:
    fill(tmp_path / "x" / "cache")
    assert all(is_cached(tmp_path / "x" / "cache", name, content) for name, content in CONTENT.items())


def test_another_content_name_or_code_is_a_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "cache")
    assert not is_cached(tmp_path / "cache", "a", CONTENT["b"])
    assert not is_cached(tmp_path / "cache", "z", CONTENT["a"])
    monkeypatch.setattr(parse_cache, "_code_version", lambda: b"another")
    assert not is_cached(tmp_path / "cache", "a", CONTENT["a"])


def test_damage_anywhere_is_only_a_miss(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    fill(path)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            for name, content in CONTENT.items():
                assert ParseCache(path).parse_task(f"{name}.yaml", name, content) == EXPECTED[name]


EXPECTED = {name: parse_task(f"{name}.yaml", name, content) for name, content in CONTENT.items()}


def test_without_the_checksum_damage_would_be_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache"
    monkeypatch.setattr(parse_cache, "_checksum", lambda *_: "0")
    fill(path)
    path.write_bytes(path.read_bytes().replace(b"make it", b"make up"))
    assert ParseCache(path).parse_task("a.yaml", "a", CONTENT["a"]) != EXPECTED["a"]


def test_a_line_after_a_torn_one_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    fill(path)
    path.write_bytes(path.read_bytes()[:-20])
    fill(path)
    assert all(is_cached(path, name, content) for name, content in CONTENT.items())


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_cache, "CACHE_ENTRIES", 10)
    cache = ParseCache(tmp_path / "cache")
    for number in range(100):
        cache.parse_task("a.yaml", "a", GOOD.encode() + b"# %d\n" % number)
        cache.flush()
        assert len([line for line in (tmp_path / "cache").read_bytes().split(b"\n") if line]) <= 10
    assert is_cached(tmp_path / "cache", "a", GOOD.encode() + b"# 99\n")


def test_an_unknown_file_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ParseCache(tmp_path / "cache")
    cache.parse_task("a.yaml", "a", CONTENT["a"])
    monkeypatch.setattr(schema, "load_yaml", lambda *_: pytest.fail("parsed again"))
    cache.parse_task("a.yaml", "a", CONTENT["a"])
