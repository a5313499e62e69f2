"""What gets past the airlock all the same is found before it lands: a person is asked, and the rest lands."""

from __future__ import annotations

import subprocess
import sys

from stories import Repo

BLIND = (
    "import runpy, orchd.adapters.airlock as airlock; airlock.judge = lambda *_: ();"
    "runpy.run_module('orchd', run_name='__main__')"
)
"""An orchd whose airlock lets everything in."""


def test_what_got_past_the_airlock_is_asked_about_and_everything_else_lands(repo: Repo) -> None:
    repo.task("good", "echo good > src/good.txt", claims=["src/good.txt"])
    repo.task("stray", "echo in > src/in.txt; echo out > out.txt", claims=["src/in.txt"])
    argv = [sys.executable, "-c", BLIND, "run"]
    done = subprocess.run(argv, cwd=repo.top, env=repo.env, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, repo.status("good"), repo.status("stray")) == (6, "landed", "held"), done.stdout + done.stderr
    assert "src/good.txt" in repo.main_files()
    assert "out.txt" not in repo.main_files()
    assert repo.data("answer", "stray")["outside"] == ["added out.txt"]  # type: ignore[index]
    repo.orchd("answer", "stray", "--drop")
    repo.orchd("run")
    assert {"src/in.txt", "src/good.txt"} <= repo.main_files()
    assert "out.txt" not in repo.main_files()
    repo.orchd("verify")
