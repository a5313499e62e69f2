"""A throw-away object store for what is not trusted yet, and the way from there into the main one.

git writes into it and sees the main objects, but nobody sees it from there. Rule: an object moves only after git itself
has checked its form and its links; it is synced, then moved by rename, so that nobody ever sees half of one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pygit2

from orchd.adapters.durable import sync_file, sync_folder
from orchd.adapters.git_repo import GitRepo, open_library
from orchd.adapters.git_run import HERMETIC_CONFIG, Git
from orchd.adapters.neutral import neutral_repository
from orchd.adapters.place import Place
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.limits import RESULT_PACK_BYTES, UNPACK_OBJECTS

PACK_SUFFIXES = (".pack", ".rev", ".idx")
"""In the order in which the files of a pack move: it exists for readers once its index does."""

UNSYNCED = (*HERMETIC_CONFIG, "core.fsync=none")
"""What stays in a quarantine need not survive; what leaves it is synced on the way."""

OUR_TROUBLE = re.compile(
    "no space left|disk quota exceeded|input/output error|read-only file system|out of memory|cannot allocate memory"
    "|cannot fork|unable to fork|resource temporarily unavailable|too many open files|cannot create|unable to create",
    re.IGNORECASE,
)
"""Words of git about this machine; they say nothing about the pack."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An object store of its own in `folder`."""

    place: Place
    folder: Path

    def unpack(self, pack: Path) -> str:
        """Check a pack and take its objects. Returns what git has against it, empty when nothing. Raises GitError when git
        could not come to a verdict: it was killed, or the machine has no room."""
        with pack.open("rb", buffering=0) as stream:
            head = stream.read(12)
            stream.seek(0)
            few = int.from_bytes(head[8:], "big") <= UNPACK_OBJECTS
            # index-pack is told to complete thin packs: a result may leave out what its base has.
            command = ("unpack-objects", "-q") if few else ("index-pack", "--stdin", "--fix-thin")
            git = Git(neutral_repository(self.place), UNSYNCED)
            limit = f"--max-input-size={RESULT_PACK_BYTES}"
            done = git.attempt(*command, "--strict", limit, stdin=stream, extra=self.redirect())
        return _read_verdict(done)

    def open(self) -> pygit2.Repository:
        """The library's view: the main objects and these."""
        library = open_library(self.place.git_dir)
        library.odb.add_disk_alternate(str(self.folder))
        return library

    def release(self) -> None:
        """Move everything into the main object store; what is there already is only synced."""
        loose = [path for path in self.folder.glob("[0-9a-f][0-9a-f]/*") if path.is_file()]
        packs = [path for suffix in PACK_SUFFIXES for path in sorted((self.folder / "pack").glob(f"*{suffix}"))]
        touched = {_move(path, self.place.git_dir / "objects" / path.parent.name) for path in (*loose, *packs)}
        for folder in sorted(touched):
            sync_folder(folder)

    def remove(self) -> None:
        """Delete it with everything that was not released."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def redirect(self) -> Mapping[str, str]:
        """The environment in which git reads the main objects and writes here."""
        main = str(self.place.git_dir / "objects")
        return {
            "GIT_OBJECT_DIRECTORY": str(self.folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{main}"' if ":" in main else main,
        }


def _read_verdict(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode < 0 or (done.returncode and OUR_TROUBLE.search(said)):
        raise GitError(f"git could not check a pack: exit {done.returncode}: {said}", "is the disk full, or the memory?")
    return said or f"exit {done.returncode}" if done.returncode else ""


def make_quarantine(repo: GitRepo, name: str) -> Quarantine:
    """A fresh one. What an interrupted admission left under this name is removed."""
    made = Quarantine(repo.place, repo.place.orch / "airlock" / name)
    made.remove()
    made.folder.mkdir(parents=True)
    return made


def _move(path: Path, folder: Path) -> Path:
    target = folder / path.name
    folder.mkdir(exist_ok=True)
    if target.exists():
        sync_file(target)  # by whomever it was written
    else:
        sync_file(path)
        path.rename(target)
    return folder
