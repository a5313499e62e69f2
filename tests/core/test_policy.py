from __future__ import annotations

import pytest

from orchd.core.policy import Change, Folder, Violation, describe, find_twins, judge, name_change, pick_reason
from orchd.model.claim import Mode, PathSpec
from orchd.model.config import Config
from orchd.model.work import Reason

FILE, LINK, MODULE = 0o100644, 0o120000, 0o160000
ALL = (PathSpec("**"),)
DEFAULT = Config()


def verdict(change: Change, claims: tuple[PathSpec, ...] = ALL, config: Config = DEFAULT) -> list[tuple[Reason, str]]:
    return [(one.reason, one.why) for one in judge([change], [], claims, config)]


REFUSED = {
    ".orch/tasks/x.yaml": "protected",
    "deep/.github/workflows/x.yml": "protected",
    ".GITATTRIBUTES": "protected",
    "src/CLAUDE.md": "protected",
    "Agents.md": "protected",
    "docs/CODEOWNERS": "protected",
    ".env": "protected",
    "app/.env.production": "protected",
    ".kilocode/rules.md": "protected",
    "systemd/x.service": "protected",
    "a\x07b": "control characters",
    "a\u202eb": "control characters",
    "-rf": "begins with a hyphen",
    "x/--help/y": "begins with a hyphen",
    "con.": "ends with a dot or a space",
    "dir /x": "ends with a dot or a space",
    ".GIT/config": "git's own folder",
    "x/.git /hooks": "ends with a dot or a space",
    "git~1/config": "git's own folder",
    ".g\u200cit/config": "git's own folder",
    ".git::$INDEX_ALLOCATION/x": "git's own folder",
    "x\udcff": "not UTF-8",
    "d/" * 512 + "x": "longer than 1024 bytes",
}


@pytest.mark.parametrize(("path", "why"), REFUSED.items())
def test_dangerous_paths_are_refused(path: str, why: str) -> None:
    found = verdict(Change(path, 0, FILE))
    assert any(why in words and reason is Reason.POLICY for reason, words in found), found


@pytest.mark.parametrize(
    "path",
    [
        "a.txt",
        "src/deep/b.py",
        ".gitignore",
        "x/.hidden",
        "git",
        "environment/.x",
        "a-b",
        "Ünïcode.md",
        "my systemd/x",
        "src/systemd/x",
    ],
)
def test_ordinary_paths_may_come_in(path: str) -> None:
    assert verdict(Change(path, 0, FILE)) == []


@pytest.mark.parametrize("path", ["-rf", "con.", "git~1", "a\x07b"])
def test_removing_a_bad_path_is_allowed(path: str) -> None:
    assert verdict(Change(path, FILE, 0)) == []


def test_removing_a_protected_path_is_not_allowed() -> None:
    assert verdict(Change(".gitattributes", FILE, 0))


@pytest.mark.parametrize(
    ("path", "target", "allowed"),
    [
        ("link", "a.txt", True),
        ("d/link", "../a.txt", True),
        ("d/e/link", "../../x/y", True),
        ("link", "../a.txt", False),
        ("d/link", "../../a.txt", False),
        ("link", "/etc/passwd", False),
        ("d/link", "e/../../../x", False),
        ("d/link", "e/../x", False),
        ("link", ".git/config", False),
        ("link", "", False),
    ],
)
def test_a_link_must_stay_inside(path: str, target: str, allowed: bool) -> None:
    assert (verdict(Change(path, 0, LINK, target=target)) == []) is allowed


@pytest.mark.parametrize("mode", [MODULE, 0o100664, 0o40000, 0o100600])
def test_submodules_and_odd_modes_are_refused(mode: int) -> None:
    assert verdict(Change("x", 0, mode))


def test_a_file_may_not_be_too_large() -> None:
    assert verdict(Change("x", 0, FILE, size_bytes=11), config=Config(file_bytes=10))
    assert not verdict(Change("x", 0, FILE, size_bytes=10), config=Config(file_bytes=10))


def test_not_too_many_files_may_change() -> None:
    changes = [Change(f"n{number}", 0, FILE) for number in range(3)]
    assert judge(changes, [], ALL, Config(changed_files=3)) == ()
    assert len(judge(changes, [], ALL, Config(changed_files=2))) == 1


@pytest.mark.parametrize(
    ("change", "mode", "allowed"),
    [
        (Change("log", 0, FILE), Mode.WRITE, True),
        (Change("log", FILE, 0), Mode.WRITE, True),
        (Change("log", FILE, FILE), Mode.READ, False),
        (Change("log", FILE, FILE, appended=True), Mode.APPEND, True),
        (Change("log", FILE, FILE), Mode.APPEND, False),
        (Change("log", FILE, 0, appended=True), Mode.APPEND, False),
        (Change("log", FILE, 0o100755, appended=True), Mode.APPEND, False),
        (Change("log", 0, FILE), Mode.APPEND, True),
        (Change("log", 0, LINK, target="x"), Mode.APPEND, False),
        (Change("other", FILE, FILE), Mode.WRITE, False),
    ],
)
def test_a_change_must_be_inside_a_claim(change: Change, mode: Mode, allowed: bool) -> None:
    found = verdict(change, (PathSpec("log", mode),))
    said = f"was {name_change(change)} outside the claim"
    assert found == ([] if allowed else [(Reason.CLAIM, said)])


@pytest.mark.parametrize(("new", "old"), [("README", "readme"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "STRASSE")])
def test_a_new_name_may_not_be_the_twin_of_another(new: str, old: str) -> None:
    (found,) = find_twins(Folder("d/", frozenset({new, old, "x"}), frozenset({new})))
    assert found.path == f"d/{new}"


def test_twins_that_were_there_before_are_nobodys_fault() -> None:
    assert not list(find_twins(Folder("", frozenset({"A", "a", "x"}), frozenset({"x"}))))


def test_the_reason_is_the_worst_and_the_description_is_limited_and_inert() -> None:
    claim, policy = (Violation(reason, "p\x1b", "is bad") for reason in (Reason.CLAIM, Reason.POLICY))
    assert pick_reason([claim]) is Reason.CLAIM
    assert pick_reason([claim, policy]) is Reason.POLICY
    lines = describe([claim] * 60)
    assert lines[0] == "p\\x1b is bad"
    assert lines[-1] == "and 10 more"
    assert len(lines) == 51
