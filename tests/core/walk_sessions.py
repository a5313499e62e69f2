"""What the adversary of the walk does with sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchd.model.claim import PathSpec
from orchd.model.save import Gate, Schedule, When
from orchd.model.session import Landing, SessionFileSeen, SessionSpec, TaskDefaults
from orchd.model.snapshot import Intent, Verb

if TYPE_CHECKING:
    from walk import Walk

SESSIONS = ("default", "other", "third")
FORK = "fork"
LANDINGS = (Landing.MANUAL, Landing.ON_COMPLETE, Landing.AUTO, Landing.MANUAL)
SCHEDULES = (Schedule(), Schedule(), Schedule(When.MANUAL), Schedule(When.EVERY, 60))
VERBS = (
    Verb.SAVE_SESSION,
    Verb.SAVE_SESSION,
    Verb.LAND_SESSION,
    Verb.LAND_SESSION,
    Verb.LAND_SESSION,
    Verb.RESUME_SESSION,
    Verb.PAUSE_SESSION,
    Verb.RETRY_SESSION,
    Verb.CANCEL_SESSION,
    Verb.FORK_SESSION,
)


def write_session(walk: Walk) -> None:
    """A session file, new or changed; now and then it cannot be understood or is gone."""
    world, name = walk.world, walk.pick(SESSIONS)
    kind = walk.dice.roll(8)
    world.unclear.discard(name)
    if kind == 7:
        world.sessions.pop(name, None)
        world.unclear.add(name)
    elif kind == 6:
        world.sessions.pop(name, None)
    else:
        world.sessions[name] = a_session(walk, name)


def a_session(walk: Walk, name: str) -> SessionFileSeen:
    base, commit = "", ""
    if walk.one_in(4):
        commit = walk.pick(sorted(oid for oid in walk.world.commits[walk.world.main].behind))
        base = f"base-{commit}"
    gates = (Gate("own", "make own"),) if walk.one_in(3) else ()
    defaults = TaskDefaults(
        priority=walk.pick((None, 1)),
        claims=walk.pick((None, (PathSpec("a/**"),))),
        after=walk.pick((None, None, ("a",))),
        noop=walk.pick((None, True)),
    )
    spec = SessionSpec(name, walk.pick(LANDINGS), base, walk.dice.roll(3), gates, defaults, walk.pick((None, *SCHEDULES)))
    return SessionFileSeen(f"sessions/{name}.yaml", spec, commit)


def ask_session(walk: Walk) -> None:
    """Somebody wants something of a whole session; where something can be landed, resumed or forked, most often that."""
    known, tags = walk.world.state.sessions, sorted(walk.world.tags.values())
    subjects = {
        Verb.LAND_SESSION: [name for name in sorted(known) if known[name].line],
        Verb.RESUME_SESSION: [name for name in sorted(known) if known[name].paused],
        Verb.SAVE_SESSION: sorted({t.spec.session for t in walk.world.state.tasks.values() if t.status.value == "ready"}),
        Verb.FORK_SESSION: [FORK] if tags and FORK not in known else [],
    }
    verb = walk.pick([verb for verb in subjects if subjects[verb]] or VERBS) if walk.one_in(2) else walk.pick(VERBS)
    subject = walk.pick(subjects.get(verb) or SESSIONS)
    words = (walk.pick(tags), "checkpoint/1", str(walk.pick(LANDINGS))) if verb is Verb.FORK_SESSION and tags else ()
    walk.world.intents.append(Intent(f"intent{walk.next()}", verb, subject, words))


def answer(walk: Walk) -> None:
    """A person comes back: goes on with what was paused, lands what was collected, or begins anew at a checkpoint."""
    tags = sorted(walk.world.tags.values())
    if tags and walk.one_in(4):
        words = (walk.pick(tags), "checkpoint/1", str(walk.pick(LANDINGS)))
        walk.world.intents.append(Intent(f"intent{walk.next()}", Verb.FORK_SESSION, FORK, words))
    for name in sorted({task.spec.session for task in walk.world.state.tasks.values() if task.status.value == "ready"}):
        if not walk.one_in(4):
            walk.world.intents.append(Intent(f"intent{walk.next()}", Verb.SAVE_SESSION, name))
    for name, session in sorted(walk.world.state.sessions.items()):
        for verb, wanted in ((Verb.RESUME_SESSION, session.paused), (Verb.LAND_SESSION, session.line)):
            if wanted and not walk.one_in(4):
                walk.world.intents.append(Intent(f"intent{walk.next()}", verb, name))
