"""Whatever is taken without git, git would take; the usual is taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from git_world import World, git
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchd.adapters import evidence, plain_pack
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.loose_pack import write_pack
from orchd.adapters.plain_pack import take_plain_pack
from orchd.adapters.plain_tree import object_id
from orchd.adapters.quarantine import Quarantine, make_quarantine
from orchd.model.run import Entry
from orchd.model.work import Reason

RUN = "fix.1.1"
NEW = b"new content\n"
WHO = b"orchd <orchd@localhost> 1700000000 +0000"
COMMIT = b"tree %(tree)s\nparent %(base)s\nauthor %(who)s\ncommitter %(who)s\n\ndo it\n"
COMMITS = [
    COMMIT,
    COMMIT.replace(b"do it", b"\xff\xfe"),
    COMMIT.replace(b"do it", b"nul \0"),
    COMMIT.replace(b"author %(who)s\n", b""),
    COMMIT.replace(b"parent", b"parent  "),
    COMMIT.replace(b"\ncommitter", b"\nencoding x\ncommitter"),
    COMMIT.replace(b"%(who)s", b"orchd <orchd@localhost> 01 +0000"),
    COMMIT.replace(b"%(who)s", b"orchd <orchd@localhost> 99999999999999999999 +0000"),
    COMMIT.replace(b"%(who)s", b"orchd orchd@localhost 1 +0000"),
    COMMIT.replace(b"parent %(base)s\n", b""),
]
MODES = [b"100644", b"100755", b"120000", b"40000", b"040000", b"100664", b"160000", b"0"]
NAMES = [b"a", b"a.b", b"b", b"c.txt", b"src", b"A b", b".github", b".gitignore"]
EVIL = [b".git", b".GIT", b".gitmodules", b".", b"..", b"a/b", b"git~1", b".git ", b"x" * 300, b"\xc3\xa9", b".gitattributes"]
TARGETS = ["blob", "new", "tree", "missing", "null", "new tree"]


@dataclass(frozen=True)
class Ground:
    """A repository and what trees may name in it."""

    world: World
    repo: GitRepo
    ids: dict[str, bytes]

    def spell(self, rows: list[tuple[bytes, bytes, str]], commit: bytes = COMMIT) -> list[tuple[bytes, bytes]]:
        tree = b"".join(b"%s %s\0%s" % (mode, name, self.ids[target]) for mode, name, target in rows)
        named = {b"tree": object_id(b"tree", tree).hex().encode(), b"base": self.world.main.encode(), b"who": WHO}
        return [(b"blob", NEW), (b"tree", INNER), (b"tree", tree), (b"commit", commit % named)]

    def write(self, objects: list[tuple[bytes, bytes]]) -> Path:
        pack = evidence.result_pack(self.world.place, RUN)
        pack.parent.mkdir(parents=True, exist_ok=True)
        with pack.open("wb") as out:
            write_pack(objects, out)
        return pack

    def take(self, pack: Path, name: str = "mine") -> list[str] | None:
        """The ids of the objects that were taken; None: git must say."""
        quarantine = make_quarantine(self.repo, name)
        taken = take_plain_pack(self.repo, quarantine.folder, pack, self.world.main)
        return stored(quarantine) if taken else None

    def ask_git(self, pack: Path) -> list[str] | None:
        quarantine = make_quarantine(self.repo, "git")
        return None if quarantine.unpack(pack) else stored(quarantine)


INNER = b"100644 inner\0" + object_id(b"blob", NEW)


def stored(quarantine: Quarantine) -> list[str]:
    return sorted(path.parent.name + path.name for path in quarantine.folder.glob("??/*"))


@pytest.fixture
def ground(world: World) -> Ground:
    ids = {
        "blob": bytes.fromhex(git(world.top, "rev-parse", "HEAD:a.txt")),
        "tree": bytes.fromhex(git(world.top, "rev-parse", "HEAD:src")),
        "new": object_id(b"blob", NEW),
        "new tree": object_id(b"tree", INNER),
        "missing": bytes(range(20)),
        "null": bytes(20),
    }
    return Ground(world, world.open(), ids)


rows = st.lists(st.tuples(st.sampled_from(MODES[:4]), st.sampled_from(NAMES), st.sampled_from(TARGETS)), max_size=4)
odd = st.tuples(st.sampled_from(MODES), st.sampled_from(NAMES + EVIL), st.sampled_from(TARGETS))


@given(rows, st.none() | odd, st.booleans(), st.sampled_from([COMMIT] * 5 + COMMITS))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_taken_git_takes_too(ground: Ground, usual: list, strange: tuple | None, tidy: bool, commit: bytes) -> None:
    every = usual + ([strange] if strange else [])
    order = sorted(every, key=lambda row: row[1] + b"/" * (row[0] == b"40000")) if tidy else every
    pack = ground.write(ground.spell(order, commit))
    taken = ground.take(pack)
    if taken is not None:
        assert taken == ground.ask_git(pack)


GOOD = [(b"100644", b"a.txt", "blob"), (b"100755", b"b", "new"), (b"120000", b"l", "new"), (b"40000", b"src", "new tree")]


def test_the_usual_is_taken_as_git_takes_it(ground: Ground) -> None:
    pack = ground.write(ground.spell(GOOD))
    assert ground.take(pack) == ground.ask_git(pack) != []


SPOILED = {
    "missing": [(b"100644", b"x", "missing")],
    "a folder that is a file": [(b"40000", b"x", "blob")],
    "a file that is a folder": [(b"100644", b"x", "tree")],
    "a new folder that is a file": [(b"40000", b"x", "new")],
    "null": [(b"100644", b"x", "null")],
    "unsorted": [(b"100644", b"b", "blob"), (b"100644", b"a", "blob")],
    "twice": [(b"100644", b"a", "blob"), (b"100644", b"a.b", "blob"), (b"40000", b"a", "tree")],
    "submodule": [(b"160000", b"x", "missing")],
    **{f"named {name[:20]!r}": [(b"100644", name, "blob")] for name in EVIL},
    "git as a folder": [(b"40000", b".git", "tree")],
    "padded": [(b"040000", b"x", "tree")],
    "ignore as a link": [(b"120000", b".gitignore", "blob")],
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED.keys())
def test_what_is_special_is_left_to_git(ground: Ground, spoiled: list) -> None:
    assert ground.take(ground.write(ground.spell(spoiled))) is None


@pytest.mark.parametrize("commit", COMMITS[2:])
def test_a_commit_of_another_form_is_left_to_git(ground: Ground, commit: bytes) -> None:
    assert ground.take(ground.write(ground.spell(GOOD, commit))) is None


def test_two_commits_or_another_base_are_left_to_git(ground: Ground) -> None:
    objects = ground.spell(GOOD)
    assert ground.take(ground.write([*objects, (b"commit", objects[-1][1] + b"again\n")])) is None
    assert ground.take(ground.write(objects[:-1])) is None
    assert ground.take(ground.write([(b"tag", b"x"), *objects])) is None
    other = objects[-1][1].replace(ground.world.main.encode(), b"1" * 40)
    assert ground.take(ground.write([*objects[:-1], (b"commit", other)])) is None


@given(st.integers(0, 400), st.integers(0, 255), st.booleans())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_pack_is_not_taken(ground: Ground, where: int, byte: int, honest: bool) -> None:
    """`honest`: with the checksum that the torn content has."""
    pack = ground.write(ground.spell(GOOD))
    data = bytearray(pack.read_bytes())
    where %= len(data)
    data[where] = byte
    if honest:
        data[-20:] = hashlib.sha1(data[:-20]).digest()
    pack.write_bytes(data)
    taken = ground.take(pack)
    if taken is not None:
        assert taken == ground.ask_git(pack)


@pytest.mark.parametrize("size", [plain_pack.MOST_BYTES + 1, 64 * plain_pack.MOST_BYTES])
def test_a_bomb_is_left_to_git_unopened(ground: Ground, size: int) -> None:
    assert ground.take(ground.write([*ground.spell(GOOD), (b"blob", bytes(size))])) is None


def admit_evil(ground: Ground) -> Reason | None:
    objects = ground.spell([(b"40000", b".git", "new tree")])
    ground.write(objects)
    returned = ground.world.admit(RUN, object_id(*objects[-1]).hex())
    return returned.reason if returned.entry is not Entry.ACCEPTED else None


def test_a_folder_named_git_does_not_come_in(ground: Ground) -> None:
    assert admit_evil(ground) is Reason.POLICY
    assert git(ground.world.top, "for-each-ref", "refs/orch/attic") == "", "refused before anything was taken in"


def test_without_looking_at_names_it_is_taken_in(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_pack, "_is_special", lambda _: False)
    admit_evil(ground)
    assert git(ground.world.top, "for-each-ref", "refs/orch/attic") != ""
