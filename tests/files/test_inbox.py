"""Dropped files are moved away once, never overwritten, and never mistaken for another."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from file_world import GOOD, Clock

from orchd.adapters import inbox
from orchd.adapters.place import Place
from orchd.adapters.task_files import CheckoutTaskFiles

Write = Callable[..., Path]
Open = Callable[[], CheckoutTaskFiles]


def names(place: Place, folder: str) -> list[str]:
    where = place.orch / "inbox" / folder
    return sorted(path.name for path in where.iterdir()) if where.exists() else []


def test_a_good_drop_goes_to_done_and_is_no_longer_seen(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    path = write("inbox/a.yaml")
    (seen,) = files.look("").good
    files.settle(seen.drop, ())
    assert not path.exists()
    assert (place.orch / "inbox/done/a.yaml").read_text() == GOOD
    after = files.look("")
    assert (after.good, after.unsettled) == ((), frozenset())


def test_a_bad_drop_goes_to_rejected_with_an_explanation(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    write("inbox/a.yaml", "title: 08\nrun: y\n")
    ((drop, problems),) = files.look("").bad_drops.items()
    files.settle(drop, problems)
    assert names(place, "rejected") == ["a.yaml", "a.yaml.problems.txt"]
    assert 'quote it: "08"' in (place.orch / "inbox/rejected/a.yaml.problems.txt").read_text()
    assert [problem.file for problem in files.look("").problems] == [".git/orch/inbox/rejected/a.yaml"]


def test_what_is_no_plain_file_is_moved_away_as_it_is(open_files: Open, write: Write, place: Place, clock: Clock) -> None:
    files = open_files()
    write("inbox/secret")
    assert place.inbox is not None
    (place.inbox / "a.yaml").symlink_to("secret")
    files.look("")
    clock.now += 1
    ((drop, problems),) = files.look("").bad_drops.items()
    files.settle(drop, problems)
    assert (place.orch / "inbox/rejected/a.yaml").is_symlink()
    assert (place.inbox / "secret").exists()


def test_nothing_that_was_moved_away_before_is_overwritten(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    for number in range(3):
        write("inbox/a.yaml", GOOD + f"# {number}\n", age=9 - number)
        files.settle(files.look("").good[0].drop, ())
    assert names(place, "done") == ["a.yaml", "a.yaml.2", "a.yaml.3"]
    assert (place.orch / "inbox/done/a.yaml").read_text().endswith("# 0\n")


def test_settling_twice_changes_nothing(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    write("inbox/a.yaml")
    drop = files.look("").good[0].drop
    files.settle(drop, ())
    files.settle(drop, ())
    assert names(place, "done") == ["a.yaml"]


def test_the_same_text_dropped_again_is_another_drop(open_files: Open, write: Write) -> None:
    files = open_files()
    write("inbox/a.yaml", age=9)
    first = files.look("").good[0].drop
    files.settle(first, ())
    write("inbox/a.yaml", age=8)
    assert files.look("").good[0].drop != first


def test_a_copy_with_all_its_times_that_comes_after_the_first_is_gone_is_another_drop(
    open_files: Open, write: Write, place: Place, tmp_path: Path
) -> None:
    files = open_files()
    path = write("inbox/a.yaml")
    shutil.copy2(path, tmp_path / "saved")
    first = files.look("").good[0].drop
    files.settle(first, ())
    (place.orch / "inbox/done/a.yaml").unlink()
    shutil.copy2(tmp_path / "saved", path)
    assert files.look("").good[0].drop != first


def test_a_file_that_is_put_back_from_done_is_another_drop(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    path = write("inbox/a.yaml")
    first = files.look("").good[0].drop
    files.settle(first, ())
    (place.orch / "inbox/done/a.yaml").rename(path)
    second = files.look("").good[0].drop
    assert second != first
    files.settle(second, ())
    assert names(place, "done") == ["a.yaml"]


def test_without_the_ctime_it_would_be_taken_for_the_first(write: Write, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = inbox.sign
    monkeypatch.setattr(inbox, "sign", lambda seen: (*sign(seen)[:2], 0, *sign(seen)[3:]))
    path = write("inbox/a.yaml")
    first = inbox.drop_id("a.yaml", inbox.sign(path.lstat()), path.read_bytes())
    done = place.orch / "inbox" / "done"
    done.mkdir(parents=True)
    path.rename(done / "a.yaml").rename(path)
    assert inbox.drop_id("a.yaml", inbox.sign(path.lstat()), path.read_bytes()) == first


def test_a_drop_is_the_same_after_a_restart(open_files: Open, write: Write) -> None:
    write("inbox/a.yaml")
    assert open_files().look("").good[0].drop == open_files().look("").good[0].drop


def test_a_file_that_was_replaced_meanwhile_stays(open_files: Open, write: Write, place: Place) -> None:
    files = open_files()
    path = write("inbox/a.yaml")
    drop = files.look("").good[0].drop
    write("inbox/a.yaml", GOOD + "noop: allowed\n", age=8)
    files.settle(drop, ())
    assert path.exists()
    assert names(place, "done") == []
    assert files.look("").good[0].spec.noop


def test_a_file_that_is_replaced_in_the_very_moment_of_moving_comes_back(
    open_files: Open, write: Write, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = open_files()
    path = write("inbox/a.yaml")
    drop = files.look("").good[0].drop
    rename = os.rename

    def replaced(*arguments: object, **options: object) -> None:
        write("inbox/a.yaml", GOOD + "noop: allowed\n", age=8)
        rename(*arguments, **options)

    monkeypatch.setattr(inbox.os, "rename", replaced)
    files.settle(drop, ())
    assert path.read_text().endswith("noop: allowed\n")
    assert path.stat().st_nlink == 1
    assert names(place, "done") == []


def test_across_file_systems_the_copy_is_there_before_the_original_goes(
    open_files: Open, write: Write, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    files = open_files()
    path = write("inbox/a.yaml")
    drop = files.look("").good[0].drop
    with monkeypatch.context() as patch:
        patch.setattr(inbox.os, "rename", refuse)
        files.settle(drop, ())
    assert not path.exists()
    assert (place.orch / "inbox/done/a.yaml").read_text() == GOOD


def test_what_the_inbox_cannot_know_is_left_alone(place: Place) -> None:
    inbox.move_drop(Place(place.git_dir, None, place.state_home), "a.yaml.0", ())
    inbox.move_drop(place, "a.yaml.0", ())
    inbox.move_drop(place, "", ())
    assert names(place, "done") == []
