"""Numbers where clones share a remote: none is given twice, whoever asks, is killed or is cut off."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_world import commit, git
from shared_world import GitFamily, wait_for

from orchd import app
from orchd.adapters.git_numbers import GitNumbers, SharedNumbers
from orchd.adapters.git_repo import open_repo
from orchd.adapters.number_book import NumberBook
from orchd.errors import GitError, OrchdError
from orchd.model.config import Config
from orchd.model.number import NumberWish

CHAIN = "refs/orch/seq/migration"
CONFIG = Config(remote="origin", takeover_seconds=0.5)

ASKER = """
import sys
from pathlib import Path
from orchd.adapters import git_numbers
from orchd.adapters.git_repo import open_repo
from orchd.adapters.number_book import NumberBook
from orchd.adapters.place import find_place
from orchd.adapters.shared_open import open_remote
from orchd.model.config import Config
from orchd.model.number import NumberWish
top, who, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if len(sys.argv) > 4:
    start = git_numbers.Git.start
    git_numbers.Git.start = lambda self, *words, **more: start(
        self, *[f"+{w}" if words[0] == "push" and w[40:41] == ":" else w for w in words if "force-with" not in w], **more)
place, config = find_place(top), Config(remote="origin")
repo = open_repo(place)
book = NumberBook(repo, lambda: 1)
numbers = git_numbers.AskedNumbers(repo, book, open_remote(place, config), "origin", "main")
for number in range(count):
    print(f"{who}-{number}", numbers.take(NumberWish("migration", f"{who}-{number}"), config), flush=True)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[GitFamily]:
    made = GitFamily(tmp_path)
    start = tmp_path / "start"
    commit(start, {".orch/config.yaml": "remote: origin\n", "migrations/0007_old.py": ""})
    git(start, "push", "-q", str(made.bare), "main")
    yield made
    made.close()


def ask(family: GitFamily, who: str, count: int, *more: str) -> subprocess.Popen[str]:
    """Processes in two clones, whatever their names."""
    top = family.top(("one", "two")[int(who[1:]) % 2])
    argv = [sys.executable, "-c", ASKER, str(top), who, str(count), *more]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def collect(askers: list[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """Holder and number of every answer."""
    said = [asker.communicate(timeout=200)[0] for asker in askers]
    return [(line.split()[0], line.split()[1]) for text in said for line in text.splitlines() if len(line.split()) == 2]


def ask_all(family: GitFamily, count: int, *more: str) -> list[subprocess.Popen[str]]:
    return [ask(family, f"p{n}", count, *more) for n in range(8)]


def test_200_requests_of_8_processes_in_two_clones_give_200_numbers(family: GitFamily) -> None:
    answers = collect(ask_all(family, 25))
    assert sorted(int(number) for _, number in answers) == list(range(8, 208)), "each once, and without a gap"


def test_no_number_is_given_twice_when_askers_in_two_clones_are_killed(family: GitFamily) -> None:
    askers = ask_all(family, 5)
    for number, asker in enumerate(askers[:4]):
        assert asker.stdout is not None
        asker.stdout.readline()
        time.sleep(number * 0.023)
        asker.kill()
    told = collect(askers)
    again = collect(ask_all(family, 5))
    assert len(again) == len({number for _, number in again}) == 40
    assert set(told) <= set(again), "who was told a number keeps it"


def test_without_the_lease_of_the_push_numbers_are_given_twice(family: GitFamily) -> None:
    answers = collect(ask_all(family, 5, "unsafe"))
    assert len({number for _, number in answers}) < len(answers) == 40


def take(family: GitFamily, name: str, holder: str) -> str:
    return app.take_number(family.place(name), "migration", holder)


def test_numbers_of_the_time_before_sharing_and_those_on_branches_and_on_the_remotes_main_count(family: GitFamily) -> None:
    top, repo = family.top("one"), open_repo(family.place("one"))
    alone = GitNumbers(repo, NumberBook(repo, lambda: 1))
    before = [alone.take(NumberWish("migration", who), Config()) for who in ("release", "other")]
    assert before == ["0008", "0009"]
    assert take(family, "one", "release") == "0008", "who has a number keeps it"
    git(top, "checkout", "-q", "-b", "side")
    commit(top, {"migrations/0012_side.py": ""})
    git(top, "checkout", "-q", "main")
    assert take(family, "one", "new") == "0013"
    assert take(family, "two", "release") == "0008", "in any clone"
    start = family.folder / "start"
    commit(start, {"migrations/0020_pushed.py": ""})
    git(start, "push", "-q", str(family.bare), "main")
    assert take(family, "two", "newer") == "0021", "though this clone has not fetched it"


def test_without_an_answer_of_the_remote_no_number_is_given_and_the_error_says_so(family: GitFamily) -> None:
    assert take(family, "one", "a") == "0008"
    family.cut("one")
    with pytest.raises(OrchdError, match=r"cannot reach `origin`, which gives the numbers: .*; no number was given") as caught:
        take(family, "one", "b")
    assert "--for WHO" in caught.value.hint
    assert take(family, "two", "b") == "0009"
    family.heal("one")
    assert take(family, "one", "b") == "0009"


def test_a_push_that_the_remote_refuses_gives_no_number(family: GitFamily) -> None:
    hook = family.bare / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho not here >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(OrchdError, match="`origin` refuses to give a number"):
        take(family, "one", "a")
    hook.unlink()
    assert take(family, "one", "a") == "0008"


# -- the daemon's side -------------------------------------------------------------------------------------------------


class Asking:
    """The port of a daemon in one clone."""

    def __init__(self, family: GitFamily, name: str) -> None:
        self.shared = family.open(name)
        self.numbers = SharedNumbers(self.shared, NumberBook(open_repo(family.place(name)), lambda: 1))

    def given(self, *wishes: NumberWish) -> bool:
        """Asks once nothing is under way."""
        busy = self.shared.look().busy
        have = self.numbers.look(wishes, CONFIG)
        if not busy:
            self.numbers.ask([wish for wish in wishes if wish not in have], CONFIG)
        return have == frozenset(wishes)


A, B, C = (NumberWish("migration", f"default/{name}.1") for name in "abc")


def test_two_daemons_and_a_command_never_give_one_number_to_two_and_a_holder_keeps_its_own(family: GitFamily) -> None:
    one, two = Asking(family, "one"), Asking(family, "two")
    wait_for(lambda: all([one.given(A, C), two.given(B)]))
    taken = {
        one.numbers.take(A, CONFIG),
        one.numbers.take(C, CONFIG),
        two.numbers.take(B, CONFIG),
        take(family, "one", "person"),
    }
    assert taken == {"0008", "0009", "0010", "0011"}
    wait_for(lambda: two.given(A))
    assert two.numbers.take(A, CONFIG) == one.numbers.take(A, CONFIG), "whichever clone has the task now"


def test_a_daemon_that_is_cut_off_gets_no_number_and_is_never_kept_waiting(family: GitFamily) -> None:
    one, two = Asking(family, "one"), Asking(family, "two")
    wait_for(lambda: one.given(A))
    family.cut("one")
    wait_for(lambda: not one.shared.look().busy)
    begun = time.monotonic()
    one.numbers.ask((B,), CONFIG)
    assert not one.given(B)
    assert time.monotonic() - begun < 1
    with pytest.raises(GitError, match="has not given a number"):
        one.numbers.take(B, CONFIG)
    wait_for(lambda: two.given(C))
    family.heal("one")
    wait_for(lambda: one.given(B))
    assert {one.numbers.take(B, CONFIG), two.numbers.take(C, CONFIG)} == {"0009", "0010"}


def test_a_chain_that_somebody_spoilt_gives_nothing_and_stops_nobody_else(family: GitFamily) -> None:
    git(family.bare, "update-ref", CHAIN, "refs/heads/main")
    one = Asking(family, "one")
    wait_for(lambda: (seen := one.shared.look()).answered and not seen.busy)
    assert one.numbers.look((A,), CONFIG) == frozenset()
    with pytest.raises(GitError, match="damaged"):
        one.numbers.ask((A,), CONFIG)
    other = NumberWish("step", "default/a.1")
    wait_for(lambda: one.given(other))


def test_somebody_elses_use_of_a_number_takes_it_away(family: GitFamily) -> None:
    one = Asking(family, "one")
    wait_for(lambda: one.given(A))
    start = family.folder / "start"
    commit(start, {"migrations/0008_by_hand.py": ""})
    git(start, "push", "-q", str(family.bare), "main")
    wait_for(lambda: (one.given(A) or True) and one.numbers.take(A, CONFIG) == "0009")
