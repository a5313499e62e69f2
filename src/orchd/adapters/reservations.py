"""Claim files of people: in the checkout, or in main's tree where there is no checkout.

Rule: such a file may say "hands off", so what it last said well holds on while it cannot be understood, and until it has
stayed away for a moment (an editor replaces a file by removing it).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from orchd.adapters.git_objects import FILE, FOLDER, PROGRAM
from orchd.adapters.git_refs import GitRefs
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.git_trees import find_entry, read_tree
from orchd.adapters.place import Place
from orchd.adapters.plain_file import PlainFile, Refusal, Signature, Withheld, hold_folder, read_plain_file
from orchd.adapters.reservation_record import CLAIM_FILES, read_reservations, write_reservations
from orchd.adapters.schema import parse_reservation
from orchd.adapters.task_files import is_old, is_task_name, list_folder, refuse, refuse_folder
from orchd.model.claim import Reservation
from orchd.model.ids import Oid
from orchd.model.limits import SETTLE_SECONDS
from orchd.model.problem import Problem
from orchd.model.snapshot import ReservationsSeen
from orchd.ports import Reservations


@dataclass(slots=True)
class _Entry:
    """One path: its signature now (None: it is away), since when (monotonic), the one that was read, what it last said well,
    and what is wrong with it."""

    path: str
    signature: Signature | None
    since: float
    read: Signature | None = None
    good: Reservation | None = None
    problems: tuple[Problem, ...] = ()


class CheckoutReservations:
    """Port `Reservations` on the folder of a checkout. `monotonic` and `wall` give seconds."""

    def __init__(self, place: Place, monotonic: Callable[[], float], wall: Callable[[], float]) -> None:
        self._place = place
        self._monotonic = monotonic
        self._wall = wall
        self._left = read_reservations(place)
        self._entries = {one.path: _Entry(one.path, None, monotonic(), good=one) for one in self._left}
        self._pending: dict[str, float] = {}

    def look(self, main: Oid) -> ReservationsSeen:
        """Read what is there; only what changed is read anew."""
        assert self._place.checkout is not None
        fault: tuple[Problem, ...] = ()
        with hold_folder(self._place.checkout, CLAIM_FILES) as folder:
            if isinstance(folder, Refusal):
                fault = (refuse_folder("/".join(CLAIM_FILES), folder),)
            else:
                self._note(dict(list_folder("/".join(CLAIM_FILES), folder)) if folder is not None else {})
                self._read_changed(folder)
        return self._assemble(fault)

    def settle_in(self) -> float | None:
        """Seconds until a file that is away or half written wants to be looked at again; None when there is none."""
        return max(0.0, min(self._pending.values()) - self._monotonic()) if self._pending else None

    def _note(self, listed: dict[str, Signature]) -> None:
        now = self._monotonic()
        for path in self._entries.keys() | listed.keys():
            entry = self._entries.setdefault(path, _Entry(path, None, now))
            if entry.signature != listed.get(path):
                entry.signature, entry.since = listed.get(path), now

    def _read_changed(self, folder: int | None) -> None:
        self._pending.clear()
        for path, entry in list(self._entries.items()):
            settled = self._monotonic() - entry.since >= SETTLE_SECONDS or is_old(entry.signature, self._wall())
            if entry.signature is None:
                done = settled and self._entries.pop(path) is entry
            else:
                done = entry.signature == entry.read or (folder is not None and self._read(folder, entry, settled=settled))
            if not done:
                self._pending[path] = max(entry.since, self._monotonic()) + SETTLE_SECONDS

    def _read(self, folder: int, entry: _Entry, *, settled: bool) -> bool:
        """Whether there is nothing more to read now. A mistake counts only once the file has settled."""
        read = read_plain_file(folder, entry.path.rpartition("/")[2])
        if isinstance(read, Withheld) or (isinstance(read, PlainFile) and read.signature != entry.signature):
            return False
        found = self._parse(entry.path, read)
        if isinstance(found, Reservation):
            entry.good, entry.problems = found, ()
        elif settled:
            entry.problems = found
        if settled or isinstance(found, Reservation):
            entry.read = entry.signature
        return entry.read == entry.signature

    def _parse(self, path: str, read: PlainFile | Refusal) -> Reservation | tuple[Problem, ...]:
        if isinstance(read, Refusal):
            return (refuse(path, read),)
        return parse_reservation(path, read.content, read.signature[1] // 1_000_000)

    def _assemble(self, fault: tuple[Problem, ...]) -> ReservationsSeen:
        entries = [self._entries[path] for path in sorted(self._entries)]
        good = tuple(entry.good for entry in entries if entry.good is not None)
        if good != self._left:
            write_reservations(self._place, good)
            self._left = good
        return ReservationsSeen(good, fault + tuple(problem for entry in entries for problem in entry.problems))


class CommittedReservations:
    """Port `Reservations` on main's tree. What is committed is whole, so nothing settles."""

    def __init__(self, place: Place, repo: GitRepo) -> None:
        self._place = place
        self._repo = repo
        self._good = {one.path: one for one in read_reservations(place)}
        self._looked: Oid | None = None
        self._seen = ReservationsSeen()

    def look(self, main: Oid) -> ReservationsSeen:
        """The claim files of the tree of `main`. The same object again while the folder is the same."""
        folder = find_entry(self._repo, self._repo.tree_of(main), "/".join(CLAIM_FILES))
        looked = folder.oid if folder.mode == FOLDER else ""
        if looked != self._looked:
            self._seen, self._looked = self._read(looked), looked
        return self._seen

    def settle_in(self) -> float | None:
        """Never: commits do not change."""
        return None

    def _read(self, folder: Oid) -> ReservationsSeen:
        prefix = "/".join(CLAIM_FILES)
        found = {
            f"{prefix}/{name}": self._parse(f"{prefix}/{name}", entry.mode, entry.oid)
            for name, entry in sorted(read_tree(self._repo, folder).items() if folder else ())
            if is_task_name(name) and entry.mode != FOLDER
        }
        read = {path: one if isinstance(one, Reservation) else self._good.get(path) for path, one in found.items()}
        self._good = {path: one for path, one in read.items() if one is not None}
        write_reservations(self._place, self._good.values())
        problems = [problem for one in found.values() if not isinstance(one, Reservation) for problem in one]
        return ReservationsSeen(tuple(self._good.values()), tuple(problems))

    def _parse(self, path: str, mode: int, oid: Oid) -> Reservation | tuple[Problem, ...]:
        if mode not in (FILE, PROGRAM):
            return (refuse(path, Refusal("it is not a plain file")),)
        return parse_reservation(path, self._repo.read(oid), 0)


def open_reservations(place: Place, repo: GitRepo, monotonic: Callable[[], float], wall: Callable[[], float]) -> Reservations:
    """The claim files of a repository with or without a checkout. For the arguments see the two classes."""
    return CommittedReservations(place, repo) if place.checkout is None else CheckoutReservations(place, monotonic, wall)


def read_claim_files(place: Place, branch: str) -> tuple[Reservation, ...]:
    """What the claim files say now, for clients where no orchd serves. It loads far more than a client does otherwise."""
    repo = open_repo(place)
    return open_reservations(place, repo, time.monotonic, time.time).look(GitRefs(repo, branch).main()).good
