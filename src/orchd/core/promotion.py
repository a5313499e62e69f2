"""May this freight go to that environment? What stands where follows from the records alone, replayed from the first.

Rule: what is not clearly allowed is refused, with what to do about it. One table row per reason to refuse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import field, replace

from orchd.core.chain_proof import CHECKPOINT, History, Proof, reach
from orchd.core.folding import fold_name
from orchd.core.tables import tell_instant, tell_span
from orchd.model.dataclass import dataclass
from orchd.model.environment import Environment
from orchd.model.promotion import GOING_ON, GOOD, NOTHING, Chain, Freight, Moment, Process, Record, Step

KEY_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Stint:
    """Freight that stood in an environment, from its good end to the beginning of the next deployment (None: it stands)."""

    record: Record
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an environment stands. `stints` are a stack: a roll back takes off what it goes back over. `last` is the last
    record of a deployment, `latest` the same for each freight."""

    stints: tuple[Stint, ...] = ()
    last: Record | None = None
    latest: dict[str, Record] = field(default_factory=dict)

    @property
    def current(self) -> Record | None:
        """What was deployed well last and is there, unless a later deployment failed half-way."""
        return self.stints[-1].record if self.stints else None

    @property
    def open(self) -> Record | None:
        """The deployment that was begun and has not ended."""
        return self.last if self.last is not None and self.last.step in GOING_ON else None


def replay(records: Sequence[Record]) -> Standing:
    """Where an environment stands after these records."""
    standing = Standing()
    for record in records:
        if record.step is not Step.APPROVED:
            standing = _follow(standing, record)
    return standing


def _follow(standing: Standing, record: Record) -> Standing:
    stints = standing.stints
    if record.step in GOOD:
        kept = _go_back(stints, record.freight) if record.rollback else stints
        stints = (*(kept[:-1] if _tops(kept, record.freight) else kept), Stint(record))
    elif stints and stints[-1].until is None:
        stints = (*stints[:-1], replace(stints[-1], until=record.at))
    return Standing(stints, record, {**standing.latest, record.freight.tag: record})


def _tops(stints: tuple[Stint, ...], freight: Freight) -> bool:
    return bool(stints) and stints[-1].record.freight.tag == freight.tag


def _go_back(stints: tuple[Stint, ...], freight: Freight) -> tuple[Stint, ...]:
    while stints and not _tops(stints, freight):
        stints = stints[:-1]
    return stints


def elapsed_ms(since: Moment, until: Moment) -> int:
    """Time between two moments, never negative. Within one boot nobody can set the clock that is used; else the wall clocks
    are believed."""
    same = bool(since.boot) and since.boot == until.boot
    return max(0, until.boot_ms - since.boot_ms if same else until.wall_ms - since.wall_ms)


def find_approvers(records: Sequence[Record], freight: Freight) -> tuple[str, ...]:
    """Who approved this freight since it last came to a good end there, each once, in their order."""
    found: dict[str, str] = {}
    for record in records:
        if record.freight.tag == freight.tag and record.step is Step.APPROVED:
            found.setdefault(_same_person(record.by), record.by)
        elif record.freight.tag == freight.tag and record.step in GOOD:
            found.clear()
    return tuple(found.values())


def _same_person(name: str) -> str:
    return " ".join(fold_name(name).split())


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a decision is made from. `faults` say why the freight is not in the proven chain of main, `ungated`
    whether no gate judged it. `before` is the environment that comes before (None: this is the first), with its records.
    `is_alive`: whether the process of the open deployment runs, or cannot be asked about."""

    freight: Freight
    by: str
    now: Moment
    environment: Environment
    chain: Chain
    before: Environment | None = None
    before_chain: Chain = NOTHING
    faults: tuple[str, ...] = ()
    ungated: bool = False
    is_alive: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and what to do."""

    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Already:
    """It is there; nothing is deployed again."""

    record: Record


@dataclass(frozen=True, slots=True)
class Go:
    """Carry it out, beginning with this record. `skip_deploy`: the deploy command has ended well before a crash."""

    record: Record
    resumed: bool = False
    skip_deploy: bool = False


def decide_promotion(case: Case, process: Process) -> Refusal | Already | Go:
    """Whether the freight is deployed now, and with which record that begins."""
    standing = replay(case.chain.records)
    if refusal := _find_running(case, standing):
        return refusal
    current = standing.current
    if current is not None and current.freight.tag == case.freight.tag and standing.last is current:
        return _stay(case, current, process)
    for check in CHECKS.values():
        if refusal := check(case):
            return refusal
    origin = case.before.name if case.before else ""
    record = _begin(case, standing, process)
    return _resume(standing, replace(record, origin=origin, approvals=_approvals(case)))


def _stay(case: Case, there: Record, process: Process) -> Already | Go:
    """A verify command that came after the deployment is run on what is there."""
    if not case.environment.verify or there.step is Step.VERIFIED:
        return Already(there)
    return Go(replace(there, step=Step.VERIFYING, by=case.by, at=case.now, process=process), skip_deploy=True)


def decide_rollback(case: Case, process: Process) -> Refusal | Go:
    """Which freight the environment goes back to (that of `case` does not count), and with which record that begins."""
    standing = replay(case.chain.records)
    if refusal := _find_running(case, standing):
        return refusal
    target = find_rollback(standing)
    name = case.environment.name
    if target is None:
        return Refusal(f"nothing else was ever good in {name}", f"`orchd promote CHECKPOINT {name}` brings something new")
    return _resume(standing, replace(_begin(replace(case, freight=target), standing, process, rollback=True), origin=name))


def find_rollback(standing: Standing) -> Freight | None:
    """The good freight before. After a deployment that failed it is the one that was there; a roll back that failed is
    taken up again."""
    last = standing.last
    if last is not None and last.step not in GOOD:
        if last.rollback:
            return last.freight
        return standing.stints[-1].record.freight if standing.stints else None
    earlier = standing.stints[:-1]
    return earlier[-1].record.freight if earlier else None


def decide_approval(case: Case) -> Refusal | Record:
    """The record of an approval. Approving is no promise that the rest holds."""
    if case.faults:
        return _check_chain(case) or Refusal("")
    if _same_person(case.by) in map(_same_person, find_approvers(case.chain.records, case.freight)):
        return Refusal(f"{case.by} has approved {case.freight.checkpoint} already", "somebody else has to, too")
    return Record(case.freight, Step.APPROVED, case.by, case.now)


def _begin(case: Case, standing: Standing, process: Process, *, rollback: bool = False) -> Record:
    last = standing.last
    same = last is not None and last.step not in GOOD and last.freight.tag == case.freight.tag and last.rollback is rollback
    key = last.key if last is not None and same else _make_key(case)
    return Record(case.freight, Step.BEGUN, case.by, case.now, key, rollback, process=process)


def _make_key(case: Case) -> str:
    """Another one for each deployment: whatever comes before it in the chain is different."""
    parts = (case.environment.name, case.freight.tag, case.chain.tip)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:KEY_DIGITS]


def _resume(standing: Standing, record: Record) -> Go:
    left = standing.open
    resumed = left is not None and left.key == record.key
    skip = resumed and left is not None and left.step is Step.VERIFYING
    return Go(replace(record, step=Step.VERIFYING) if skip else record, resumed, skip)


def tell_open(record: Record) -> str:
    """A deployment that was begun, in words."""
    verb = "rolls back to" if record.rollback else "promotes"
    where = f"process {record.process.pid} on {record.process.host}"
    return f"{record.by} {verb} {record.freight.checkpoint} since {tell_instant(record.at.wall_ms)} ({where})"


def is_ours(chain: Chain, record: Record) -> bool:
    """Whether the open deployment is still the one of this process."""
    left = replay(chain.records).open
    return left is not None and left.key == record.key and left.process == record.process


def settle(record: Record, environment: Environment, now: Moment, why: str) -> Record:
    """The record that ends a deployment. `why` says why it failed; empty: it did not."""
    good = Step.VERIFIED if environment.verify else Step.DEPLOYED
    return replace(record, step=Step.FAILED if why else good, at=now, detail=why)


def _find_running(case: Case, standing: Standing) -> Refusal | None:
    if standing.open is None or not case.is_alive:
        return None
    hint = "wait for it; `orchd environments` shows when it has ended"
    return Refusal(f"{tell_open(standing.open)} in {case.environment.name}", hint)


def _check_chain(case: Case) -> Refusal | None:
    if not case.faults:
        return None
    return Refusal(f"{case.freight.checkpoint} is not in main's proven chain: {'; '.join(case.faults)}", "see `orchd verify`")


def _check_gated(case: Case) -> Refusal | None:
    if not case.ungated or case.environment.unverified:
        return None
    hint = "configure `gates`, or allow it with `unverified: allowed` of this environment"
    return Refusal(f"{case.freight.checkpoint} is unverified: no gate judged it", hint)


def _check_left(case: Case) -> Refusal | None:
    """Another deployment was begun and its process is gone: nobody knows how far it came."""
    left = replay(case.chain.records).open
    name = case.environment.name
    if left is None or (left.freight.tag == case.freight.tag and not left.rollback):
        return None
    again = f"orchd rollback {name}" if left.rollback else f"orchd promote {left.freight.checkpoint} {name}"
    return Refusal(
        f"{tell_open(left)}, but that process is gone", f"`{again}` takes it up again, `orchd rollback {name}` goes back"
    )


def _check_before(case: Case) -> Refusal | None:
    if case.before is None:
        return None
    name, checkpoint = case.before.name, case.freight.checkpoint
    stint = _find_stint(case)
    if stint is None:
        return Refusal(f"{checkpoint} is not good in {name}", f"first `orchd promote {checkpoint} {name}`")
    if case.before.verify and stint.record.step is not Step.VERIFIED:
        return Refusal(f"{checkpoint} was deployed to {name} before that had a `verify` command", "promote it there again")
    return None


def _find_stint(case: Case) -> Stint | None:
    """The last time that the freight stood in the environment before; None when it failed or was rolled back there since."""
    standing = replay(case.before_chain.records)
    latest = standing.latest.get(case.freight.tag)
    return next((stint for stint in reversed(standing.stints) if stint.record is latest), None)


def _check_soak(case: Case) -> Refusal | None:
    if case.before is None or not case.environment.soak_seconds:
        return None
    stint = _find_stint(case)
    stood = elapsed_ms(stint.record.at, stint.until or case.now) / 1000 if stint else 0.0
    if stood >= case.environment.soak_seconds:
        return None
    hint = "wait" if stint and stint.until is None else f"it stands there no more: promote it to {case.before.name} again"
    wanted = tell_span(case.environment.soak_seconds)
    return Refusal(f"{case.freight.checkpoint} has stood in {case.before.name} for {tell_span(stood)} of {wanted}", hint)


def _approvals(case: Case) -> tuple[str, ...]:
    """Those that count: nobody approves their own promotion."""
    promoter = _same_person(case.by)
    return tuple(name for name in find_approvers(case.chain.records, case.freight) if _same_person(name) != promoter)


def _check_approvals(case: Case) -> Refusal | None:
    found = _approvals(case)
    if len(found) >= case.environment.approvals:
        return None
    given = f" (so far: {', '.join(found)})" if found else ""
    who = "somebody else" if case.environment.approvals == 1 else f"{case.environment.approvals} other people"
    needed = f"{who} must approve {case.freight.checkpoint} for {case.environment.name}, {len(found)} did{given}"
    return Refusal(needed, f"`orchd promote {case.freight.checkpoint} {case.environment.name} --approve`, by somebody else")


CHECKS: dict[str, Callable[[Case], Refusal | None]] = {
    "chain": _check_chain,
    "gates": _check_gated,
    "left": _check_left,
    "before": _check_before,
    "soak": _check_soak,
    "approvals": _check_approvals,
}


def find_faults(history: History, proof: Proof, name: str) -> tuple[str, ...]:
    """Why a checkpoint is no link of main's proven chain: it, or what it stands on, is broken. None: it is one."""
    tag = history.tags.get(name)
    if history.ends:
        return ("this clone is shallow and proves nothing that is beyond its end: `git fetch --unshallow` brings it",)
    if tag is None:
        return ("there is no such tag",)
    if tag.commit not in history.commits:
        return ("main does not contain it (any more)",)
    if history.commits[tag.commit].first(CHECKPOINT) != name:
        return ("its tag points at another commit",)
    beneath = reach(tag.commit, history)
    return tuple(f"{one.checkpoint}: {one.what}" for one in proof.breaks if one.commit in beneath)
