"""`orchd init` writes what is missing, keeps what is there, and says what is in the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchd.adapters.file_check import check_files
from orchd.adapters.place import Place
from orchd.adapters.scaffold import write_scaffold
from orchd.errors import UsageError


def test_what_is_written_is_good_and_kept_the_second_time(place: Place) -> None:
    assert {result for _, result in write_scaffold(place)} == {"written"}
    assert {result for _, result in write_scaffold(place)} == {"kept"}
    assert check_files(place) == ((), ())


@pytest.mark.parametrize("part", [".orch", ".orch/tasks", ".orch/schemas"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_in_the_way_is_named_and_nothing_is_written(place: Place, tmp_path: Path, part: str, kind: str) -> None:
    assert place.checkout is not None
    obstacle = place.checkout / part
    shutil.rmtree(obstacle, ignore_errors=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "file":
        obstacle.write_text("mine")
    else:
        obstacle.symlink_to(elsewhere)
    with pytest.raises(UsageError, match=r"\.orch") as caught:
        write_scaffold(place)
    assert "folder" in caught.value.hint
    assert list(elsewhere.iterdir()) == []
    assert not (place.checkout / ".orch/config.yaml").exists()
