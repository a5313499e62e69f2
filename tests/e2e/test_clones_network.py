"""Two daemons in two network namespaces: a cut cable is silence, not an error. Needs the right to make namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clones_world import Clone, Family, make_family
from stories import wait_until

NET = "10.213.{at}."
PORT = 9432


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@dataclass
class Cabled(Clone):
    """A clone whose daemon lives in a network namespace, with one cable to the remote."""

    space: str = ""

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.top.parent / "said.log").open("ab") as log:
            argv = ["ip", "netns", "exec", self.space, sys.executable, "-m", "orchd", *arguments]
            return subprocess.Popen(argv, cwd=self.top, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@dataclass
class Network:
    """The remote on a git daemon, and a namespace for each clone."""

    family: Family
    made: list[str] = field(default_factory=list)
    server: subprocess.Popen[bytes] | None = None

    def lay(self, mark: str) -> None:
        bare = self.family.bare.top
        options = ["--reuseaddr", "--export-all", "--enable=receive-pack", f"--base-path={bare.parent}", f"--port={PORT}"]
        self.server = subprocess.Popen(["git", "daemon", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        clones = [Cabled(clone.top, clone.env, space=f"o{mark}{at}") for at, clone in enumerate(self.family.clones)]
        self.family.clones = list(clones)
        for at, clone in enumerate(clones):
            net, cable = NET.format(at=at), f"v{mark}{at}"
            ip("netns", "add", clone.space)
            self.made.append(clone.space)
            ip("link", "add", cable, "type", "veth", "peer", "name", "up0", "netns", clone.space)
            ip("addr", "add", f"{net}1/24", "dev", cable)
            ip("link", "set", cable, "up")
            ip("-n", clone.space, "addr", "add", f"{net}2/24", "dev", "up0")
            ip("-n", clone.space, "link", "set", "up0", "up")
            clone.git("remote", "set-url", "origin", f"git://{net}1:{PORT}/{bare.name}")

    def address(self, clone: Clone, verb: str) -> None:
        """Without its address the remote's end of the cable answers nothing any more: silence, no error."""
        at = self.family.clones.index(clone)
        ip("addr", verb, f"{NET.format(at=at)}1/24", "dev", f"v{self.made[at].removeprefix('o')}")

    def close(self) -> None:
        self.family.stop()
        for space in self.made:
            ip("netns", "del", space)
        if self.server is not None:
            self.server.terminate()
            self.server.wait()


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    made = Network(make_family(tmp_path))
    try:
        made.lay(f"{os.getpid() % 10000}")
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        made.close()
        pytest.skip(f"no network namespaces here: {error}")
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_owner_behind_a_cut_cable_cannot_land_and_comes_back(network: Network, tmp_path: Path) -> None:
    family, flag, log = network.family, tmp_path / "go", tmp_path / "log"
    script = f"echo slow >> {log}; until test -e {flag}; do sleep 0.02; done; echo slow > slow"
    family.person.task("slow", script, claims=["slow"], timeout=120)
    family.person.commit("a task")
    family.push()
    owner, standby = family.clones
    owner.serve()
    wait_until(log.exists, "the owner starts it")
    standby.serve()
    wait_until(lambda: "elsewhere  session default" in standby.said, "the standby sees who owns it")
    network.address(owner, "del")
    wait_until(lambda: "cannot reach `origin`" in owner.said, "the owner says that it hears nothing")
    wait_until(lambda: "(epoch 2, after" in standby.said, "the standby takes over")
    wait_until(lambda: log.read_text().count("slow") == 2, "and starts the task")
    flag.touch()
    wait_until(lambda: "ready  slow" in owner.said, "the owner went on supervising what ran")
    wait_until(lambda: family.landed() == ["slow"], "the standby's attempt lands")
    network.address(owner, "add")
    wait_until(lambda: "stopped here, with their work kept: slow" in owner.said, "the old owner learns of it")
    wait_until(lambda: set(owner.statuses().values()) == {"landed"}, "and adopts what landed")
    assert family.landed() == ["slow"]
    assert owner.git("show", "session/default/task/slow:slow") == "slow", "its own work is still there"
