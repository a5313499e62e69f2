"""Two tasks that both add a migration run at the same time and land with different numbers; a person adds one meanwhile."""

from __future__ import annotations

from stories import Repo, wait_until


def test_two_tasks_and_a_person_add_migrations_at_the_same_time(repo: Repo) -> None:
    repo.write("app/migrations/0007_old.py", "old\n")
    repo.commit("a migration that was there")
    meet = repo.top.parent / "meet"
    meet.mkdir()
    for name in ("users", "orders"):
        line = f"touch {meet}/$ORCHD_TASK; until [ -e {meet}/go ]; do sleep 0.01; done"
        line += "; grep -q $ORCHD_MIGRATION $ORCHD_CONTROL/*.md"
        path = f"app/migrations/${{ORCHD_MIGRATION}}_{name}.py"
        repo.task(
            name, f"{line} && echo {name} > {path}", claims=[f"app/migrations/*_{name}.py", {"migration": "next"}], timeout=60
        )
    run = repo.start("run")
    wait_until(lambda: len(list(meet.iterdir())) == 2, "both run at the same time")
    person = repo.orchd("number", "migration").strip()
    repo.commit("by a person", **{f"app__migrations__{person}_person_dot_py": "person\n"})
    (meet / "go").touch()
    assert run.wait(90) == 0, repo.said
    names = {name.rpartition("/")[2] for name in repo.main_files() if "migrations/" in name}
    numbers = {name.partition("_")[2]: name.partition("_")[0] for name in names}
    assert numbers["old.py"] == "0007" and numbers["person.py"] == person == "0010"
    assert {numbers["users.py"], numbers["orders.py"]} == {"0008", "0009"}
    repo.write("app/migrations/0020_by_hand.py", "a person did not ask\n")
    repo.commit("by hand")
    assert repo.orchd("number", "migration", "--for", "release").strip() == "0021"
    assert repo.orchd("number", "migration", "--for", "release").strip() == "0021"
    assert repo.data("number", "migration", "--for", "x") == {"kind": "migration", "number": "0022", "holder": "x"}


def test_a_retry_keeps_its_number_and_a_failed_task_never_gives_it_back(repo: Repo) -> None:
    flag = repo.top.parent / "flag"
    repo.task("one", f"echo 1 > m/$ORCHD_STEP; mkdir {flag} || exit 0; exit 3", claims=["m/*", {"step": "next"}])
    repo.write("m/keep", "")
    repo.commit("a folder")
    repo.orchd("run", code=1)
    assert repo.orchd("number", "step").strip() == "0002"
    repo.orchd("retry", "one")
    repo.orchd("run")
    assert "m/0001" in repo.main_files()
