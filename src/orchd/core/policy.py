"""What may come in through the airlock: rules on the difference between two trees, nothing else is looked at.

git's own checks let all of this pass. Rule: one table row per danger; a row sees one path, never the repository.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from orchd.core.claims import covers
from orchd.core.inert import inert
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config
from orchd.model.dataclass import dataclass
from orchd.model.limits import DETAIL_ITEMS, PATH_BYTES
from orchd.model.work import Reason

FILE_MODES = frozenset({0o100644, 0o100755})
LINK_MODE = 0o120000
SUBMODULE_MODE = 0o160000


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs. A mode is 0 where the path is no file; `size_bytes` and `target` (of a symbolic link) are of
    the new side; `appended` says that the old content is the beginning of the new one."""

    path: str
    old_mode: int
    new_mode: int
    size_bytes: int = 0
    target: str = ""
    appended: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which names were added: all its names afterwards, and the new ones."""

    path: str
    names: frozenset[str]
    added: frozenset[str]


@dataclass(frozen=True, slots=True)
class Violation:
    """A path that may not come in, and why."""

    reason: Reason
    path: str
    why: str


PROTECTED_NAMES = frozenset(
    {
        ".orch",
        ".gitattributes",
        ".gitmodules",
        "codeowners",
        ".claude",
        ".codex",
        ".gemini",
        ".opencode",
        ".mcp.json",
        "agents.md",
        "claude.md",
        "gemini.md",
        ".github",
        ".gitlab",
        ".gitlab-ci.yml",
        ".circleci",
        ".buildkite",
        ".forgejo",
        ".gitea",
        ".woodpecker",
        ".pre-commit-config.yaml",
    }
)
"""Names that decide what is run, checked or trusted, in any folder, in any case."""

PROTECTED_STARTS = (".env", ".kilo", ".woodpecker.", ".drone.")
PROTECTED_AT_ROOT = frozenset(
    {"systemd", ".ci", "jenkinsfile", ".travis.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml", "appveyor.yml"}
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_NOT_UTF8 = re.compile(r"[\ud800-\udfff]")
_HIDDEN_ON_MAC = re.compile(r"[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_GIT_LOOKALIKE = re.compile(r"(\.git|git~\d+)[ .]*(:.*)?", re.IGNORECASE)


def judge(
    changes: Sequence[Change], folders: Iterable[Folder], claims: Sequence[PathSpec], config: Config
) -> tuple[Violation, ...]:
    """Everything that is wrong with a result; nothing: it may come in."""
    found = list(_judge_amount(changes, config))
    for change in changes:
        found += (Violation(Reason.POLICY, change.path, why) for why in _judge_path(change, config))
        if not is_claimed(change, claims):
            found.append(Violation(Reason.CLAIM, change.path, f"was {name_change(change)} outside the claim"))
    for folder in folders:
        found += find_twins(folder)
    return tuple(found)


def pick_reason(violations: Iterable[Violation]) -> Reason:
    """The reason of a refusal: CLAIM only when nothing worse was found."""
    return Reason.CLAIM if all(one.reason is Reason.CLAIM for one in violations) else Reason.POLICY


def describe(violations: Sequence[Violation]) -> tuple[str, ...]:
    """One line for each violation, up to a limit; the rest is counted."""
    lines = tuple(f"{inert(one.path)} {inert(one.why)}".strip() for one in violations[:DETAIL_ITEMS])
    more = len(violations) - DETAIL_ITEMS
    return (*lines, f"and {more} more") if more > 0 else lines


def find_twins(folder: Folder) -> Iterator[Violation]:
    """New names that some file system takes for another name beside them."""
    same = defaultdict(set)
    for name in folder.names:
        same[_fold(name)].add(name)
    for name in sorted(folder.added):
        for other in sorted(same[_fold(name)] - {name}):
            yield Violation(Reason.POLICY, folder.path + name, f"differs from {other} only in case or composition")


def _fold(name: str) -> str:
    if name.isascii():  # the same, and nearly all names are
        return name.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _judge_amount(changes: Sequence[Change], config: Config) -> Iterator[Violation]:
    if len(changes) > config.changed_files:
        yield Violation(Reason.POLICY, "", f"{len(changes)} changed files; at most {config.changed_files} may come in at once")


def _judge_path(change: Change, config: Config) -> Iterator[str]:
    if is_protected(change.path):
        yield "is protected: it decides what is run, checked or trusted"
    if change.new_mode:
        yield from (why for rule, why in ADDED_RULES if rule(change))
        if change.size_bytes > config.file_bytes:
            yield f"has {change.size_bytes} bytes; at most {config.file_bytes} may come in"


def name_change(change: Change) -> str:
    """What happened to the path, in one word."""
    if not change.old_mode:
        return "added"
    return "changed" if change.new_mode else "deleted"


def is_claimed(change: Change, claims: Sequence[PathSpec]) -> bool:
    """Whether one of the claims allows this change."""
    granted = {spec.mode for spec in claims if spec.mode is not Mode.READ and covers(spec, change.path)}
    return Mode.WRITE in granted or (Mode.APPEND in granted and _only_grew(change))


def _only_grew(change: Change) -> bool:
    """A new file is an append to nothing; otherwise the kind of file stays and its content begins as before."""
    if not change.old_mode:
        return change.new_mode in FILE_MODES
    return change.old_mode == change.new_mode and change.appended


def is_protected(path: str) -> bool:
    """Whether no result may change `path`. Of a glob: whether all that it names is protected."""
    names = [name.casefold() for name in path.split("/")]
    return names[0] in PROTECTED_AT_ROOT or any(name in PROTECTED_NAMES or name.startswith(PROTECTED_STARTS) for name in names)


def _has_odd_mode(change: Change) -> bool:
    return change.new_mode not in FILE_MODES | {LINK_MODE, SUBMODULE_MODE}


def _points_outward(change: Change) -> bool:
    """`..` is only followed at the beginning: behind a name it could lead through another link."""
    if change.new_mode != LINK_MODE:
        return False
    names = [name for name in change.target.split("/") if name not in ("", ".")]
    ups = next((at for at, name in enumerate(names) if name != ".."), len(names))
    winding = ".." in names[ups:]
    return not names or change.target.startswith("/") or winding or ups > change.path.count("/") or _enters_git(names)


def _enters_git(names: Sequence[str]) -> bool:
    return any(_GIT_LOOKALIKE.fullmatch(_HIDDEN_ON_MAC.sub("", name)) for name in names)


def _any_name(matches: Callable[[str], object]) -> Callable[[Change], bool]:
    return lambda change: any(matches(name) for name in change.path.split("/"))


ADDED_RULES: tuple[tuple[Callable[[Change], bool], str], ...] = (
    (lambda change: change.new_mode == SUBMODULE_MODE, "is a submodule"),
    (_has_odd_mode, "has a file mode that git does not use"),
    (_points_outward, "is a symbolic link that leads out of the repository"),
    (
        lambda change: len(change.path.encode("utf-8", "surrogateescape")) > PATH_BYTES,
        f"has a path longer than {PATH_BYTES} bytes",
    ),
    (lambda change: bool(_NOT_UTF8.search(change.path)), "has a name that is not UTF-8"),
    (lambda change: bool(_CONTROL.search(change.path)), "has control characters in its name"),
    (_any_name(lambda name: name.startswith("-")), "has a name that begins with a hyphen"),
    (_any_name(lambda name: name.endswith((".", " "))), "has a name that ends with a dot or a space"),
    (lambda change: _enters_git(change.path.split("/")), "looks like git's own folder"),
)
"""Rules for what a result adds or changes. Removing such a path is always allowed."""
