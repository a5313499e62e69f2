"""A wild agent. It does seeded things to its workspace and keeps a journal, outside of it, of what must never be lost.

usage: agent.py SEED DEEDS JOURNALS WILD|TAME  (in a workspace)

The journal is one JSON record a line, in the order of what happened, and survives the agent:
    begin    these paths are about to change (null: all of them): until more is said, nobody knows their content
    files    the content of these paths now, as blob ids
    promise  these blobs are in a commit, so they stay whatever becomes of the files
    ruin     its git folder is about to be removed: what it promised before may be gone
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ODD = (
    *(
        "new\nline",
        os.fsdecode(b"caf\xe9"),
        "sp ace",
        "-dash",
        "\u00fcn\u00efc\u00f6de",
        "tab\there",
        "q\"'uote",
        "dot.",
        "x" * 200,
    ),
    *("Case", "case", ":colon", "back\\slash", "*st[a]r?", "#hash", "~tilde", "$(x)", ".hidden", "%", "\u202eright"),
)
LARGE_BYTES = 2_000_000


class Agent:
    """`seen` is what the journal says about each path now."""

    def __init__(self, dice: random.Random, journal: Path, home: str, *, wild: bool) -> None:
        self.dice, self.home, self.wild = dice, home, wild
        self.seen: dict[str, str] = {}
        self.out = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, kind: str, what: object) -> None:
        os.write(self.out, json.dumps({kind: what}).encode() + b"\n")

    def change(self, paths: list[str], deed: Callable[[], None]) -> None:
        """Do it, and say before and after what is known."""
        self.note("begin", paths)
        deed()
        now = {path: blob_of(path) for path in paths if os.path.lexists(path)}
        self.seen = {path: oid for path, oid in self.seen.items() if path not in paths} | now
        self.note("files", now)

    def turn_over(self, *commands: str) -> None:
        """git changes any number of files."""
        self.note("begin", None)
        for command in commands:
            self.git(command)
        self.seen = {path: blob_of(path) for path in walk()}
        self.note("files", self.seen)

    def git(self, command: str) -> bool:
        return subprocess.run(f"git {command}", shell=True, capture_output=True, check=False).returncode == 0

    def name(self) -> str:
        folders = [f"d{self.dice.randrange(3)}" for _ in range(self.dice.choice((0, 0, 1, 1, 2, 6)))]
        last = self.dice.choice(ODD) if self.wild and self.dice.random() < 0.4 else f"f{self.dice.randrange(12)}"
        return "/".join((self.home, *folders, last))

    def old(self) -> str | None:
        own = sorted(path for path in self.seen if path.startswith(f"{self.home}/"))
        return self.dice.choice(own) if own else None

    # -- deeds ---------------------------------------------------------------------------------------------------------

    def write(self) -> None:
        path, content = self.name(), self.dice.randbytes(self.dice.choice((0, 10, 1000, 100_000)))
        if makes_room(path):
            self.change([path], lambda: put(path, content))

    def write_large(self) -> None:
        path = self.name()
        if makes_room(path):
            self.change([path], lambda: put(path, self.dice.randbytes(LARGE_BYTES)))

    def append(self) -> None:
        if (path := self.old()) and not os.path.islink(path):
            self.change([path], lambda: put(path, b"more\n", "ab"))

    def delete(self) -> None:
        if path := self.old():
            self.change([path], lambda: os.unlink(path))

    def rename(self) -> None:
        path, new = self.old(), self.name()
        if path and makes_room(new) and path != new:
            os.makedirs(os.path.dirname(new), exist_ok=True)
            self.change([path, new], lambda: os.replace(path, new))

    def link(self) -> None:
        path = self.name()
        if makes_room(path) and not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.change([path], lambda: os.symlink(self.dice.choice(("f1", "/etc/passwd", "../..", "nowhere")), path))

    def make_program(self) -> None:
        if (path := self.old()) and not os.path.islink(path):
            os.chmod(path, self.dice.choice((0o755, 0o444, 0o600)))

    def commit(self) -> None:
        if self.git("add -A") and self.git("commit -q --allow-empty -m mine"):
            self.note("promise", sorted(self.seen.values()))

    def amend(self) -> None:
        self.write()
        if self.git("add -A") and self.git("commit -q --amend -m again"):
            self.note("promise", sorted(self.seen.values()))

    def stash(self) -> None:
        """git stores before it takes away, so these are safe from the beginning."""
        self.note("promise", sorted(self.seen.values()))
        self.turn_over("stash -q -u")

    def branch(self) -> None:
        number = self.dice.randrange(10**6)
        self.git(f"checkout -q -b b{number}")
        self.commit()
        self.turn_over("checkout -q -f task")

    def reset(self) -> None:
        self.turn_over("reset -q --hard HEAD~1", "clean -qdf")

    def nest(self) -> None:
        """A repository inside; it may be without a commit."""
        folder = f"{self.home}/nest{self.dice.randrange(10**6)}"
        os.makedirs(folder)
        self.git(f"init -q {folder}")
        path = f"{folder}/inner"
        self.change([path], lambda: put(path, self.dice.randbytes(50)))
        if self.dice.random() < 0.5:
            self.git(f"-C {folder} add -A")
            self.git(f"-C {folder} -c user.name=a -c user.email=a@b commit -q -m inner")

    def lock(self) -> None:
        if path := self.old():
            os.chmod(os.path.dirname(path), 0o500)
            os.chmod(os.path.dirname(path), 0o700)

    def ruin(self) -> None:
        self.note("ruin", None)
        shutil.rmtree(".git")


TAME = (Agent.write,) * 5 + (Agent.append,) * 2 + (Agent.delete, Agent.rename, Agent.make_program, Agent.commit)
WILD = (*TAME, Agent.link, Agent.write_large, Agent.amend, Agent.stash, Agent.branch, Agent.reset, Agent.lock)
RARE = (Agent.nest, Agent.ruin)


def put(path: str, content: bytes, mode: str = "wb") -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and mode == "wb":
        os.unlink(path)
    with open(path, mode) as file:
        file.write(content)


def makes_room(path: str) -> bool:
    """Whether a file can be there: no folder has its name, and no file that of its folders."""
    above = [str(one) for one in Path(path).parents]
    return not os.path.isdir(path) and all(not os.path.lexists(one) or os.path.isdir(one) for one in above)


def blob_of(path: str) -> str:
    content = os.fsencode(os.readlink(path)) if os.path.islink(path) else Path(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def walk() -> list[str]:
    """All files, without those of git; what is in repositories inside too."""
    found = []
    for folder, folders, names in os.walk("."):
        links = [name for name in folders if os.path.islink(f"{folder}/{name}")]
        folders[:] = [name for name in folders if name != ".git"]
        found += [os.path.normpath(f"{folder}/{name}") for name in (*names, *links) if name != ".git"]
    return found


def main(seed: str, deeds: str, journals: str, manner: str) -> int:
    run = os.environ["ORCHD_RUN"]
    dice = random.Random(f"{seed} {run}")
    agent = Agent(dice, Path(journals) / f"{run}.jsonl", run.split(".")[0], wild=manner == "wild")
    deeds_of = WILD if agent.wild else TAME
    for _ in range(int(deeds)):
        dice.choice(deeds_of)(agent)
        time.sleep(dice.random() * 0.03)
    if agent.wild and dice.random() < 0.4:
        dice.choice(RARE)(agent)
    if agent.wild and dice.random() < 0.2:
        time.sleep(1000)
    return int(agent.wild and dice.random() < 0.3)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
