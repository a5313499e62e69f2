"""Whatever did not land can be found and taken out again, without touching anything else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from stories import Repo


def entries(repo: Repo) -> list[dict[str, object]]:
    return repo.data("attic", "list")  # type: ignore[return-value]


@pytest.fixture(params=["checkout", "bare"])
def used(request: pytest.FixtureRequest, repo: Repo, bare: Repo) -> Repo:
    """One result failed, one strayed, one left commits besides its result."""
    home = repo
    if request.param == "bare":
        home = Repo(bare.top.parent / "clone", bare.env)
        bare.git("clone", "-q", str(bare.top), str(home.top))
    home.task("broken", "echo one > half; exit 3", claims=["half"])
    home.task("stray", "echo x > out", claims=["src/**"])
    home.task("stashed", "echo s > src/s; git stash -qu; echo n > src/n", claims=["src/**"])
    home.commit("work to do")
    if home is repo:
        repo.orchd("run", code=6)
        return repo
    home.git("push", "-q", "origin", "main")
    bare.orchd("run", code=6)
    return bare


def test_the_list_says_what_was_put_away_when_why_and_how_large(used: Repo) -> None:
    found = {(one["task"], one["number"]): one for one in entries(used)}
    assert set(found) == {("broken", 1), ("stashed", 1), ("stray", 1)}
    assert [found[name, 1]["why"] for name in ("broken", "stray")] == ["failed: exit", "held: claim"]
    assert found["stashed", 1]["why"] == "What the task committed besides its result"
    assert found["stashed", 1]["what"].startswith("WIP on task: ")
    for one in found.values():
        assert used.git("rev-parse", one["place"]) and one["size_bytes"] > 50 and one["at"]
    assert len(used.orchd("attic", "list").splitlines()) == 3


def test_an_entry_is_restored_beside_the_repository_and_nothing_else_moves(used: Repo) -> None:
    before = used.git("for-each-ref"), used.git("status", "--porcelain", check=False)
    made = used.data("attic", "restore", "broken")
    folder = Path(made["folder"])
    assert folder.parent == used.top.parent and (folder / "half").read_text() == "one\n"
    assert any("git worktree remove" in step for step in made["next"])
    assert (used.git("for-each-ref"), used.git("status", "--porcelain", check=False)) == before
    head = subprocess.run(["git", "status"], cwd=folder, env=used.env, capture_output=True, text=True, check=True).stdout
    assert "Not currently on any branch" in head and "nothing to commit" in head
    again = used.orchd("attic", "restore", "broken/1", code=2)
    assert "exists already" in again and "--into" in again


@pytest.mark.slow
def test_a_folder_may_be_named_when_it_is_empty_and_outside_the_checkout(repo: Repo, tmp_path: Path) -> None:
    repo.task("broken", "echo one > half; exit 3", claims=["half"])
    repo.orchd("run", code=1)
    repo.task("broken", "echo two > half; exit 3", claims=["half"])
    repo.orchd("run", code=1)
    (tmp_path / "empty").mkdir()
    repo.orchd("attic", "restore", "broken/1", "--into", str(tmp_path / "empty"))
    assert (tmp_path / "empty/half").read_text() == "one\n"
    newest = repo.data("attic", "restore", "broken", "--into", str(tmp_path / "new"))
    assert newest["ref"] == "refs/orch/attic/broken/2" and (tmp_path / "new/half").read_text() == "two\n"
    inside = repo.orchd("attic", "restore", "broken", "--into", "here", code=2)
    assert "inside your checkout" in inside and not (repo.top / "here").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("mine\n")
    assert "exists already" in repo.orchd("attic", "restore", "broken", "--into", str(tmp_path / "full"), code=2)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
    for wrong in ("broken/9", "nobody", "a/b/c"):
        assert "attic" in repo.orchd("attic", "restore", wrong, code=2)


def test_what_a_repair_put_away_from_a_checkout_is_restored_as_a_file(repo: Repo, tmp_path: Path) -> None:
    blob = repo.git("hash-object", "-w", "README.md")
    repo.git("update-ref", "refs/orch/attic/checkout/1", blob)
    [one] = entries(repo)
    assert (one["task"], one["why"]) == ("checkout", "replaced in your checkout by a repair")
    repo.orchd("attic", "restore", "checkout", "--into", str(tmp_path / "out"))
    assert (tmp_path / "out/content").read_text() == "# project\n"


def test_workspaces_that_are_kept_are_listed_with_their_reason_and_folder(repo: Repo) -> None:
    repo.task(
        "nested",
        "git init -q inner; cd inner; echo x > f; git add f; git -c user.name=a -c user.email=a@b commit -qm x",
        claims=["inner"],
    )
    repo.task("ruined", "echo x > src/new; rm -rf .git", claims=["src/**"])
    repo.orchd("run", code=1)
    found = {one["task"]: one for one in entries(repo) if one["number"] is None}
    assert set(found) == {"nested", "ruined"}
    assert "a repository inside it" in found["nested"]["why"] and (Path(found["nested"]["place"]) / "inner/f").exists()
    assert (
        "its .git was replaced or removed" in found["ruined"]["why"] and (Path(found["ruined"]["place"]) / "src/new").exists()
    )
    assert any("`orchd attic list`" in line for line in repo.data("show", "ruined")["detail"])
    repo.git("update-ref", "-d", "refs/orch/state")
    repo.orchd("run", code=None)
    again = [one for one in entries(repo) if one["why"] == "of a state that was deleted"]
    assert {one["task"] for one in again} == {"nested", "ruined"}


def test_an_empty_attic_says_so(repo: Repo) -> None:
    assert json.loads(repo.orchd("attic", "list", "--json"))["data"] == []
