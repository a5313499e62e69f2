"""Conflicts that a save settles by itself: labelled on the merge, proven, and only where every guard holds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from git_world import World, commit, git

from orchd.adapters import merge_chain, resolve
from orchd.adapters.git_repo import GitRepo
from orchd.adapters.merge_report import MergeReport
from orchd.adapters.parse_check import parses
from orchd.core.wording import word_note
from orchd.model.merge import ASKING, Recipe, Resolved, Resolving
from orchd.model.save import Excluded, Merged, Save
from orchd.model.work import Reason

BASE = "import os\n\n\ndef f():\n    one()\n    two()\n"
OURS = BASE.replace("one()", "first()")
THEIRS = BASE.replace("two()", "second()")
BOTH = OURS.replace("two()", "second()")
ADJACENT = Resolving((Recipe.ADJACENT,))
RESOLVING = Resolving((Recipe.WHITESPACE, Recipe.ADJACENT, Recipe.IMPORTS))

Files = dict[str, "str | bytes | None"]


def merge(world: World, files: tuple[Files, Files, Files], resolving: Resolving = RESOLVING) -> Save:
    """The save of one task that made the last of these files, on a main that has the second."""
    base, ours, theirs = files
    commit(world.top, base)
    tip = world.branch_tip(theirs, world.main)
    commit(world.top, ours)
    save = replace(world.plan(tip), resolving=resolving)
    world.saves().merge(save, ["t"])
    return save


def links(world: World, save: Save) -> tuple[tuple[Merged, ...], tuple[Excluded, ...]]:
    seen = world.saves().look(save, world.main).chain
    assert seen is not None
    return seen.chain, seen.excluded


def asked(world: World, save: Save) -> tuple[str, ...]:
    chain, [gone] = links(world, save)
    assert (chain, gone.reason) == ((), Reason.CONFLICT)
    return gone.detail


def test_a_settled_conflict_lands_and_is_labelled_everywhere(world: World) -> None:
    start, ours, theirs = {"f.py": BASE}, {"f.py": OURS, "o": "o\n"}, {"f.py": THEIRS, "t": "t\n"}
    save = merge(world, (start, ours, theirs), ADJACENT)
    [link], _ = links(world, save)
    assert link.resolved == (Resolved("f.py", (Recipe.ADJACENT,)),)
    assert git(world.top, "show", f"{link.head}:f.py") + "\n" == BOTH
    assert {"o", "t"} <= set(git(world.top, "ls-tree", "--name-only", link.head).split())
    assert "Orch-Resolved: adjacent f.py" in git(world.top, "log", "-1", "--format=%B", link.head)
    saves = world.saves()
    landed = world.landed(saves, world.gated(saves, save))
    assert "Orch-Resolved: t1 adjacent f.py" in git(world.top, "log", "-1", "--format=%B", landed.commit)
    assert "resolved: t1 adjacent f.py" in word_note(landed, "1").splitlines()


def test_nothing_is_settled_that_nobody_allowed(world: World) -> None:
    save = merge(world, ({"f.py": BASE}, {"f.py": OURS}, {"f.py": THEIRS}), ASKING)
    assert asked(world, save) == ("f.py",)


def test_one_conflict_that_must_be_asked_makes_the_whole_merge_a_question(world: World) -> None:
    save = merge(world, ({"f.py": BASE, "g": "g\n"}, {"f.py": OURS, "g": "o\n"}, {"f.py": THEIRS, "g": "t\n"}))
    assert asked(world, save) == ("f.py", "g")


def test_a_file_that_only_one_side_has_is_asked_about(world: World) -> None:
    save = merge(world, ({"f.py": BASE}, {"f.py": None}, {"f.py": THEIRS}))
    assert asked(world, save) == ("f.py",)


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs"),
    [
        ("f.json", '{\n"a": 1,\n"z": 0\n}\n', '{\n"k": 1,\n"z": 0\n}\n', '{\n"a": 1,\n"k": 0\n}\n'),
        ("f.yaml", "a: 1\nz: 0\n", "k: 1\nz: 0\n", "a: 1\nk: 0\n"),
        ("f.toml", "a = 1\nz = 0\n", "k = 1\nz = 0\n", "a = 1\nk = 0\n"),
        ("f.py", "a = 1\nb = 1\n", "a = = 1\nb = 1\n", "a = 1\nb = 2\n"),
    ],
)
@pytest.mark.parametrize("guarded", [True, False])
def test_what_does_not_parse_is_a_question(
    world: World, path: str, base: str, ours: str, theirs: str, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sides are fine by themselves (but for the last); the twin has no parser."""
    if not guarded:
        monkeypatch.setattr(resolve, "parses", lambda *_: True)
    save = merge(world, ({path: base}, {path: ours}, {path: theirs}), ADJACENT)
    if guarded:
        assert asked(world, save) == (path,)
    else:
        assert links(world, save)[1] == ()


def test_each_parser_takes_what_is_right_and_refuses_what_is_not() -> None:
    assert parses("a.py", b"x = 1\n") and not parses("a.py", b"x = = 1\n")
    assert parses("a.json", b'{"a": [1]}') and not parses("a.json", b'{"a": 1, "a": 2}')
    assert parses("a.yml", b"a: 1\n---\nb: 2\n") and not parses("a.yml", b"a: 1\na: 2\n")
    assert parses("a.toml", b"a = 1\n") and not parses("a.toml", b"a = 1\na = 2\n")
    assert parses("a.txt", b"\xff whatever")
    assert not parses("a.py", b"(" * 100_000), "a parser that dies takes nobody along"


def test_both_additions_are_kept_where_somebody_named_the_file(world: World) -> None:
    trio = ({"CHANGES.md": "# Changes\n"}, {"CHANGES.md": "# Changes\n- ours\n"}, {"CHANGES.md": "# Changes\n- theirs\n"})
    save = merge(world, trio, Resolving((), ("CHANGES.md",)))
    [link], _ = links(world, save)
    assert git(world.top, "show", f"{link.head}:CHANGES.md") == "# Changes\n- ours\n- theirs"
    assert link.resolved == (Resolved("CHANGES.md", (Recipe.UNION,)),)


@pytest.mark.parametrize("guarded", [True, False])
def test_the_rest_of_such_a_merge_is_proven_like_any_other(
    world: World, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = merge_chain.resolve_merge

    def wrong(repo: GitRepo, report: MergeReport, resolving: Resolving) -> tuple[str, tuple[Resolved, ...]] | None:
        made = right(repo, report, resolving)
        return made and (
            resolve.edit_entries(repo, made[0], {"o": resolve.TreeEntry(0o100644, repo.write_blob(b"x"))}),
            made[1],
        )

    monkeypatch.setattr(merge_chain, "resolve_merge", wrong)
    if not guarded:
        monkeypatch.setattr(merge_chain, "prove_merge", lambda *_: ())
    save = merge(world, ({"f.py": BASE, "o": "1\n"}, {"f.py": OURS, "o": "2\n"}, {"f.py": THEIRS}), ADJACENT)
    chain, excluded = links(world, save)
    if guarded:
        assert [(gone.reason, gone.detail) for gone in excluded] == [
            (Reason.PROOF, ("git and libgit2 merge it into different trees",))
        ]
    else:
        assert len(chain) == 1


def test_the_same_save_makes_the_same_merge(world: World) -> None:
    save = merge(world, ({"f.py": BASE}, {"f.py": OURS}, {"f.py": THEIRS}), ADJACENT)
    first = links(world, save)
    git(world.top, "update-ref", "-d", f"refs/orch/save/{save.id}")
    world.saves().merge(save, ["t"])
    assert links(world, save) == first
