"""Records of environments as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from orchd.cli.fields import Row
from orchd.cli.spending import view_spent
from orchd.core.promotion import find_approvers, replay, tell_open
from orchd.model.environment import Environment
from orchd.model.promotion import Chain, Record, Step

if TYPE_CHECKING:
    from orchd.adapters.promoter import Promoted
    from orchd.model.cost import Spent
    from orchd.model.work import Task

REFUSED = "refused"


def view_promoted(environment: str, by: str, checkpoint: str, promoted: Promoted) -> Row:
    """What came of a command. A refusal has no record."""
    row = view_record(environment, promoted.record) if promoted.record else _blank(environment, by, checkpoint)
    return {**row, "what": promoted.what, "next": promoted.hint, "log": tuple(promoted.log.splitlines())}


def _blank(environment: str, by: str, checkpoint: str) -> Row:
    empty = dict.fromkeys(("commit", "from", "key"), "")
    said = {"environment": environment, "checkpoint": checkpoint, "result": REFUSED, "at": None, "by": by}
    return {**empty, **said, "approvals": (), "rollback": False}


def view_record(environment: str, record: Record) -> Row:
    """One record."""
    return {
        "environment": environment,
        "checkpoint": record.freight.checkpoint,
        "commit": record.freight.commit,
        "result": str(record.step),
        "at": record.at.wall_ms,
        "by": record.by,
        "from": record.origin,
        "approvals": record.approvals,
        "rollback": record.rollback,
        "key": record.key,
        "what": record.detail,
    }


def view_history(environment: str, chain: Chain) -> tuple[Row, ...]:
    """The newest first."""
    return tuple(view_record(environment, record) for record in reversed(chain.records))


def view_environments(
    known: Iterable[Environment], chains: Mapping[str, Chain], is_going_on: Callable[[Record], bool]
) -> tuple[Row, ...]:
    """Those of the configuration in their order, then those that only have records."""
    names = dict.fromkeys((*(one.name for one in known), *chains))
    return tuple(_view_environment(name, chains.get(name, Chain()), is_going_on) for name in names)


def _view_environment(name: str, chain: Chain, is_going_on: Callable[[Record], bool]) -> Row:
    standing = replay(chain.records)
    current = standing.current
    return {
        "environment": name,
        "checkpoint": current.freight.checkpoint if current else "",
        "commit": current.freight.commit if current else "",
        "result": str(current.step) if current else "",
        "since": current.at.wall_ms if current else None,
        "by": current.by if current else "",
        "approved": tuple(_waiting(chain)),
        "what": _tell_last(standing.last, name, is_going_on),
    }


def _waiting(chain: Chain) -> Iterator[str]:
    freights = dict.fromkeys(record.freight for record in chain.records if record.step is Step.APPROVED)
    for freight in freights:
        if found := find_approvers(chain.records, freight):
            yield f"{freight.checkpoint} by {' and '.join(found)}"


def _tell_last(last: Record | None, name: str, is_going_on: Callable[[Record], bool]) -> str:
    if last is None:
        return "nothing was promoted there yet"
    if last.step is Step.FAILED:
        verb = "the roll back to" if last.rollback else "the promotion of"
        return f"{verb} {last.freight.checkpoint} failed: {last.detail}"
    if last.step in (Step.BEGUN, Step.VERIFYING):
        again = f"orchd rollback {name}" if last.rollback else f"orchd promote {last.freight.checkpoint} {name}"
        return tell_open(last) + ("" if is_going_on(last) else f", but that process is gone: `{again}` takes it up again")
    return ""


def view_work(token: str, task: Task | None, spent: Spent | None = None) -> Row:
    """What landed, as a checkpoint names it, and what it cost. `task`: its record, where it still is that very work."""
    name, attempt, tip = (*token.split(" "), "", "")[:3]
    same = task if task and f"{task.generation}.{task.attempt}" == attempt else None
    told = {"title": same.spec.title if same else "", "agent": same.spec.agent if same else ""}
    return {"task": name, "attempt": attempt, "tip": tip, **told, **view_spent(spent)}


def mark_promoted(rows: Iterable[Row], chains: Mapping[str, Chain]) -> tuple[Row, ...]:
    """The rows of checkpoints with the environments in which each stands now."""
    stands = {name: replay(chain.records).current for name, chain in chains.items()}
    return tuple(
        {**row, "promoted": tuple(name for name, one in stands.items() if one and one.freight.checkpoint == row["name"])}
        for row in rows
    )
