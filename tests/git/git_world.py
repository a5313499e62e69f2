"""A real repository in a folder, and short ways to make commits, results and saves in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchd.adapters import evidence
from orchd.adapters.airlock import GitAirlock
from orchd.adapters.codec import dumps, encode
from orchd.adapters.git_repo import GitRepo, open_repo
from orchd.adapters.git_saves import GitSaves
from orchd.adapters.place import Place, find_place
from orchd.model.claim import Lease, PathSpec
from orchd.model.config import Config
from orchd.model.run import AdmitOrder, CommandResult, Exit, Outcome, Returned
from orchd.model.save import Gate, GateResult, Save, SaveItem, SaveStep, Verdict

DATE_MS = 1_700_000_000_123
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
}
GATES = (Gate("tests", "true"),)


def git(folder: Path, *arguments: str, stdin: str = "", env: dict[str, str] | None = None) -> str:
    """What a person's git says."""
    environment = os.environ | (env or {})
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.rstrip("\n")


def write(folder: Path, files: dict[str, str | bytes | None]) -> None:
    """Write files; None removes one."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(folder: Path, files: dict[str, str | bytes | None], message: str = "change") -> str:
    """A commit of these files in a work tree; its id."""
    write(folder, files)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


@dataclass
class World:
    """A repository with one commit on main, and a clone in which tasks are done."""

    top: Path
    work: Path
    place: Place
    fences: dict[str, int | None] = field(default_factory=dict)
    claims: dict[str, tuple[PathSpec, ...]] = field(default_factory=dict)

    @property
    def main(self) -> str:
        return git(self.top, "rev-parse", "refs/heads/main")

    def open(self) -> GitRepo:
        return open_repo(self.place)

    def saves(self) -> GitSaves:
        return GitSaves(self.open(), "main", self.lease_of)

    def fence_of(self, task: str) -> int | None:
        """These worlds have no state; here is what it would say about the leases."""
        return self.fences.get(task, 0)

    def lease_of(self, task: str) -> Lease | None:
        """Likewise; the claim is everything, where a test says nothing else."""
        fence = self.fence_of(task)
        return None if fence is None else Lease(task, "me", 1, self.claims.get(task, (PathSpec("**"),)), 1, fence=fence)

    def branch_tip(self, files: dict[str, str | bytes | None], base: str = "") -> str:
        """A commit on `base` (default: main) whose objects are in the repository, as after the airlock."""
        tip = self.work_tip(files, base)
        git(self.top, "fetch", "-q", str(self.work), f"+HEAD:refs/attic-of-test/{tip}")
        return tip

    def work_tip(self, files: dict[str, str | bytes | None], base: str = "") -> str:
        git(self.work, "fetch", "-q", "origin")
        git(self.work, "checkout", "-q", "--detach", base or self.main)
        return commit(self.work, files)

    def pack(self, run: str, tip: str, base: str, *options: str) -> Path:
        """The result of a run, as a collector leaves it."""
        pack = evidence.result_pack(self.place, run)
        pack.parent.mkdir(parents=True, exist_ok=True)
        argv = ["git", "pack-objects", "--revs", "--stdout", "-q", *options]
        with pack.open("wb") as out:
            subprocess.run(argv, cwd=self.work, input=f"{tip}\n^{base}\n".encode(), stdout=out, check=True)
        return pack

    def leave_exit(self, run: str, ended: Exit) -> None:
        folder = evidence.run_folder(self.place, run)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "exit.json").write_bytes(dumps(encode(ended)))

    def admit(
        self, run: str, tip: str, *, base: str | None = None, claims: tuple[str, ...] = ("**",), accept: bool = True
    ) -> Returned:
        self.leave_exit(run, Exit(Outcome.EXITED, (CommandResult("run", 0, 0.1),), tip))
        return self.judge(run, self.main if base is None else base, tuple(map(PathSpec, claims)), accept=accept)

    def judge(self, run: str, base: str, claims: tuple[PathSpec, ...], *, accept: bool = True, start: str = "") -> Returned:
        order = AdmitOrder(run, "default", run.split(".")[0], base, claims, accept, start=start)
        GitAirlock(self.open(), "main", self.fence_of).admit(order, Config())
        returned = evidence.read_returned(self.place, run)
        assert returned is not None
        return returned

    def plan(self, *tips: str, gates: tuple[Gate, ...] = GATES) -> Save:
        items = tuple(SaveItem(f"t{number}", 1, 1, tip) for number, tip in enumerate(tips, 1))
        return Save("0123456789abcdef", "default", self.main, items, gates, 7, DATE_MS)

    def gated(self, saves: GitSaves, save: Save) -> Save:
        """The save after merging and green gates on the whole chain."""
        saves.merge(save, titles(save))
        seen = saves.look(save, self.main).chain
        assert seen is not None
        lands = len(seen.chain)
        verdict = Verdict(lands, green=True, results=(GateResult("tests", True, 0, 1.25),))
        return replace(
            save,
            step=SaveStep.GATED,
            base_tree=seen.base_tree,
            chain=seen.chain,
            excluded=seen.excluded,
            verdicts=(verdict,),
            lands=lands,
        )

    def landed(self, saves: GitSaves, save: Save) -> Save:
        saves.land(save, titles(save))
        commit_id = saves.look(save, self.main).landed
        assert commit_id
        return replace(save, step=SaveStep.LANDED, commit=commit_id)


def titles(save: Save) -> tuple[str, ...]:
    return tuple(f"Do {item.task}" for item in save.items)


class Templates:
    """Repositories that are made once and copied for each test, because copying is ten times quicker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, folder: Path, *, bare: bool = False) -> World:
        made = self._folder / ("bare" if bare else "normal")
        if not made.exists():
            _make(made, bare=bare)
        for name in ("main", "work"):
            shutil.copytree(made / name, folder / name, symlinks=True)
        config = folder / "work/.git/config"
        config.write_text(config.read_text().replace(str(made), str(folder)))
        if not bare:
            git(folder / "main", "update-index", "-q", "--refresh")
        return World(folder / "main", folder / "work", find_place(folder / "main"))


def _make(folder: Path, *, bare: bool) -> None:
    start = folder / "start"
    start.mkdir(parents=True)
    git(start, "init", "-q", "-b", "main")
    commit(start, {"a.txt": "one\ntwo\nthree\n", "src/b.txt": "b\n", "gone.txt": "gone\n"})
    git(folder, "clone", "-q", *(["--bare"] if bare else []), str(start), str(folder / "main"))
    git(folder, "clone", "-q", str(folder / "main"), str(folder / "work"))
