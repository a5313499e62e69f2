"""What the port `Numbers` promises, of git and of its memory twin; and that no number is ever given twice."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from git_world import World, commit, git
from shared_world import Ears, wait_for

from orchd.adapters.git_numbers import AskedNumbers, GitNumbers, SharedNumbers
from orchd.adapters.git_repo import open_repo
from orchd.adapters.number_book import NumberBook
from orchd.adapters.shared_open import open_remote, open_shared
from orchd.model.config import Config
from orchd.model.number import NumberKind, NumberWish
from orchd.ports import Numbers

sys.path.insert(0, str(Path(__file__).parents[1]))

from twins.numbers import CountedNumbers, RemoteCounted

TASK_BRANCH = "refs/heads/session/default/task/a"


class Both:
    """One of them; `add` puts a migration on a branch."""

    def __init__(self, numbers: Numbers | AskedNumbers, world: World | None, look: Callable[[], object] = bool) -> None:
        self.numbers, self._world, self._look = numbers, world, look

    def add(self, branch: str, name: str) -> None:
        if self._world is None:
            assert isinstance(self.numbers, CountedNumbers)
            self.numbers.files.setdefault(branch, []).append(name)
            return
        old = git(self._world.top, "for-each-ref", "--format=%(objectname)", branch)
        tip = self._world.branch_tip({f"app/migrations/{name}": name}, old or self._world.main)
        git(self._world.top, "update-ref", branch, tip)

    def take(self, holder: str, kind: str = "migration", branch: str = "") -> str:
        wish = NumberWish(kind, holder, branch)
        if not isinstance(self.numbers, AskedNumbers):
            wait_for(lambda: self._is_given(self.numbers, wish))
        return self.numbers.take(wish, Config())

    def _is_given(self, numbers: Numbers, wish: NumberWish) -> bool:
        """Asks until it is, where somebody else gives the numbers."""
        self._look()
        given = numbers.look((wish,), Config())
        if given is not None and wish not in given:
            numbers.ask((wish,), Config())
        return given is None or wish in given


@pytest.fixture(params=["git", "shared git", "asked git", "twin", "shared twin"])
def both(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Both]:
    if "twin" in request.param:
        yield Both(RemoteCounted(CountedNumbers()) if "shared" in request.param else CountedNumbers(), None)
        return
    repo, book = open_repo(world.place), NumberBook(open_repo(world.place), lambda: 1_000)
    if request.param == "git":
        yield Both(GitNumbers(repo, book), world)
        return
    bare, config = tmp_path / "bare.git", Config(remote="shared", takeover_seconds=0.5)
    git(tmp_path, "clone", "-q", "--bare", str(world.top), str(bare))
    git(world.top, "remote", "add", "shared", str(bare))
    if request.param == "asked git":
        yield Both(AskedNumbers(repo, book, open_remote(world.place, config), "shared", "main"), world)
        return
    shared = open_shared(world.place, repo, "main", config, Ears(), lambda: None)
    yield Both(SharedNumbers(shared, book), world, shared.look)
    shared.close()


def test_the_first_number_is_one(both: Both) -> None:
    assert [both.take(who) for who in ("a.1", "b.1")] == ["0001", "0002"]


def test_a_number_follows_all_that_stand_in_any_branch(both: Both) -> None:
    both.add("refs/heads/side", "0007_main.py")
    both.add("refs/heads/session/default/task/other", "0011_other.py")
    both.add("refs/heads/session/default/integration", "0009_session.py")
    assert both.take("a.1") == "0012"
    assert both.take("b.1") == "0013"


def test_the_same_holder_gets_the_same_number_and_another_kind_counts_for_itself(both: Both) -> None:
    first = both.take("a.1")
    assert both.take("b.1") != first
    assert both.take("a.1") == first
    assert both.take("a.1", kind="other") == "0001"


def test_the_holders_own_branch_does_not_take_its_number_away_but_others_do(both: Both) -> None:
    mine = both.take("a.1", branch=TASK_BRANCH)
    both.add(TASK_BRANCH, f"{mine}_mine.py")
    assert both.take("a.1", branch=TASK_BRANCH) == mine
    both.add("refs/heads/side", f"{mine}_by_a_person.py")
    assert int(both.take("a.1", branch=TASK_BRANCH)) == int(mine) + 1


def numbers_of(world: World, at_ms: int = 1_000) -> GitNumbers:
    repo = open_repo(world.place)
    return GitNumbers(repo, NumberBook(repo, lambda: at_ms))


# -- git only ----------------------------------------------------------------------------------------------------------


def test_only_the_files_that_are_meant_count(world: World) -> None:
    commit(
        world.top,
        {
            "db/V07__x.sql": "",
            "db/deep/V99__x.sql": "",
            "app/migrations/0500_x.py": "",
            "db/20230101120000_x.rb": "",
            "09_x": "",
        },
    )
    numbers = numbers_of(world)
    flyway = Config(numbers=(NumberKind("migration", ("db/*",)),))
    assert numbers.take(NumberWish("migration", "a.1"), flyway) == "08"
    assert numbers.take(NumberWish("migration", "b.1"), Config()) == "0501"


def test_the_chain_says_who_got_which_number_and_when(world: World) -> None:
    numbers = numbers_of(world, 1_700_000_000_000)
    for who in ("a.1", "b.1"):
        numbers.take(NumberWish("migration", who), Config())
    said = git(world.top, "log", "--format=%s %ct", "refs/orch/seq/migration").splitlines()
    assert said == ["orchd: migration 0002 for b.1 1700000000", "orchd: migration 0001 for a.1 1700000000"]


ASKER = """
import sys, time
from contextlib import suppress
from pathlib import Path
from orchd.adapters.git_numbers import GitNumbers
from orchd.adapters.git_repo import open_repo
from orchd.adapters.number_book import NumberBook
from orchd.adapters.place import find_place
from orchd.model.config import Config
from orchd.model.number import NumberWish
top, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if len(sys.argv) > 4:
    from orchd.adapters.ref_store import RefStore
    def move(self, name, old, new, reflog=""):
        with suppress(OSError):
            return bool(self.library.references.create(name, new, force=True))
        return move(self, name, old, new)
    RefStore.move = move
repo = open_repo(find_place(top))
numbers = GitNumbers(repo, NumberBook(repo, lambda: 1))
for number in range(count):
    print(f"{who}-{number}", numbers.take(NumberWish("migration", f"{who}-{number}"), Config()), flush=True)
"""


def ask(world: World, who: str, count: int, *more: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", ASKER, str(world.top), who, str(count), *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def collect(askers: list[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """Holder and number of every answer."""
    said = [asker.communicate(timeout=100)[0] for asker in askers]
    return [(line.split()[0], line.split()[1]) for text in said for line in text.splitlines() if len(line.split()) == 2]


def test_200_requests_of_8_processes_give_200_numbers(world: World) -> None:
    answers = collect([ask(world, f"p{n}", 25) for n in range(8)])
    assert len(answers) == len({number for _, number in answers}) == 200
    assert sorted(int(number) for _, number in answers) == list(range(1, 201)), "and without a gap"


def test_no_number_is_given_twice_when_askers_are_killed_in_between(world: World) -> None:
    askers = [ask(world, f"p{n}", 25) for n in range(8)]
    for number, asker in enumerate(askers[:4]):
        assert asker.stdout is not None
        asker.stdout.readline()
        time.sleep(number * 0.007)
        asker.kill()
    told = collect(askers)
    again = collect([ask(world, f"p{n}", 25) for n in range(8)])
    assert len(again) == len({number for _, number in again}) == 200
    assert set(told) <= set(again), "who was told a number keeps it"


def test_without_the_compare_and_swap_numbers_are_given_twice(world: World) -> None:
    answers = collect([ask(world, f"p{n}", 25, "unsafe") for n in range(8)])
    assert len({number for _, number in answers}) < len(answers)
