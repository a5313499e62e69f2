"""What a held result conflicts with: the records that commands print of it, and how a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchd.cli.fields import Row
from orchd.core.disputes import Disagreement, Disputed, name_dispute
from orchd.core.inert import inert
from orchd.model.ids import SHORT_OID
from orchd.model.merge import Version

NOTHING: Mapping[str, object] = {"onto": "", "goals": (), "disputes": ()}


def view_disagreement(found: Disagreement | None) -> Row:
    """The records about a conflict; all empty when there is none."""
    if found is None:
        return NOTHING
    return {"onto": found.onto, "goals": found.goals, "disputes": tuple(map(_view_disputed, found.disputed))}


def _view_disputed(one: Disputed) -> Row:
    said = one.dispute
    versions = {"base": said.base, "ours": said.ours, "theirs": said.theirs}
    return {
        "path": said.path,
        "kind": name_dispute(said),
        **{name: _name_version(version) for name, version in versions.items()},
        "lines": one.lines,
        "earlier": one.proposed.run if one.proposed else "",
        "proposed": one.change,
    }


def _name_version(version: Version | None) -> str:
    return version.oid if version else ""


def disagreement_lines(row: Any, title: str) -> Iterator[str]:
    """For people: both goals, then each conflict with its lines. `title` is what the task was for."""
    if not row["onto"]:
        return
    yield f"ours:   what has landed, up to {row['onto'][:SHORT_OID]}"
    yield from (f"          {inert(goal)}" for goal in row["goals"])
    yield f"theirs: what the task made: {inert(title)}"
    if not row["disputes"]:
        yield "the two merge by now: any answer takes the result up, `orchd retry` runs the task anew"
    for one in row["disputes"]:
        yield f"{inert(one['path'])}: {one['kind']}"
        yield from (f"  {line}" for line in one["lines"])
        if one["earlier"]:
            yield f"  settled before, in {one['earlier']}; `--take earlier` settles it likewise:"
            yield from (f"    {line}" for line in one["proposed"])
