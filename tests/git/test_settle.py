"""Settling as git objects: one side or a person's file where the two conflict, git's own merge everywhere else."""

from __future__ import annotations

import pytest
from git_world import World, commit, git

from orchd.adapters import evidence
from orchd.adapters import settle as settling
from orchd.adapters.airlock import GitAirlock
from orchd.adapters.disputes import read_disagreement
from orchd.adapters.settle import Unsettled, settle
from orchd.core.disputes import name_dispute
from orchd.model.claim import PathSpec
from orchd.model.config import Config
from orchd.model.merge import Side
from orchd.model.run import AdmitOrder, Entry, Returned
from orchd.model.work import Answer, Reason, Rework, SettledFile, Source, Status, Task, TaskSpec

LONG = "".join(f"{number}\n" for number in range(30))
START = {"c.txt": LONG, "bin": b"\0base", "old.txt": LONG + "old\n"}
BOTH_SIDES = {Answer.OURS: Side.OURS, Answer.THEIRS: Side.THEIRS}

Files = dict[str, "str | bytes | None"]

KINDS: dict[str, tuple[Files, Files, str, str, dict[Answer, str]]] = {
    "both changed": (
        {"c.txt": LONG.replace("3\n", "ours\n", 1)},
        {"c.txt": LONG.replace("3\n", "theirs\n", 1).replace("29\n", "end\n")},
        "c.txt",
        "both changed the same lines",
        {
            Answer.OURS: LONG.replace("3\n", "ours\n", 1).replace("29\n", "end\n"),
            Answer.THEIRS: LONG.replace("3\n", "theirs\n", 1).replace("29\n", "end\n"),
        },
    ),
    "both added": (
        {"n.txt": "ours\n"},
        {"n.txt": "theirs\n"},
        "n.txt",
        "both added it",
        {Answer.OURS: "ours\n", Answer.THEIRS: "theirs\n"},
    ),
    "ours removed": (
        {"c.txt": None},
        {"c.txt": "theirs\n"},
        "c.txt",
        "ours removed or renamed it, theirs changed it",
        {Answer.OURS: "", Answer.THEIRS: "theirs\n"},
    ),
    "theirs removed": (
        {"c.txt": "ours\n"},
        {"c.txt": None},
        "c.txt",
        "ours changed it, theirs removed or renamed it",
        {Answer.OURS: "ours\n", Answer.THEIRS: ""},
    ),
    "binary": (
        {"bin": b"\0ours\n"},
        {"bin": b"\0theirs\n"},
        "bin",
        "binary",
        {Answer.OURS: "\0ours\n", Answer.THEIRS: "\0theirs\n"},
    ),
    "renamed differently": (
        {"old.txt": None, "mine.txt": LONG + "old\n"},
        {"old.txt": None, "theirs.txt": LONG + "old\n"},
        "old.txt",
        "both renamed it",
        {Answer.OURS: "", Answer.THEIRS: ""},
    ),
}


def begin(world: World) -> str:
    return commit(world.top, dict(START))


def make(world: World, ours: Files, theirs: Files, base: str) -> Rework:
    tip = world.branch_tip(theirs, base)
    commit(world.top, ours)
    return Rework(Answer.OURS, tip, world.main, "refs/orch/attic/t/1", base)


def answered(rework: Rework, said: Answer, *files: SettledFile) -> Rework:
    return Rework(said, rework.tip, rework.base, rework.ref, rework.begun, files)


def settled(world: World, rework: Rework) -> str:
    made = settle(world.open(), rework, "t.1.2")
    assert isinstance(made, str), made
    return made


def content(world: World, tip: str, path: str) -> str:
    if not git(world.top, "ls-tree", tip, path):
        return ""
    return git(world.top, "cat-file", "blob", f"{tip}:{path}") + "\n"


def task_of(rework: Rework) -> Task:
    return Task(TaskSpec("t", "t", "r"), Status.HELD, "1", Source.FILE, 1, 0, tip=rework.tip, base=rework.begun)


@pytest.mark.parametrize("said", BOTH_SIDES)
@pytest.mark.parametrize("name", KINDS)
def test_one_side_counts_where_they_conflict_and_all_else_is_merged(world: World, name: str, said: Answer) -> None:
    ours, theirs, path, kind, expected = KINDS[name]
    rework = make(world, ours | {"ours-too": "x\n"}, theirs | {"theirs-too": "y\n"}, begin(world))
    found = read_disagreement(world.place, task_of(rework), rework.base)
    assert found is not None and name_dispute(next(one.dispute for one in found.disputed if one.dispute.path == path)) == kind
    made = settled(world, answered(rework, said))
    assert content(world, made, path) == expected[said]
    assert content(world, made, "ours-too") == "x\n" and content(world, made, "theirs-too") == "y\n"
    assert git(world.top, "rev-parse", f"{made}^1", f"{made}^2").split() == [rework.base, rework.tip]
    assert settled(world, answered(rework, said)) == made, "the same answer is the same commit"
    git(world.top, "fsck", "--strict", "--no-dangling")


def test_of_two_names_one_stays(world: World) -> None:
    ours, theirs, *_ = KINDS["renamed differently"]
    rework = make(world, ours, theirs, begin(world))
    for said, name in ((Answer.OURS, "mine.txt"), (Answer.THEIRS, "theirs.txt")):
        names = set(git(world.top, "ls-tree", "--name-only", settled(world, answered(rework, said))).split())
        assert names & {"old.txt", "mine.txt", "theirs.txt"} == {name}


def test_a_file_where_the_other_has_a_folder_is_not_settled(world: World) -> None:
    rework = make(world, {"n": "ours\n"}, {"n/deep": "theirs\n"}, begin(world))
    for said in (Answer.OURS, Answer.THEIRS, Answer.FILES, Answer.EARLIER):
        made = settle(world.open(), answered(rework, said), "t.1.2")
        assert isinstance(made, Unsettled) and "file/directory" in made.why[0]


def test_files_count_first_and_what_is_not_named_stays_open(world: World) -> None:
    ours, theirs = KINDS["both changed"][:2]
    rework = make(world, ours | {"bin": b"\0ours"}, theirs | {"bin": b"\0theirs"}, begin(world))
    file = SettledFile("c.txt", world.open().write_blob(b"mine\n"))
    made = settled(world, answered(rework, Answer.THEIRS, file))
    assert content(world, made, "c.txt") == "mine\n" and "theirs" in content(world, made, "bin")
    message = git(world.top, "log", "-1", "--format=%B", made)
    assert "Orch-Settled: file c.txt" in message and "Orch-Settled: theirs bin" in message
    assert settle(world.open(), answered(rework, Answer.FILES, file), "t.1.2") == Unsettled(("bin",))


def test_without_a_conflict_any_more_the_answer_is_the_merge(world: World) -> None:
    rework = make(world, {"ours": "x\n"}, {"theirs": "y\n"}, begin(world))
    made = settled(world, answered(rework, Answer.OURS))
    assert {"ours", "theirs"} <= set(git(world.top, "ls-tree", "--name-only", made).split())


@pytest.mark.parametrize("guarded", [True, False])
def test_what_main_dropped_does_not_come_back_by_an_answer(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = begin(world)
    dropped = commit(world.top, {"secret": "s\n"})
    rework = make(world, {"a.txt": "ours\n"}, {"a.txt": "theirs\n"}, dropped)
    git(world.top, "reset", "-q", "--hard", kept)
    commit(world.top, {"a.txt": "again\n"})
    again = Rework(Answer.OURS, rework.tip, world.main, rework.ref, dropped if guarded else "")
    if not guarded:
        monkeypatch.setattr(settling.GitRepo, "contains", lambda *_: True)
    made = settle(world.open(), again, "t.1.2")
    if guarded:
        assert isinstance(made, Unsettled) and made.reason is Reason.BASE and "does not contain" in made.why[0]
        assert read_disagreement(world.place, task_of(rework), world.main) is None
    else:
        assert isinstance(made, str) and content(world, made, "secret") == "s\n"


@pytest.mark.parametrize("guarded", [True, False])
def test_whatever_else_git_merged_is_proven(world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = KINDS["both changed"][:2]
    rework = make(world, ours | {"landed": "x\n"}, theirs, begin(world))
    right = settling.edit_entries

    def wrong(repo, tree, changes):  # type: ignore[no-untyped-def]
        return right(repo, tree, changes | {"landed": settling.ABSENT})

    monkeypatch.setattr(settling, "edit_entries", wrong)
    if not guarded:
        monkeypatch.setattr(settling, "prove_merge", lambda *_: ())
    made = settle(world.open(), rework, "t.1.2")
    if guarded:
        assert made == Unsettled(
            ("landed: what had landed would come undone", "git and libgit2 merge it into different trees"), Reason.PROOF
        )
    else:
        assert isinstance(made, str) and not content(world, made, "landed")


def test_what_is_no_commit_is_said_and_asks_nothing(world: World) -> None:
    rework = make(world, {"a.txt": "ours\n"}, {"a.txt": "theirs\n"}, begin(world))
    for onto in ("**", "", "1" * 40, git(world.top, "rev-parse", "HEAD:a.txt")):
        made = settle(world.open(), Rework(Answer.OURS, rework.tip, onto, rework.ref, rework.begun), "t.1.2")
        assert isinstance(made, Unsettled) and made.reason is Reason.BASE, onto


def admit(world: World, rework: Rework, *claims: str) -> Returned:
    order = AdmitOrder("t.1.2", "default", "t", rework.base, tuple(map(PathSpec, claims)), accept=True)
    GitAirlock(world.open(), "main", world.fence_of).rework(order, rework, Config())
    returned = evidence.read_returned(world.place, "t.1.2")
    assert returned is not None
    return returned


def test_the_airlock_judges_what_it_came_to_against_what_had_landed(world: World) -> None:
    ours, theirs = KINDS["both changed"][:2]
    rework = make(world, ours | {"big": "x\n"}, theirs, begin(world))
    taken = admit(world, answered(rework, Answer.THEIRS), "c.txt")
    assert (taken.entry, taken.ref) == (Entry.ACCEPTED, "refs/heads/session/default/task/t"), taken
    assert git(world.top, "rev-parse", f"{taken.tip}^1") == rework.base


def test_outside_the_claim_or_still_open_it_is_kept_and_asked_again(world: World) -> None:
    ours, theirs = KINDS["both changed"][:2]
    rework = make(world, ours, theirs, begin(world))
    taken = admit(world, answered(rework, Answer.THEIRS), "other")
    assert (taken.entry, taken.reason, taken.detail) == (
        Entry.REFUSED,
        Reason.CLAIM,
        ("c.txt was changed outside the claim",),
    )
    (evidence.run_folder(world.place, "t.1.2") / "returned.json").unlink()
    left = admit(world, answered(rework, Answer.FILES), "c.txt")
    assert (left.entry, left.reason, left.tip, left.detail) == (Entry.REFUSED, Reason.CONFLICT, rework.tip, ("c.txt",))
    assert git(world.top, "rev-parse", left.ref) == rework.tip


def test_looking_leaves_nothing_behind(world: World) -> None:
    ours, theirs = KINDS["both changed"][:2]
    rework = make(world, ours, theirs, begin(world))
    before = git(world.top, "count-objects", "-v")
    found = read_disagreement(world.place, task_of(rework), rework.base)
    assert found is not None and found.goals == (git(world.top, "log", "-1", "--format=%h change"),)
    assert git(world.top, "count-objects", "-v") == before
