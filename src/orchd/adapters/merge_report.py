"""What `git merge-tree` says about two commits: the tree, or the paths that stand against it. Clients use it: nothing heavy.

Rule: git runs on an empty repository of our own that only borrows the objects, so neither the configuration nor the
attributes of this repository or this user can change a byte of the merge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchd.adapters.git_run import HERMETIC_CONFIG, Git
from orchd.adapters.neutral import neutral_repository
from orchd.adapters.place import Place
from orchd.errors import GitError
from orchd.model.dataclass import dataclass
from orchd.model.ids import Oid
from orchd.model.merge import Dispute, Version

MERGE_CONFIG = (*HERMETIC_CONFIG, "merge.renames=true", "merge.directoryRenames=conflict", "merge.renormalize=false")

CONFLICT_CODE = 1
"""All other codes but 0 say that git itself failed (killed, no memory, no space), which is no verdict on a task."""

_QUIET = "Auto-merging"
"""What git also says about files that it merged."""


@dataclass(frozen=True, slots=True)
class MergeReport:
    """The tree that git wrote (with conflict markers in it unless it is clean) and what it could not settle, by path."""

    tree: Oid
    clean: bool
    disputes: tuple[Dispute, ...] = ()


def report_merge(place: Place, ours: Oid, theirs: Oid, store: Mapping[str, str] | None = None) -> MergeReport:
    """Merge two commits. What git writes goes to `store` (variables that name an object folder), else to the repository.
    Raises GitError when git did not come to a verdict."""
    objects = place.git_dir / "objects"
    shallow = objects.parent / "shallow"
    known = {"GIT_SHALLOW_FILE": str(shallow)} if shallow.exists() else {}
    extra = {"GIT_OBJECT_DIRECTORY": str(objects), **known, **(store or {})}
    git = Git(neutral_repository(place), MERGE_CONFIG)
    done = git.attempt("merge-tree", "--write-tree", "-z", "--messages", ours, theirs, extra=extra)
    if done.returncode not in (0, CONFLICT_CODE):
        raise GitError(f"git merge-tree: exit {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    return read_report(done.stdout, clean=done.returncode == 0)


def read_report(said: bytes, *, clean: bool) -> MergeReport:
    """What git printed: the tree, one field for each stage of a path, an empty one, then its messages."""
    fields = said.decode("utf-8", "surrogateescape").split("\0")
    end = fields.index("", 1)
    versions: dict[str, dict[str, Version]] = {}
    for field in fields[1:end]:
        head, _, path = field.partition("\t")
        mode, oid, stage = head.split(" ")
        versions.setdefault(path, {})[stage] = Version(int(mode, 8), oid)
    kinds: dict[str, dict[str, None]] = {}
    for paths, kind in _read_messages(fields[end + 1 :]):
        for path in paths if kind != _QUIET else ():
            kinds.setdefault(path, {})[kind] = None
    found = (
        Dispute(path, stages.get("1"), stages.get("2"), stages.get("3"), tuple(kinds.get(path, ())))
        for path, stages in sorted(versions.items())
    )
    return MergeReport(fields[0], clean, tuple(found))


def _read_messages(fields: list[str]) -> Iterator[tuple[list[str], str]]:
    """The paths and the kind of each message: a count, the paths, the kind, the text."""
    at = 0
    while at < len(fields) and fields[at].isdecimal():
        count = int(fields[at])
        yield fields[at + 1 : at + 1 + count], fields[at + 1 + count]
        at += count + 3
