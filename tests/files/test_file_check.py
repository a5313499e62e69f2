"""`orchd check` looks at once: no settling, nothing moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from file_world import GOOD

from orchd.adapters.file_check import check_files
from orchd.adapters.place import Place

Write = Callable[..., Path]


def test_without_paths_all_tasks_and_the_configuration_are_checked(place: Place, write: Write) -> None:
    write("config.yaml", "paralel: 3\n")
    write("tasks/a.yaml", age=0)
    write("tasks/b.yml", "title: 08\nrun: y\n", age=0)
    write("tasks/.c.yaml", "[")
    good, problems = check_files(place)
    assert [file.path for file in good] == [".orch/tasks/a.yaml"]
    assert [(problem.file, problem.code) for problem in problems] == [
        (".orch/config.yaml", "E031"),
        (".orch/tasks/b.yml", "E033"),
    ]


def test_only_the_named_files_are_checked(place: Place, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("tasks/bad.yaml", "[")
    inside = write("tasks/a.yaml")
    outside = tmp_path / "z.yaml"
    outside.write_text("title: x\n")
    monkeypatch.chdir(inside.parent)
    good, problems = check_files(place, [Path("a.yaml"), outside, Path("none.yaml")])
    assert [file.path for file in good] == [".orch/tasks/a.yaml"]
    assert [(problem.file, problem.code) for problem in problems] == [
        (str(outside), "E030"),
        (".orch/tasks/none.yaml", "E001"),
    ]


def test_a_good_configuration_and_no_files_are_no_problem(place: Place, write: Write) -> None:
    assert check_files(place) == ((), ())
    path = write("config.yaml", "parallel: 3\n")
    assert check_files(place, [path]) == ((), ())
    assert check_files(Place(place.git_dir, None, place.state_home)) == ((), ())


def test_a_symlink_is_told_of_not_followed(place: Place, write: Write) -> None:
    path = write("tasks/a.txt", GOOD)
    path.with_suffix(".yaml").symlink_to(path)
    _, problems = check_files(place)
    assert [(problem.file, problem.code) for problem in problems] == [(".orch/tasks/a.yaml", "E001")]
