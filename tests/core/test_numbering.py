"""How numbers are read from file names, and which is the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchd.core.numbering import find_paths, hand_over, is_free, name_variable, next_number, read_number
from orchd.model.config import Config
from orchd.model.number import NumberKind, NumberWish
from orchd.model.run import RunOrder

NAMES = {
    "0042_add_users.py": "0042",
    "V7__users.sql": "7",
    "v12.1__x.sql": "12",
    "3-init.sql": "3",
    "0001": "0001",
    "001.up.sql": "001",
    "__init__.py": "",
    "1975ea83b712_hash.py": "",
    "20230101120000_rails.rb": "",
    "README.md": "",
    "V__x.sql": "",
    "42nd.txt": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_number_is_read_from_a_file_name(name: str) -> None:
    assert read_number(name) == NAMES[name]


def test_leading_zeros_are_those_of_the_files() -> None:
    assert next_number(["0041", "0002"], []) == "0042"
    assert next_number(["1", "9"], []) == "10"
    assert next_number(["7"], ["0012"]) == "13"
    assert next_number([], ["012"]) == "013"
    assert next_number([], []) == "0001"
    assert next_number(["9999"], []) == "10000"


@given(st.lists(st.integers(0, 10**9 - 2)), st.lists(st.integers(0, 10**9 - 2)), st.integers(1, 6))
def test_the_next_number_is_none_that_there_is(files: list[int], given_: list[int], width: int) -> None:
    fresh = int(next_number([f"{n:0{width}d}" for n in files], [str(n) for n in given_]))
    assert fresh == max([0, *files, *given_]) + 1
    assert is_free(str(fresh), map(str, files + given_))


def test_a_kind_is_looked_for_in_the_folders_of_its_name_unless_configured() -> None:
    assert find_paths("migration", Config()) == ("**/migrations/*", "**/migration/*")
    assert find_paths("migration", Config(numbers=(NumberKind("migration", ("db/*.sql",)),))) == ("db/*.sql",)


def test_a_task_is_told_its_numbers_in_environment_and_brief_and_cannot_lose_orchds_own() -> None:
    order = RunOrder("a.1.1", "c", (), True, env=(("ORCHD_TASK", "a"),), brief="# a\n")
    told = hand_over(order, [(NumberWish("schema-step", "a.1"), "007"), (NumberWish("task", "a.1"), "1")])
    assert dict(told.env) == {"ORCHD_SCHEMA_STEP": "007", "ORCHD_TASK": "a"}
    assert "schema-step: `007`" in told.brief and told.brief.startswith("# a\n")
    assert name_variable("migration") == "ORCHD_MIGRATION"
