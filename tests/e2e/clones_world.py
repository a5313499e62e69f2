"""Two clones of one bare repository, each with a daemon of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from stories import Repo, environment, make_repo

from orchd import app

TAKEOVER = "5s"
"""Long enough for a busy machine: an owner that is only slow must not lose its session."""
LONG = "60s"


@dataclass
class Clone(Repo):
    """One clone; its daemon and what that said."""

    daemon: subprocess.Popen[bytes] | None = None

    def serve(self) -> subprocess.Popen[bytes]:
        self.daemon = self.start("daemon")
        return self.daemon

    def kill(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def stop(self) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            self.daemon.terminate()
            assert self.daemon.wait(40) == 0, self.said

    def statuses(self) -> dict[str, str]:
        return {name: task.status.value for name, task in app.read_all(app.find(self.top)).tasks.items()}


@dataclass
class Family:
    """The bare repository, a person who pushes to it, and the clones with daemons."""

    bare: Repo
    person: Repo
    clones: list[Clone] = field(default_factory=list)

    def push(self) -> None:
        """The person's new commits, after taking in what landed."""
        self.person.git("pull", "-q", "--rebase", "origin", "main")
        self.person.git("push", "-q", "origin", "main")

    def remote_main(self) -> str:
        return self.bare.git("rev-parse", "main")

    def subjects(self) -> list[str]:
        return self.bare.git("log", "--format=%s", "--first-parent", "main").splitlines()

    def landed(self) -> list[str]:
        """The token of every task that landed on the remote's main, in order."""
        said = self.bare.git("log", "--first-parent", "--format=%(trailers:key=Orch-Task,valueonly)", "main")
        return [line.split(" ")[0] for line in said.splitlines() if line]

    def stop(self) -> None:
        for clone in self.clones:
            clone.stop()


def make_family(folder: Path, takeover: str = TAKEOVER) -> Family:
    """Two clones that take over from each other after `takeover`."""
    seed = make_repo(folder / "seed")
    seed.write(".orch/config.yaml", f"remote: origin\ntakeover: {takeover}\ndrain: 5s\n")
    seed.commit("configure")
    bare = folder / "shared.git"
    env = environment(folder)
    subprocess.run(["git", "clone", "-q", "--bare", str(seed.top), str(bare)], env=env, check=True)
    family = Family(Repo(bare, env, bare=True), _clone(bare, folder / "person", Repo))
    family.clones = [_clone(bare, folder / f"clone{at}", Clone) for at in range(2)]
    return family


def _clone(bare: Path, folder: Path, kind: type[Repo]) -> Repo:
    top, env = folder / "project", environment(folder)
    folder.mkdir()
    subprocess.run(["git", "clone", "-q", str(bare), str(top)], env=env, check=True)
    return kind(top, env)
