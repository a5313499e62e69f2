"""The words that orchd writes into git: commit messages, trailers, the tag's message, the audit note.

Rule: a function of the records alone, so that a replay makes the same objects. Titles are strangers' text: one line, inert.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from orchd.core.costs import COST, word_spent
from orchd.core.inert import inert
from orchd.model.ids import Oid, TaskId, checkpoint_name
from orchd.model.merge import Resolved
from orchd.model.message import (
    AttemptEnded,
    AttemptStarted,
    ConflictCleared,
    ConflictPredicted,
    CostBooked,
    Event,
    ExtensionAsked,
    ExtensionRefused,
    GateLost,
    GateRan,
    GateStarved,
    GateTried,
    LandingAsked,
    LandingsGone,
    LeaderTook,
    LeaseExpired,
    LeaseExtended,
    ProblemsChanged,
    ProposalsHeard,
    RemedyFound,
    RequestRefused,
    SaveAbandoned,
    SaveAsked,
    SaveClosed,
    SaveGated,
    SaveHeld,
    SaveLanded,
    SaveMerged,
    SavePlanned,
    SaveRefused,
    ScreenedOut,
    ScreeningBegun,
    SessionAdopted,
    SessionElsewhere,
    SessionEnded,
    SessionFileLost,
    SessionForked,
    SessionOwned,
    SessionPaused,
    SessionResumed,
    SessionSeen,
    StopAsked,
    TaskAdopted,
    TaskAnswered,
    TaskCancelled,
    TaskRetried,
    TaskSeen,
    TaskWithdrawn,
)
from orchd.model.save import UNVERIFIED, Excluded, Gate, GateResult, Merged, Save, SaveItem, Target
from orchd.model.text import day_of
from orchd.model.work import Rework

SUBJECT_CHARS = 100

Trailer = tuple[str, str]

OPERATIONS: Mapping[type[Event], tuple[str, Callable[..., str]]] = {
    LeaderTook: ("lead", lambda event: f"epoch {event.epoch}"),
    ProblemsChanged: ("note", lambda event: f"{len(event.problems)} problems"),
    TaskSeen: ("add", lambda event: event.spec.id),
    ProposalsHeard: ("hear proposals of", lambda event: event.task),
    TaskWithdrawn: ("withdraw", lambda event: event.task),
    AttemptStarted: ("start", lambda event: event.task),
    AttemptEnded: ("end", lambda event: f"{event.task} {event.status}"),
    RemedyFound: ("follow up", lambda event: f"{event.task} {event.tried.failure}"),
    CostBooked: ("book cost of", lambda event: event.bill.task),
    LeaseExpired: ("expire lease of", lambda event: event.task),
    ExtensionAsked: ("ask for more for", lambda event: event.task),
    LeaseExtended: ("extend", lambda event: event.task),
    ExtensionRefused: ("refuse more to", lambda event: event.task),
    StopAsked: ("stop", lambda event: event.task),
    TaskCancelled: ("cancel", lambda event: event.task),
    TaskRetried: ("retry", lambda event: event.task),
    ConflictPredicted: ("predict conflict of", lambda event: f"{event.task} with {event.other or 'main'}"),
    ConflictCleared: ("clear conflict of", lambda event: f"{event.task} with {event.other or 'main'}"),
    TaskAnswered: ("answer", lambda event: f"{event.task} {event.rework.answer}"),
    ScreeningBegun: ("judge by itself", lambda event: event.screening.items[0].task),
    ScreenedOut: ("turn away", lambda event: event.task),
    SavePlanned: ("plan save", lambda event: event.save.id),
    SaveMerged: ("merge save", lambda event: event.save),
    GateRan: ("gate", lambda event: f"{event.save} {'green' if event.verdict.green else 'red'}"),
    GateTried: ("ask gates once more for", lambda event: event.save),
    GateLost: ("repeat gate of", lambda event: event.save),
    GateStarved: ("want room for gates of", lambda event: event.save),
    SaveHeld: ("hold save", lambda event: event.save),
    SaveGated: ("pass save", lambda event: event.save),
    SaveRefused: ("refuse to land", lambda event: ", ".join(gone.item.task for gone in event.excluded)),
    SaveLanded: ("land save", lambda event: event.save),
    SaveAbandoned: ("abandon save", lambda event: event.save),
    SaveClosed: ("close save", lambda event: event.save),
    SessionOwned: ("own", lambda event: f"{event.session} epoch {event.epoch}"),
    SessionElsewhere: ("leave", lambda event: f"{event.session} to {event.owner}"),
    TaskAdopted: ("adopt", lambda event: event.spec.id),
    SessionSeen: ("set session", lambda event: event.spec.id),
    SessionFileLost: ("miss file of session", lambda event: event.session),
    SessionEnded: ("end session", lambda event: event.session),
    SessionPaused: ("pause session", lambda event: event.session),
    SessionResumed: ("resume session", lambda event: event.session),
    SaveAsked: ("ask to save", lambda event: ", ".join(event.tasks)),
    LandingAsked: ("ask to land session", lambda event: event.session),
    SessionAdopted: ("adopt session", lambda event: event.session.spec.id),
    RequestRefused: ("refuse", lambda event: f"{event.refused.verb} {event.refused.subject}"),
    LandingsGone: ("miss landings of", lambda event: ", ".join(event.tasks) or "nobody"),
    SessionForked: ("fork session", lambda event: f"{event.session} from {event.origin}"),
}
"""What each event is called in the log of operations, and whom it concerns."""


def word_operation(events: Sequence[Event]) -> str:
    """The subject of an operation, like `start fix-auth` or `3 events: start a, b; plan save 1f2e`."""
    phrases = []
    for verb, group in groupby(events, key=lambda event: OPERATIONS[type(event)][0]):
        whom = ", ".join(OPERATIONS[type(event)][1](event) for event in group)
        phrases.append(f"{verb} {whom}")
    count = f"{len(events)} events: " if len(events) > 1 else ""
    return _shorten(count + "; ".join(phrases), SUBJECT_CHARS)


def compose(subject: str, body: Iterable[str], trailers: Iterable[Trailer]) -> str:
    """A commit message: subject, body, trailers as the last paragraph."""
    lines = "\n".join(body)
    ends = "\n".join(f"{key}: {inert(value)}" for key, value in trailers)
    return "\n\n".join(part for part in (subject, lines, ends) if part) + "\n"


def word_merge(item: SaveItem, title: str, save: Save, resolved: Sequence[Resolved] = ()) -> str:
    """The message of the merge of one task, with each conflict that was settled without asking."""
    trailers = (
        ("Orch-Task", token(item)),
        ("Orch-Save", save.id),
        *(("Orch-Skipped", step) for step in item.skipped),
        *(("Orch-Resolved", tell_resolved(one)) for one in resolved),
    )
    return compose(_shorten(f"Merge {item.task}: {inert(title)}", SUBJECT_CHARS), (), trailers)


def word_checkpoint(save: Save, titles: Sequence[str], version: str) -> str:
    """The message of the commit that lands on main."""
    names = _titles_by_task(save, titles)
    landed = landed_links(save)
    subject = f"Land {', '.join(link.item.task for link in landed)}"
    if len(landed) == 1:
        subject += f": {names[landed[0].item.task]}"
    body = [f"- {link.item.task}: {names[link.item.task]}" for link in landed] if len(landed) > 1 else []
    trailers = (*_identity(save), *_evidence(save), ("Orch-Version", version))
    return compose(_shorten(subject, SUBJECT_CHARS), body, trailers)


def word_restored(source: Oid, token_of_run: str) -> str:
    """The message of a commit that brings the tree of an earlier one back."""
    return compose(f"Bring back the tree of {source[:12]}", (), (("Orch-Attempt", token_of_run), ("Orch-Restores", source)))


def word_rework(subject: str, token_of_run: str, tip: Oid) -> str:
    """The message of a result from which the paths outside the claim were taken away."""
    body = ("What it changed outside its claim was put back, as a person answered.",)
    return compose(_shorten(inert(subject), SUBJECT_CHARS), body, (("Orch-Attempt", token_of_run), ("Orch-Rework-Of", tip)))


def word_settled(subject: str, token_of_run: str, rework: Rework, paths: Sequence[str]) -> str:
    """The message of a result that was merged with what had landed, as a person answered."""
    body = ("What conflicted was settled by a person. Ours is what had landed, theirs what the task made.",)
    named = {file.path for file in rework.files}
    how = ((inert(path), "file" if path in named else str(rework.answer)) for path in paths)
    settled = tuple(("Orch-Settled", f"{said} {path}") for path, said in how)
    ends = (("Orch-Attempt", token_of_run), ("Orch-Rework-Of", rework.tip), *settled)
    return compose(_shorten(inert(subject), SUBJECT_CHARS), body, ends)


def word_tag(save: Save) -> str:
    """The message of the checkpoint's tag."""
    return compose(name_checkpoint(save), (), (*_identity(save), *_evidence(save)))


def word_note(save: Save, version: str) -> str:
    """The audit of one save as lines `key: value`, for people."""
    lines = [
        ("save", save.id),
        ("session", save.session),
        *_destination(save),
        ("base", save.base),
        *(("task", token(link.item)) for link in landed_links(save)),
        *(("skipped", f"{link.item.task} {step}") for link in landed_links(save) for step in link.item.skipped),
        *(("gate", _tell_result(result)) for result in landed_results(save)),
        *(() if landed_results(save) else (("gates", UNVERIFIED),)),
        *(("resolved", told) for told in _list_resolved(save)),
        *(("excluded", _tell_excluded(excluded)) for excluded in save.excluded),
        ("orchd", version),
    ]
    return "".join(f"{key}: {inert(value)}\n" for key, value in lines)


def _destination(save: Save) -> tuple[Trailer, ...]:
    if save.target is Target.LINE:
        return (("integrated", landed_links(save)[-1].head),)
    return ("checkpoint", name_checkpoint(save)), ("commit", save.commit)


def name_checkpoint(save: Save) -> str:
    """The name of the tag that this save makes."""
    return checkpoint_name(day_of(save.date_ms), save.number)


def landed_links(save: Save) -> tuple[Merged, ...]:
    """The links of the chain that land."""
    return save.chain[: save.lands]


def landed_results(save: Save) -> tuple[GateResult, ...]:
    """What the gates said about the tree that lands."""
    return next((v.results for v in save.verdicts if v.index == save.lands and v.green), ())


def token(item: SaveItem) -> str:
    """The work of an item in words: task, generation.attempt, tip."""
    return f"{item.task} {item.generation}.{item.attempt} {item.tip}"


def _identity(save: Save) -> tuple[Trailer, ...]:
    return (
        ("Orch-Save", save.id),
        ("Orch-Session", save.session),
        ("Orch-Checkpoint", name_checkpoint(save)),
        ("Orch-Base", save.base),
        *(("Orch-Task", token(link.item)) for link in landed_links(save)),
    )


def _evidence(save: Save) -> tuple[Trailer, ...]:
    keys = {gate.name: name_definition(gate) for gate in save.gates}
    gates = tuple(
        ("Orch-Gate", f"{result.gate} passed {keys.get(result.gate, '')}".rstrip()) for result in landed_results(save)
    )
    excluded = tuple(("Orch-Excluded", f"{left.item.task} {left.reason}") for left in save.excluded)
    resolved = tuple(("Orch-Resolved", told) for told in _list_resolved(save))
    items = (link.item for link in landed_links(save))
    costs = tuple((COST, f"{item.task} {word_spent(item.spent)}") for item in items if item.spent)
    return (*(gates or (("Orch-Gates", UNVERIFIED),)), *resolved, *excluded, *costs)


def name_definition(gate: Gate) -> str:
    """The same for gates that are defined alike, on every machine: what exactly judged the tree."""
    parts = (gate.name, gate.run, *gate.inputs, "", *(f"{name}={value}" for name, value in gate.env))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def tell_resolved(one: Resolved) -> str:
    """How a file was settled: the recipes, then the path."""
    return f"{'+'.join(one.recipes)} {one.path}"


def _list_resolved(save: Save) -> tuple[str, ...]:
    return tuple(f"{link.item.task} {tell_resolved(one)}" for link in landed_links(save) for one in link.resolved)


def _tell_result(result: GateResult) -> str:
    words = [word for word, holds in (("known before", result.cached), ("flaky", result.flaky)) if holds]
    more = f" ({', '.join(words)})" if words else ""
    return f"{result.gate} {'passed' if result.green else 'failed'} in {result.seconds:.1f} s{more}"


def _tell_excluded(excluded: Excluded) -> str:
    because = f" ({', '.join(excluded.detail)})" if excluded.detail else ""
    return f"{token(excluded.item)} {excluded.reason}{because}"


def _titles_by_task(save: Save, titles: Sequence[str]) -> Mapping[TaskId, str]:
    return {item.task: inert(title) for item, title in zip(save.items, titles, strict=True)}


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
