from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pygit2
import pytest
from git_world import DATE_MS, World, commit, git

from orchd.adapters import git_repo, locks, ref_store
from orchd.adapters.git_refs import GitRefs
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.git_trees import edit_tree
from orchd.adapters.locks import sweep_locks
from orchd.adapters.past import read_past
from orchd.adapters.place import find_place
from orchd.errors import ConfigError, GitError
from orchd.model.ids import NOWHERE
from orchd.model.snapshot import State
from orchd.model.work import Source, Status, Task, TaskSpec

SPEC, FILE = TaskSpec("c", "C", "make"), Source.FILE


def test_main_is_read_anew_each_time_and_must_exist(world: World) -> None:
    refs = GitRefs(world.open(), "main")
    assert refs.main() == world.main
    commit(world.top, {"x": "x"})
    git(world.top, "pack-refs", "--all")
    assert refs.main() == world.main
    with pytest.raises(ConfigError, match="no branch 'other'"):
        GitRefs(world.open(), "other").main()


def test_what_main_does_not_contain_any_more_is_known_whoever_moved_it(world: World) -> None:
    first, second, third = world.main, commit(world.top, {"x": "x"}), commit(world.top, {"x": "y"})
    waits = Task(SPEC, Status.WAITING, "", FILE, 1, 0)
    state = State(tasks={"a": landed("a", second, 1), "b": landed("b", third, 2), "c": waits})
    refs = GitRefs(world.open(), "main")
    for main, gone in ((third, ""), (first, "ab"), (second, "b"), (third, ""), (second, "b"), (first, "ab")):
        assert refs.gone(main, state) == set(gone)
        assert GitRefs(world.open(), "main").gone(main, state) == set(gone), "also who has just come"
    known = replace(state, gone=frozenset("ab"))
    assert GitRefs(world.open(), "main").gone(second, known) == {"b"}
    nowhere = State(tasks={"a": landed("a", "1" * 40, 1), "b": landed("b", third, 2)})
    refs = GitRefs(world.open(), "main")
    assert refs.gone(first, nowhere) == {"a", "b"}, "nor what is no object any more"
    assert refs.gone(first, State()) == {"a", "b"}, "nothing is looked for while main stays"


def checkpoint(repo: GitRepo, base: str, number: int, task: str = "t", seconds: int = 0) -> str:
    """A landing of `task` on `base`, as a save makes it; its tag comes along."""
    top, name = repo.place.checkout or repo.place.git_dir, f"checkpoint/{number}"
    tree = edit_tree(repo, repo.tree_of(base), {f"{task}.txt": repo.write_blob(str(number).encode())})
    tip = repo.write_commit(tree, [base], "work", DATE_MS)
    head = repo.write_commit(tree, [base, tip], "merge", DATE_MS)
    words = f"Orch-Checkpoint: {name}\nOrch-Base: {base}\nOrch-Task: {task} 1.{number} {tip}\n"
    landing = repo.write_commit(tree, [base, head], f"Land {task}\n\n{words}", DATE_MS + 1000 * (seconds or number))
    git(top, "tag", "-a", "-m", f"{name}\n\n{words}", name, landing)
    return landing


def past(repo: GitRepo, main: str) -> dict[str, tuple[str, bool]]:
    """What main says of each task: the commit of its landing, and whether it is lost."""
    return {task: (one.landing.commit, one.landing.lost) for task, one in read_past(repo, main).items()}


def test_what_has_landed_is_known_wherever_main_has_it_from_with_and_without_tags(world: World) -> None:
    repo, top = world.open(), world.top
    first = checkpoint(repo, world.main, 1, "a")
    onward = commit(top, {"x": "x"})
    git(top, "merge", "-q", "-m", "brought by a person", first)
    second = checkpoint(repo, world.main, 2, "b")
    git(top, "reset", "-q", "--hard", onward)
    git(top, "merge", "-q", "--no-edit", "checkpoint/2")
    found = {"a": (first, False), "b": (second, False)}
    assert "Orch-Checkpoint" in git(top, "log", "-1", "--format=%B") and past(repo, world.main) == found
    git(top, "tag", "-d", "checkpoint/1", "checkpoint/2")
    assert past(repo, world.main) == found
    assert past(repo, onward) == {}


@pytest.mark.parametrize("copy", [("cherry-pick", "-m", "1"), ("reset", "--hard")])
def test_a_copy_of_a_checkpoint_is_no_landing_and_its_work_is_lost(world: World, copy: tuple[str, ...]) -> None:
    repo, top = world.open(), world.top
    landing = checkpoint(repo, world.main, 1, "a")
    if copy[0] == "cherry-pick":
        commit(top, {"x": "x"})
    git(top, *copy, landing)
    if copy[0] == "reset":
        git(top, "commit", "-q", "--amend", "-m", git(top, "log", "-1", "--format=%B").replace("Land a", "Land it"))
    assert past(repo, world.main) == {"a": (landing, True)}, "by its tag"
    git(top, "tag", "-d", "checkpoint/1")
    assert past(repo, world.main) == {"a": (NOWHERE, True)}, "by its words"
    git(top, "merge", "-q", "-m", "back", landing)
    assert past(repo, world.main) == {"a": (landing, False)}


def test_what_comes_by_a_pull_is_known_and_what_was_lost_before_a_state_is_so_from_its_first_look(world: World) -> None:
    repo, top, path = world.open(), world.top, {"a": "tasks/a", "b": "tasks/b"}
    refs, base = GitRefs(repo, "main"), world.main
    first, apart = checkpoint(repo, base, 1, "a"), checkpoint(repo, base, 9, "b")
    assert {task: one.lost for task, one in refs.past(base, path).items()} == {"a": True, "b": True}
    git(top, "merge", "-q", first)
    found = refs.past(first, path)
    assert {task: (one.commit, one.lost) for task, one in found.items()} == {"a": (first, False), "b": (apart, True)}
    state = State(tasks={"a": landed("a", first, 1), "b": landed("b", apart, 9)})
    assert refs.gone(first, State(tasks={"a": state.tasks["a"]})) == set(), "not before it is one of the state's"
    refs.past(first, path)
    assert refs.gone(first, state) == {"b"} and refs.past(first, {}) == {}
    assert refs.gone(first, state) == {"b"}, "nor forgotten"
    git(top, "merge", "-q", "-m", "back", apart)
    assert refs.gone(world.main, state) == set() and not refs.past(world.main, path)["b"].lost


def landed(name: str, oid: str, number: int) -> Task:
    spec = replace(SPEC, id=name)
    return Task(spec, Status.LANDED, "", FILE, number, 0, commit=oid, checkpoint=f"checkpoint/2026-01-01-{number:03}")


def test_a_base_is_held_until_it_is_released(world: World) -> None:
    refs = GitRefs(world.open(), "main")
    first, second = world.main, commit(world.top, {"x": "x"})
    for base in (first, first, second):
        refs.keep("a", base)
    refs.keep("b", first)
    assert refs.kept() == GitRefs(world.open(), "main").kept() == {"a", "b"}
    assert git(world.top, "rev-parse", "refs/orch/keep/a") == second
    refs.release(["a", "nobody"])
    refs.release(["a"])
    assert refs.kept() == GitRefs(world.open(), "main").kept() == {"b"}


def test_a_move_compares_and_a_creation_is_create_only(world: World) -> None:
    refs = world.open().refs
    first, second = world.main, commit(world.top, {"x": "x"})
    assert refs.move("refs/orch/x", "", first)
    assert not refs.move("refs/orch/x", "", second)
    assert not refs.move("refs/orch/x", second, first)
    assert refs.move("refs/orch/x", first, second)
    assert refs.read("refs/orch/x") == second
    refs.delete(["refs/orch/x", "refs/orch/y"])
    assert refs.read("refs/orch/x") == ""


def test_a_name_below_another_is_an_error_and_no_endless_wait(world: World) -> None:
    refs = world.open().refs
    refs.force("refs/orch/x", world.main)
    with pytest.raises(GitError, match="cannot move refs/orch/x/y"):
        refs.move("refs/orch/x/y", "", world.main)


def test_the_words_for_a_held_lock_are_those_of_the_library(world: World) -> None:
    (world.top / ".git/refs/orch").mkdir()
    (world.top / ".git/refs/orch/x.lock").touch()
    library = world.open().library
    with pytest.raises(pygit2.GitError) as caught, library.transaction() as change:
        change.lock_ref("refs/orch/x")
    assert ref_store.HELD_LOCK.search(str(caught.value))


def test_a_stale_lock_of_ours_is_removed_while_waiting_and_a_foreign_one_is_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ref_store, "STALE_SECONDS", 0.02)
    monkeypatch.setattr(locks, "STALE_SECONDS", 0.02)
    monkeypatch.setattr(ref_store, "RACE_RETRY_SECONDS", 0.2)
    refs = world.open().refs
    (world.top / ".git/refs/orch").mkdir()
    for name in ("refs/orch/x", "refs/heads/main"):
        (world.top / f".git/{name}.lock").touch()
    assert refs.move("refs/orch/x", "", world.main)
    with pytest.raises(GitError, match="lock") as caught:
        refs.move("refs/heads/main", world.main, world.main)
    assert "refs/heads/main.lock" in caught.value.hint


def test_the_sweep_takes_only_our_old_locks_that_nobody_has_open(world: World) -> None:
    folder = world.top / ".git"
    names = [
        "refs/orch/save/a.lock",
        "refs/heads/session/s/task/t.lock",
        "refs/heads/main.lock",
        "refs/orch/live.lock",
        "refs/orch/young.lock",
    ]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        if "young" not in name:
            os.utime(folder / name, (time.time() - 60, time.time() - 60))
    with (folder / "refs/orch/live.lock").open():
        swept = sweep_locks(folder)
    assert sorted(str(lock.relative_to(folder)) for lock in swept) == sorted(names[:2])
    assert [name for name in names if (folder / name).exists()] == names[2:]


def test_a_lock_from_the_future_is_as_stale_as_one_from_the_past(tmp_path: Path) -> None:
    lock = tmp_path / "x.lock"
    lock.touch()
    os.utime(lock, (time.time() + 3600, time.time() + 3600))
    assert locks.remove_stale([lock]) == (lock,)
    assert not lock.exists()


def test_a_repository_that_cannot_be_served_is_refused_at_the_start(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "sha256")
    with pytest.raises(ConfigError, match="SHA-256"):
        open_repo(find_place(tmp_path / "sha256"))
    git(world.top, "config", "core.repositoryFormatVersion", "1")
    with (world.top / ".git/config").open("a") as out:
        out.write("[extensions]\n\trefStorage = reftable\n")
    with pytest.raises(ConfigError, match="reftable"):
        open_repo(world.place)
    monkeypatch.setattr(git_repo, "OLDEST_GIT", (99, 0))
    with pytest.raises(ConfigError, match="too old"):
        open_repo(replace(world.place))


def test_open_files_are_listed_while_processes_come_and_go(tmp_path: Path) -> None:
    churn = subprocess.Popen(["sh", "-c", "for n in $(seq 2000); do true & done; wait"])
    try:
        with (tmp_path / "held").open("w") as held:
            assert all(held.name in locks.open_files() for _ in range(30))
    finally:
        churn.kill()
        churn.wait()
