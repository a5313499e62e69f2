"""A repository, tasks in it, and the real command line in a process of its own: what the stories are told with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 30.0
PERSON = {
    "GIT_AUTHOR_NAME": "Person",
    "GIT_AUTHOR_EMAIL": "person@example.org",
    "GIT_COMMITTER_NAME": "Person",
    "GIT_COMMITTER_EMAIL": "person@example.org",
}


def environment(home: Path) -> dict[str, str]:
    """One that does not depend on this machine."""
    fixed = {
        "HOME": str(home),
        "XDG_STATE_HOME": str(home / "state"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "NO_COLOR": "1", **fixed, **PERSON}


@dataclass
class Repo:
    """A repository under test. `top` is the checkout, or the repository itself when it is bare."""

    top: Path
    env: dict[str, str]
    bare: bool = False

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.top, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout.strip()

    def write(self, path: str, text: str) -> Path:
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def commit(self, message: str = "by a person", **files: str) -> str:
        for path, text in files.items():
            self.write(path.replace("__", "/").replace("_dot_", "."), text)
        self.git("add", "-A")
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")

    def task(self, name: str, run: str, **keys: object) -> Path:
        lines = [
            f"title: do {name}",
            f"run: {json.dumps(run)}",
            *(f"{key}: {json.dumps(value)}" for key, value in keys.items()),
        ]
        return self.write(f".orch/tasks/{name}.yaml", "\n".join(lines) + "\n")

    def orchd(self, *arguments: str, code: int | None = 0, timeout: float = 90) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "orchd", *arguments],
            cwd=self.top,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + (done.stderr if code is None or code != 0 else "")

    @property
    def said(self) -> str:
        """What processes begun by `start` have said."""
        return (self.top.parent / "said.log").read_text()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.top.parent / "said.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "orchd", *arguments],
                cwd=self.top,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def data(self, *arguments: str) -> object:
        return json.loads(self.orchd(*arguments, "--json"))["data"]

    def status(self, task: str) -> str:
        return str(self.data("show", task)["status"])  # type: ignore[index]

    def main_files(self) -> set[str]:
        return set(self.git("ls-tree", "-r", "--name-only", "main").splitlines())

    def checkpoints(self) -> list[str]:
        return self.git("tag", "--list", "checkpoint/*").splitlines()


def make_repo(folder: Path, *, bare: bool = False) -> Repo:
    top = folder / ("project.git" if bare else "project")
    env = environment(folder)
    if bare:
        seed = make_repo(folder / "seed")
        subprocess.run(["git", "clone", "-q", "--bare", str(seed.top), str(top)], env=env, check=True)
        return Repo(top, env, bare=True)
    top.mkdir(parents=True)
    repo = Repo(top, env)
    repo.git("init", "-q", "-b", "main")
    repo.write("README.md", "# project\n")
    repo.write("src/a.txt", "one\ntwo\nthree\n")
    repo.write("src/b.txt", "b\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "first")
    return repo


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.02)
