"""Claim files of people: what they say holds until they say something else well, are gone, or it is over."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from file_world import LONG_AGO, Clock

from orchd.adapters.git_repo import open_repo
from orchd.adapters.place import Place
from orchd.adapters.reservation_record import read_reservations
from orchd.adapters.reservations import CheckoutReservations, CommittedReservations
from orchd.adapters.schema import parse_reservation
from orchd.model.claim import Mode, PathSpec, Reservation

PATH = ".orch/claims/auth.yaml"
GOOD = "claims: [src/auth/**]\nby: anna\nwhy: by hand\n"
HELD = Reservation(PATH, (PathSpec("src/auth/**"),), (), "anna", "by hand")
BAD = "claims: [../x]\n"


@pytest.fixture
def put(place: Place, write: Callable[..., Path]) -> Callable[..., Path]:
    """Writes a claim file; see `write`."""
    assert place.checkout is not None
    (place.checkout / ".orch" / "claims").mkdir()
    return lambda text=GOOD, age=10.0: write("claims/auth.yaml", text, age)


@pytest.fixture
def open_claims(place: Place, clock: Clock) -> Callable[[], CheckoutReservations]:
    return lambda: CheckoutReservations(place, clock.monotonic, lambda: LONG_AGO + 10.0)


Put = Callable[..., Path]
Open = Callable[[], CheckoutReservations]


def test_a_claim_file_says_what_who_why_and_until_when(put: Put, open_claims: Open) -> None:
    put(
        "claims: [src/auth/, {path: docs/**, mode: read}, {resource: db}]\n"
        "by: anna\nwhy: by hand\nuntil: 2026-11-27T18:00:00+01:00\n"
    )
    paths = (PathSpec("src/auth/**"), PathSpec("docs/**", Mode.READ))
    assert open_claims().look("").good == (Reservation(PATH, paths, ("db",), "anna", "by hand", 1795798800000),)


def test_for_counts_from_the_last_change_of_the_file(put: Put, open_claims: Open) -> None:
    put("claims: [a]\nfor: 2h\n", age=60.0)
    (held,) = open_claims().look("").good
    assert held.until_ms == (LONG_AGO + 10 - 60 + 7200) * 1000


def test_a_claim_file_counts_at_once(put: Put, open_claims: Open) -> None:
    claims = open_claims()
    assert claims.look("").good == ()
    put(age=0.0)
    assert claims.look("").good == (HELD,)


def test_what_it_said_well_holds_on_while_it_has_a_mistake(put: Put, open_claims: Open) -> None:
    put()
    claims = open_claims()
    claims.look("")
    put(BAD)
    seen = claims.look("")
    assert seen.good == (HELD,)
    assert [(one.file, one.line, one.code) for one in seen.problems] == [(PATH, 1, "E040")]
    put(GOOD.replace("anna", "ben"))
    seen = claims.look("")
    assert [one.by for one in seen.good] == ["ben"]
    assert seen.problems == ()


def test_what_it_said_well_holds_on_after_a_restart(put: Put, open_claims: Open) -> None:
    put()
    open_claims().look("")
    put(BAD)
    seen = open_claims().look("")
    assert seen.good == (HELD,)
    assert [one.code for one in seen.problems] == ["E040"]


def test_a_file_that_was_never_good_is_a_problem_and_holds_nothing(put: Put, open_claims: Open) -> None:
    put(BAD)
    seen = open_claims().look("")
    assert seen.good == ()
    assert [one.code for one in seen.problems] == ["E040"]


def test_a_mistake_counts_only_once_the_file_has_settled(put: Put, open_claims: Open, clock: Clock) -> None:
    put(BAD, age=0.0)
    claims = open_claims()
    assert claims.look("").problems == ()
    wait = claims.settle_in()
    assert wait is not None
    clock.now += wait
    assert [one.code for one in claims.look("").problems] == ["E040"]
    assert claims.settle_in() is None


def test_a_file_that_is_away_for_a_moment_holds_on_and_then_no_more(put: Put, open_claims: Open, clock: Clock) -> None:
    path = put()
    claims = open_claims()
    claims.look("")
    path.unlink()
    assert claims.look("").good == (HELD,)
    wait = claims.settle_in()
    assert wait is not None
    clock.now += wait
    assert claims.look("").good == ()
    assert claims.settle_in() is None
    put()
    assert claims.look("").good == (HELD,)


def test_a_file_that_is_being_written_holds_what_it_held(put: Put, open_claims: Open) -> None:
    path = put()
    claims = open_claims()
    claims.look("")
    with path.open("w") as out:
        out.write("claims: [a]\n")
        out.flush()
        assert claims.look("").good == (HELD,)
    assert [one.paths for one in claims.look("").good] == [(PathSpec("a"),)]


@pytest.mark.parametrize("trap", [lambda path: path.symlink_to("/etc/hostname"), os.mkfifo], ids=["symlink", "pipe"])
def test_what_is_no_plain_file_is_a_problem_and_stops_nothing(
    put: Put, open_claims: Open, trap: Callable[[Path], None]
) -> None:
    path = put()
    claims = open_claims()
    claims.look("")
    path.unlink()
    trap(path)
    os.utime(path, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    seen = claims.look("")
    assert seen.good == (HELD,)
    assert [one.code for one in seen.problems] == ["E001"]


def test_a_folder_that_is_a_symlink_is_a_problem_and_what_was_said_holds_on(put: Put, open_claims: Open, place: Place) -> None:
    put()
    claims = open_claims()
    claims.look("")
    assert place.checkout is not None
    folder = place.checkout / ".orch" / "claims"
    folder.rename(place.checkout / "elsewhere")
    folder.symlink_to(place.checkout / "elsewhere")
    seen = claims.look("")
    assert seen.good == (HELD,)
    assert [one.code for one in seen.problems] == ["E001"]


def test_clients_are_left_what_was_said(put: Put, open_claims: Open, place: Place) -> None:
    path = put()
    open_claims().look("")
    assert read_reservations(place) == (HELD,)
    path.unlink()
    assert read_reservations(place) == ()


Commit = Callable[[Mapping[str, str]], tuple[Place, str]]


def test_in_a_bare_repository_the_files_of_main_count(commit_bare: Commit) -> None:
    place, first = commit_bare({PATH: GOOD, "README.md": "x\n"})
    claims = CommittedReservations(place, open_repo(place))
    assert claims.look(first).good == (HELD,)
    _, bad = commit_bare({PATH: BAD})
    assert claims.look(bad).good == (HELD,)
    assert [one.code for one in claims.look(bad).problems] == ["E040"]
    assert CommittedReservations(place, open_repo(place)).look(bad).good == (HELD,)
    _, gone = commit_bare({"README.md": "x\n"})
    assert claims.look(gone).good == ()


def test_in_a_bare_repository_nothing_can_be_counted_from_the_time_of_a_file(commit_bare: Commit) -> None:
    place, commit = commit_bare({PATH: "claims: [a]\nfor: 2h\n", ".orch/claims/link.yaml": "->/etc/hostname"})
    seen = CommittedReservations(place, open_repo(place)).look(commit)
    assert seen.good == ()
    assert [one.code for one in seen.problems] == ["E055", "E001"]


MISTAKES = [
    ("", "E006", 1, 1, "claims:"),
    ("claim: [a]\n", "E031", 1, 1, "claims"),
    ("claims: []\n", "E036", 1, 9, "entry"),
    ("claims: [{port: any}]\n", "E053", 1, 10, "use the port"),
    ("claims: [a, {migration: next}]\n", "E053", 1, 13, "take the number"),
    ("claims: [a]\nuntil: tomorrow\n", "E054", 2, 8, "2026-11-27T18:00:00Z"),
    ("claims: [a]\nuntil: 2026-11-27\n", "E054", 2, 8, "2026-11-27T18:00:00Z"),
    ("claims: [a]\nfor: ever\n", "E041", 2, 6, "2h"),
    ("claims: [a]\nfro: 2h\n", "E031", 2, 1, "`for`"),
    ("claims: [a]\nfor: 2h\nuntil: 2026-11-27T18:00Z\n", "E055", 2, 1, "until"),
    ("claims: [a]\nwhy: |\n  a\n  b\n", "E046", 2, 6, "first line"),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "hint"), MISTAKES, ids=[f"{m[1]}-{m[0][-16:]!r}" for m in MISTAKES])
def test_each_mistake_is_shown_at_its_place_with_a_hint(text: str, code: str, line: int, column: int, hint: str) -> None:
    found = parse_reservation(PATH, text.encode(), 1000)
    assert isinstance(found, tuple)
    assert (found[0].code, found[0].line, found[0].column) == (code, line, column)
    assert hint in found[0].hint
