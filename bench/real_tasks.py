"""Twenty tasks on the source of Django, and what each must come to.

Most have claims of their own; `tidy-contrib` overlaps with two others, some need others, four must not land.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchd.model.work import Reason, Status

CONFIG = """\
parallel: 4
gates:
  - {name: compile, run: "python -m compileall -q -x tests_syntax_error django tests"}
"""
RULES = "UP,SIM,PIE,C4,RET,FURB"


@dataclass(frozen=True, slots=True)
class RealTask:
    """One task file, and the end that it must come to."""

    run: str
    claims: tuple[str, ...]
    needs: tuple[str, ...] = ()
    status: Status = Status.LANDED
    reason: Reason | None = None

    @property
    def keys(self) -> Mapping[str, object]:
        """The keys of the task file besides title and command."""
        return {"claims": self.claims} | ({"needs": self.needs} if self.needs else {})


def _fix(folder: str, *needs: str) -> RealTask:
    return RealTask(f"ruff check -q --fix --exit-zero --select {RULES} {folder}", (f"{folder}/**",), needs)


def _format(folder: str, *needs: str) -> RealTask:
    return RealTask(f"ruff format -q {folder}", (f"{folder}/**",), needs)


def _upgrade(folder: str) -> RealTask:
    run = f"find {folder} -name '*.py' -exec pyupgrade --py310-plus --exit-zero-even-if-changed {{}} +"
    return RealTask(run, (f"{folder}/**",))


def _list_api(name: str, *needs: str, status: Status = Status.LANDED) -> RealTask:
    target = f"docs/api/{name}.md"
    return RealTask(f"python extras/list_api.py django/{name} {target}", (target,), needs, status)


TASKS: Mapping[str, RealTask] = {
    "fix-db": _fix("django/db"),
    "fix-core": _fix("django/core"),
    "fix-forms": _fix("django/forms"),
    "fix-template": _fix("django/template"),
    "fix-utils": _fix("django/utils"),
    "fix-views": _fix("django/views"),
    "fix-query-tests": _fix("tests/queries"),
    "format-db": _format("django/db", "fix-db"),
    "format-core": _format("django/core", "fix-core"),
    "format-test": _format("django/test"),
    "upgrade-gis": _upgrade("django/contrib/gis"),
    "upgrade-postgres": _upgrade("django/contrib/postgres"),
    "tidy-contrib": RealTask(
        f"ruff check -q --fix --exit-zero --select {RULES} django/contrib && ruff format -q django/contrib",
        ("django/contrib/**",),
    ),
    "api-db": _list_api("db", "format-db"),
    "api-core": _list_api("core", "format-core"),
    "api-index": RealTask("grep -h '^# ' docs/api/*.md > docs/api/index.txt", ("docs/api/index.txt",), ("api-db", "api-core")),
    "break-apps": RealTask(
        "printf 'def broken(:\\n' >> django/apps/registry.py",
        ("django/apps/**",),
        status=Status.FAILED,
        reason=Reason.GATE,
    ),
    "stray-urls": RealTask(
        f"ruff check -q --fix --exit-zero --select {RULES} django/urls django/conf",
        ("django/urls/**",),
        status=Status.HELD,
        reason=Reason.CLAIM,
    ),
    "lint-middleware": RealTask(
        f"ruff check -q --fix --select {RULES},D django/middleware",
        ("django/middleware/**",),
        status=Status.FAILED,
        reason=Reason.EXIT,
    ),
    "api-apps": _list_api("apps", "break-apps", status=Status.WAITING),
}

OVERLAPPING = (("upgrade-gis", "tidy-contrib"), ("upgrade-postgres", "tidy-contrib"))
"""Pairs whose claims overlap: they must have run one after the other."""
