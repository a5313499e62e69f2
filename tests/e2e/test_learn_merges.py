"""`orchd init --learn-merges` makes the repository's own merges again and switches on what makes what people made."""

from __future__ import annotations

from stories import Repo

from orchd.model.limits import LESSON_FILES


def merge(repo: Repo, files: int, *, as_expected: bool) -> None:
    """People merge lines that touch, in so many files, in the usual way or in another."""
    names = [f"f{number}.txt" for number in range(files)]
    repo.commit("base", **dict.fromkeys(names, "one\ntwo\n"))
    repo.git("checkout", "-qb", "side")
    repo.commit("theirs", **dict.fromkeys(names, "one\nTWO\n"))
    repo.git("checkout", "-q", "main")
    repo.commit("ours", **dict.fromkeys(names, "ONE\ntwo\n"))
    repo.git("merge", "-q", "side", check=False)
    repo.commit("merge by a person", **dict.fromkeys(names, f"ONE\n{'TWO' if as_expected else 'Two'}\n"))
    repo.git("branch", "-qD", "side")


def test_what_comes_out_as_people_made_it_is_switched_on(repo: Repo) -> None:
    merge(repo, LESSON_FILES, as_expected=True)
    lessons = {row["recipe"]: row for row in repo.data("init", "--learn-merges")}
    assert (lessons["adjacent"]["files"], lessons["adjacent"]["same"], lessons["adjacent"]["automatic"]) == (20, 20, True)
    assert not lessons["imports"]["automatic"] and "0 file(s) to learn from" in lessons["imports"]["why"]
    config = (repo.top / ".orch/config.yaml").read_text()
    assert (
        "  automatic: [adjacent, tokens]\n" in config and "# imports: off, 0 file(s) to learn from; 20 are needed\n" in config
    )
    repo.orchd("check")


def test_what_does_not_is_switched_off_and_the_numbers_say_so(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "# mine\nconflicts:\n  automatic: [adjacent]\n")
    merge(repo, LESSON_FILES, as_expected=False)
    told = repo.orchd("init", "--learn-merges")
    assert "adjacent\t20\t0\tno\t0 of 20 files came out as people made them; 95% are needed" in told
    assert (repo.top / ".orch/config.yaml").read_text() == "# mine\nconflicts:\n  automatic: []\n"


def test_a_repository_without_merges_says_so_and_keeps_its_configuration(repo: Repo) -> None:
    repo.write(".orch/config.yaml", "conflicts:\n  automatic: [adjacent]\n")
    repo.commit("a configuration")
    before = repo.git("count-objects", "-v")
    told = repo.orchd("init", "--learn-merges", code=None)
    assert "there are no merges of people to learn from" in told
    assert (repo.top / ".orch/config.yaml").read_text() == "conflicts:\n  automatic: [adjacent]\n"
    assert repo.git("count-objects", "-v") == before, "the repository is only read"


def test_merges_that_orchd_made_teach_nothing(repo: Repo) -> None:
    repo.task("a", "echo a > a", claims=["a"])
    repo.task("b", "echo b > b", claims=["b"])
    repo.orchd("run")
    assert repo.git("rev-list", "--merges", "main")
    assert "there are no merges of people to learn from" in repo.orchd("init", "--learn-merges", code=None)
