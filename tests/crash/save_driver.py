"""Plays one save with something going wrong at one point after another. Run as a program of its own.

usage: save_driver.py FOLDER INJECTOR [VARIANT]

The save: four results are ready in a bare repository; two can land, one turns the gates red, one conflicts. A point is one
moment of the save. INJECTOR says what happens there:

    kill    orchd is killed (SIGKILL) just before or just after an effect of a port
    refs    orchd is killed inside git's library, before or after a transaction on refs (its lock files stay)
    push    somebody else moves main
    both    somebody else moves main, and orchd is killed at the same effect

Afterwards orchd is started once more, and the promises are checked. VARIANT breaks orchd on purpose: then the driver looks for
the first point at which a promise does not hold. Exit code 0: every point was visited; 3: a promise did not hold.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from driver import Crashing, Silent, check_processes, in_child, replayed
from pygit2.transaction import ReferenceTransaction
from stories import Repo, environment, make_repo

from orchd import app, assembly
from orchd.adapters.leadership import take_leadership
from orchd.core import planner
from orchd.engine import reconcile
from orchd.engine.bell import Bell
from orchd.engine.reconcile import Reconciler

EFFECTS = {
    "store": {"commit"},
    "intents": {"forget"},
    "runs": {"start", "discard"},
    "saves": {"merge", "land", "publish", "forget"},
    "results": {"keep"},
    "lines": {"place"},
}
EXPECTED = {"one": "landed", "two": "landed", "red": "failed", "clash": "held"}

VARIANTS = {
    "main-is-moved-without-looking": """
from dataclasses import replace
from orchd.adapters.git_saves import GitSaves
from orchd.adapters.ref_store import RefStore
def set_blindly(self, name, old, new, reflog):
    with self.library.transaction() as change:
        change.lock_ref(name)
        change.set_target(name, new, message=reflog or None)
    return True
def land(self, save, titles, bid=None):
    journal = self._journals.find(save)
    sealed = journal.record.sealed or self._seal(journal, save, titles)
    RefStore._compare_and_set = set_blindly
    self._move.move(save.base, sealed, "land")
    self.publish(replace(save, commit=sealed))
GitSaves.land = land
""",
    "only-who-landed-knows-it": """
from dataclasses import replace
from orchd.adapters.git_saves import GitSaves
known, look, land = set(), GitSaves.look, GitSaves.land
GitSaves.look = lambda self, save, main: (
    look(self, save, main) if save.commit or save.id in known else replace(look(self, save, main), landed="")
)
GitSaves.land = lambda self, save, *more: (known.add(save.id), land(self, save, *more))[1]
""",
    "the-tag-is-not-looked-for": """
from orchd.adapters.git_saves import GitSaves
GitSaves._is_published = lambda self, save, commit: True
""",
    "stale-locks-stay": """
from orchd import assembly
from orchd.adapters import locks, ref_store
assembly.sweep_locks = lambda *_: None
locks.STALE_SECONDS = ref_store.STALE_SECONDS = 1e9
""",
    "the-gated-tree-lands-on-another-base": """
from dataclasses import replace
from orchd.adapters.git_saves import GitSaves
from orchd.core.wording import word_checkpoint
def land(self, save, titles, bid=None):
    journal, link = self._journals.find(save), save.chain[save.lands - 1]
    main, message = self._repo.refs.read("refs/heads/main"), word_checkpoint(save, titles, "0")
    sealed = self._repo.write_commit(link.tree, [main, link.head], message, save.date_ms)
    self._journals.record_sealed(journal, sealed)
    self._move.move(main, sealed, "land")
    self.publish(replace(save, commit=sealed))
GitSaves.land = land
""",
}
"""Broken on purpose: what is executed before orchd begins. Each breaks one rule of the save."""

LIMIT_SECONDS = 30


def make_template(folder: Path) -> Path:
    """A bare repository in which all four results are ready and the session has just been resumed."""
    os.environ.update(environment(folder))
    seed = make_repo(folder / "seed")
    seed.write(".orch/config.yaml", 'parallel: 4\ngates: [{name: no-bad, run: "! test -e bad", retries: 0}]\n')
    seed.task("one", "echo 1 >> src/a.txt", claims=[{"path": "src/a.txt", "mode": "append"}])
    seed.task("two", "echo 2 > two.txt", claims=["two.txt"])
    seed.task("red", "touch bad", claims=["bad"])
    seed.task("clash", "echo 9 >> src/a.txt", claims=[{"path": "src/a.txt", "mode": "append"}])
    seed.git("add", "-Af")
    seed.git("commit", "-qm", "tasks")
    top = folder / "template.git"
    seed.git("clone", "-q", "--bare", str(seed.top), str(top))
    place = app.find(top)
    assert in_child(lambda: run_until_ready(top)) == 0
    found = {name: task.status.value for name, task in app.read_all(place).tasks.items()}
    assert found == dict.fromkeys(EXPECTED, "ready"), found
    return top


def run_until_ready(top: Path) -> None:
    """The loop without its stage that begins saves."""
    planner.STAGES = tuple(stage for stage in planner.STAGES if stage is not planner.begin_save)
    reconcile.is_idle = lambda state, _: {"ready"} == {task.status.value for task in state.tasks.values()}
    run_loop(top, lambda: None, kind="kill")


def run_loop(top: Path, reach: Callable[[], None], kind: str) -> None:
    """The loop until idle, in this process."""
    place = app.find(top)
    if kind == "refs":
        real = ReferenceTransaction.commit

        def commit(self: ReferenceTransaction) -> None:
            reach()
            real(self)
            reach()

        ReferenceTransaction.commit = commit
    bell, leader = Bell(), take_leadership(place)
    with assembly.open_ports(place, leader, Silent(), bell.ring) as ports:
        effects = {} if kind == "refs" else EFFECTS
        doomed = {name: Crashing(getattr(ports, name), calls, reach) for name, calls in effects.items()}
        reconciler = Reconciler(dataclasses.replace(ports, **doomed), bell)
        reconciler.lead()
        reconciler.run(until_idle=True)
    leader.release()


def injected(top: Path, kind: str, point: int | None) -> Callable[[], None]:
    """What is called at each moment of the save."""
    counter = itertools.count()

    def reach() -> None:
        if next(counter) != point:
            return
        if kind in ("push", "both"):
            push(top)
        if kind != "push":
            os.kill(os.getpid(), signal.SIGKILL)
        (top / "reached").touch()

    return reach


def push(top: Path) -> None:
    """A commit of a stranger on main, as `git push` brings it."""
    repo = Repo(top, dict(os.environ), bare=True)
    main = repo.git("rev-parse", "main")
    entries = repo.git("ls-tree", "main") + f"\n100644 blob {repo.git('rev-parse', 'main:README.md')}\tforeign.txt\n"
    made = subprocess.run(["git", "mktree"], cwd=top, input=entries, capture_output=True, text=True, check=True)
    commit = repo.git("commit-tree", made.stdout.strip(), "-p", main, "-m", "by a stranger")
    (top / "foreign").write_text(commit)
    repo.git("update-ref", "refs/heads/main", commit, main)


def check(top: Path) -> None:
    """The promises."""
    repo, place = Repo(top, dict(os.environ), bare=True), app.find(top)
    state = app.read_all(place)
    found = {name: task.status.value for name, task in state.tasks.items()}
    swapped = {**EXPECTED, "one": "held", "clash": "landed"}
    assert found in (EXPECTED, swapped), found
    fsck = repo.git("fsck", "--full", "--no-dangling")
    assert "error" not in fsck and "missing" not in fsck, fsck
    assert not repo.git("for-each-ref", "refs/orch/save", "refs/orch/keep"), "journals and keep refs are gone"
    files = repo.main_files()
    assert "two.txt" in files and "bad" not in files, files
    if (top / "foreign").exists():
        assert repo.git("merge-base", "--is-ancestor", (top / "foreign").read_text(), "main") == ""
        assert "foreign.txt" in files, "a stranger's commit was lost"
    check_chain(repo)
    assert replayed(place) == state, "the log replays to the state"
    assert not list(place.workspaces.glob("*")), "every workspace is gone"
    check_processes(repo)


def check_chain(repo: Repo) -> None:
    """Each task is merged once, each checkpoint has one tag and its notes, no red tree was ever on main."""
    landed = []
    for commit in repo.git("rev-list", "--first-parent", "main").split():
        assert not repo.git("ls-tree", commit, "bad"), "a red tree was on main"
        tasks = repo.git("show", "-s", "--format=%(trailers:key=Orch-Task,valueonly)", commit).split("\n")
        names = [line.split()[0] for line in tasks if line.strip()]
        tags = repo.git("tag", "--points-at", commit).splitlines()
        assert len(tags) == bool(names), (commit, tags, names)
        assert not names or repo.git("notes", "--ref", "orch/audit", "show", commit)
        landed += names
    assert sorted(landed) in (["one", "two"], ["clash", "two"]), landed
    repo_main = repo.git("show", "main:src/a.txt").splitlines()
    assert len(repo_main) == 4, repo_main


def play(template: Path, home: Path, kind: str, point: int, variant: str) -> str:
    """What went wrong at a point; empty: nothing. `end`: the save was over before it."""
    shutil.copytree(template, top := home / "p.git", symlinks=True)
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    spoil = VARIANTS.get(variant, "")

    def first() -> None:
        exec(spoil, {})
        run_loop(top, injected(top, kind, point), kind)

    def again() -> None:
        exec(spoil, {})
        run_loop(top, lambda: None, "kill")

    ended = in_child(first)
    if ended not in (0, -signal.SIGKILL):
        return f"it ended with {ended}"
    if ended == 0 and not (top / "reached").exists():
        return "end"
    (top / "reached").unlink(missing_ok=True)
    if in_child(again) != 0:
        return "the restart failed"
    return "" if in_child(lambda: check(top)) == 0 else "a promise did not hold"


def main(folder: Path, kind: str, variant: str = "") -> int:
    os.environ.update(environment(folder))
    template = make_template(folder)
    for point in itertools.count():
        home = folder / f"p{point}"
        home.mkdir()
        wrong = play(template, home, kind, point, variant)
        if wrong == "end":
            print(f"{point} points")
            return 0
        if wrong:
            print(f"point {point}: {wrong}")
            return 3
        shutil.rmtree(home, ignore_errors=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
