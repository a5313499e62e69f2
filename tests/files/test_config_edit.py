"""`conflicts.automatic` is written into the configuration, and nothing else of it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchd.adapters.config_edit import write_automatic
from orchd.adapters.schema import parse_config
from orchd.errors import UsageError
from orchd.model.config import Config
from orchd.model.merge import Recipe

WHY = ("from 3 merges", "tokens: off")


def write(folder: Path, text: str, *recipes: Recipe) -> str:
    path = folder / ".orch/config.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    write_automatic(folder, recipes, WHY)
    return path.read_text()


def test_a_new_key_comes_last_with_its_reasons(tmp_path: Path) -> None:
    before = "# mine\nparallel:   3   # three\n"
    after = write(tmp_path, before, Recipe.IMPORTS)
    assert after == before + "\n# from 3 merges\n# tokens: off\nconflicts:\n  automatic: [imports]\n"


@pytest.mark.parametrize(
    "before",
    [
        "conflicts:\n  automatic: [adjacent, tokens]\nparallel: 3\n",
        "parallel: 3\nconflicts:   # here\n  # why\n  union: [CHANGES.md]\n\n  automatic:  []   # none\ngates: []\n",
    ],
)
def test_a_known_key_changes_only_its_list(tmp_path: Path, before: str) -> None:
    after = write(tmp_path, before, Recipe.WHITESPACE, Recipe.IMPORTS)
    old, new = set(before.splitlines()), set(after.splitlines())
    assert len(old - new) == len(new - old) == 1 and "automatic:" in (new - old).pop()
    known = parse_config("config.yaml", after.encode())
    assert isinstance(known, Config) and known.resolving.recipes == (Recipe.WHITESPACE, Recipe.IMPORTS)
    assert write(tmp_path, after, Recipe.WHITESPACE, Recipe.IMPORTS) == after


@pytest.mark.parametrize(
    "before",
    [
        "conflicts: {automatic: [adjacent]}\n",
        "conflicts:\n  union: [CHANGES.md]\n",
        "conflicts:\n  automatic:\n    - adjacent\n",
        "parallel: many\n",
        "# conflicts:\nother: {automatic: []}\n",
    ],
)
def test_what_cannot_be_changed_safely_is_left_to_the_person(tmp_path: Path, before: str) -> None:
    with pytest.raises(UsageError):
        write(tmp_path, before, Recipe.IMPORTS)
    assert (tmp_path / ".orch/config.yaml").read_text() == before
