"""What must hold about sessions at every step of a walk, spelled without the core's own helpers."""

from __future__ import annotations

from math import inf

from oracle import ACTIVE, FINISHED, OPEN, SUCCEEDED, clashes
from screen_laws import is_let_through
from world import World, demand, integration

from orchd.model.config import Config
from orchd.model.message import AttemptStarted, SavePlanned, SessionEnded
from orchd.model.session import Session
from orchd.model.snapshot import Snapshot, State
from orchd.model.work import Task

DONE = {"integrated", "landed", "unchanged", "cancelled", "withdrawn"}


def known(state: State, name: str) -> Session | None:
    return state.sessions.get(name)


def is_apart(state: State, name: str) -> bool:
    """Whether a session saves to its line."""
    session = known(state, name)
    return session is not None and (session.spec.landing.value != "auto" or bool(session.line))


def check_lines(world: World, state: State) -> None:
    """A line holds exactly the integrated tasks (and those of it that are just landing), each merged on the one before."""
    integrated = {name for name, task in state.tasks.items() if task.status.value == "integrated"}
    landing = {item.task for item in state.save.items} if state.save and state.save.start else set()
    on_lines = {name for session in state.sessions.values() for name in session.line}
    demand("the lines hold what is integrated", integrated == on_lines - landing, integrated, on_lines, landing)
    for name, session in state.sessions.items():
        demand("a line holds tasks of its session", all(state.tasks[t].spec.session == name for t in session.line), session)
        demand("a line has a beginning", bool(session.start) == bool(session.line), session)
        before = session.start
        for task in session.line:
            head = state.tasks[task].commit
            behind = world.commits[head].behind
            demand("a line is a chain", before in behind and state.tasks[task].tip in behind, session, task)
            before = head


def check_overlaps(world: World, state: State) -> None:
    """Claims of open tasks never overlap, but in one session where one is built on the other's work, or is a result that was
    taken up again: for that one, what is on the line of its session has landed."""
    held = sorted(state.leases)
    for at, one in enumerate(held):
        for other in held[at + 1 :]:
            if clashes(state.leases[one].paths, state.leases[other].paths):
                pair = state.tasks[one], state.tasks[other]
                demand("claims of open tasks never overlap", is_sequel(world, *pair) or is_sequel(world, *reversed(pair)), pair)


def is_sequel(world: World, first: Task, then: Task) -> bool:
    """Whether `then` came after `first` in their session."""
    if first.spec.session != then.spec.session or not first.tip:
        return False
    return then.spec.id in world.reworked or first.tip in world.commits[then.base].behind


def check_session_start(world: World, snapshot: Snapshot, state: State, event: AttemptStarted) -> None:
    """It is its turn in its session, what must come before has come, and it starts from the right commit."""
    spec = state.tasks[event.task].spec
    session = known(state, spec.session)
    if session is not None:
        limit = session.spec.parallel
        running = sum(t.status.value in ACTIVE for t in state.tasks.values() if t.spec.session == spec.session)
        demand("a session keeps its limit", not limit or running < limit, event)
        demand("nothing of a paused session starts", not session.paused, event)
    for need in spec.needs:
        needed = state.tasks[need]
        good = is_done(state, needed, spec.session, SUCCEEDED) or (needed.spec.optional and needed.status.value == "failed")
        demand("what it needs has come to a good end", good, event, need)
        demand("main contains what it needs", need not in snapshot.gone, event, need)
    for earlier in spec.after:
        ended = earlier not in state.tasks or is_done(state, state.tasks[earlier], spec.session, FINISHED)
        demand("what it comes after has ended", ended, event, earlier)
    task, behind = state.tasks[event.task], world.commits[snapshot.main].behind
    demand("nothing that main contains is done again", not task.checkpoint or task.commit not in behind, event, task)
    rework = task.rework
    if rework is None:
        check_base(world, snapshot.main, state, event)
    else:
        world.reworked.add(event.task)
        demand("a result is taken up where it was begun", not rework.base or event.base == rework.base, event)


def check_base(world: World, main: str, state: State, event: AttemptStarted) -> None:
    """It starts from the line of its session, or from where the session was pinned, or from main; after a step checkpoint from
    where the first attempt began."""
    spec, gone_on = state.tasks[event.task].spec, bool(state.tasks[event.task].steps)
    demand("it goes on from where it began", not gone_on or event.base == state.tasks[event.task].base, event)
    session, behind = known(state, spec.session), world.commits[event.base].behind
    line, pinned = (session.line, session.pinned) if session else ((), "")
    under_way = state.save is not None and state.save.session == spec.session and state.save.target.value == "line"
    for before in line if not gone_on else ():
        demand("a task sees what is on its session's line", state.tasks[before].commit in behind, event, before)
    if not line and not under_way and not gone_on:
        demand("a task starts from the pin of its session, or from main", event.base == (pinned or main), event)
    for need in spec.needs:
        task = state.tasks[need]
        seen = task.spec.session == spec.session or not line
        demand("the base contains what it needs", pinned or not seen or not task.commit or task.commit in behind, event, need)


def is_done(state: State, task: Task, session: str, good: set[str]) -> bool:
    """Whether a task is done for one of `session`."""
    name = task.spec.id
    beneath = task.spec.session == session and session in state.sessions and name in state.sessions[session].line
    return task.status.value in good or beneath


def check_save_planned(snapshot: Snapshot, state: State, event: SavePlanned) -> None:
    """Where a save goes follows from its session, and a line lands only when it may."""
    save, session = event.save, known(state, event.save.session)
    apart = is_apart(state, save.session)
    goes = (save.target.value == "line", bool(save.start))
    demand(
        "the way of a save follows from its session",
        goes in ({(True, False), (False, True)} if apart else {(False, False)}),
        save,
    )
    if save.target.value == "main" and not save.start:
        at = {item.task: due_ms(state, snapshot.config, state.tasks[item.task]) for item in save.items}
        rushed = snapshot.until_idle and not any(task.status.value in ACTIVE for task in state.tasks.values())
        back = {name for name in at if snapshot.now_ms < state.tasks[name].ended_ms}
        late = all(due <= snapshot.now_ms or (due < inf and (rushed or name in back)) for name, due in at.items())
        demand("only what is due is saved", late, save, at, snapshot.now_ms)
    config = snapshot.config
    gates = session.spec.gates if session else ()
    asked = tuple(gate for gate in config.gates + gates if gate.name != "load")
    demand("a session's own gates come last, after all others, and those of promotions never", save.gates == asked, save)
    if session is None:
        return
    demand("nothing of a paused session lands", not session.paused or save.target.value == "line", save)
    if save.start:
        demand("a whole line lands, in its order", tuple(item.task for item in save.items) == session.line, save)
        complete = all(t.status.value in DONE for t in state.tasks.values() if t.spec.session == save.session)
        allowed = {"auto": True, "manual": session.asked, "on-complete": session.asked or complete}
        demand("a line lands when its session says so", allowed[session.spec.landing.value], save, session)


def check_session_ended(state: State, event: SessionEnded) -> None:
    """Settings are forgotten only when nobody needs them."""
    left = [t for t in state.tasks.values() if t.spec.session == event.session and t.status.value not in DONE]
    session = state.sessions[event.session]
    demand("settings hold while anything is open", not left and not session.line and not session.paused, event, left)


def check_waits(world: World, state: State) -> None:
    """At the end of a walk: what is left on a line, or ready, waits for a person; branches are where they belong."""
    for name, session in state.sessions.items():
        tip = state.tasks[session.line[-1]].commit if session.line else session.pinned
        held_back = state.save is not None and state.save.session == name
        demand(
            "a branch shows the end of its line", not tip or held_back or world.branches.get(integration(name)) == tip, session
        )
        unsettled = [t for t in state.tasks.values() if t.spec.session == name and t.status.value not in DONE]
        manual = session.spec.landing.value == "manual" and not session.asked
        incomplete = session.spec.landing.value == "on-complete" and not session.asked and bool(unsettled)
        held = state.save is not None and state.save.hold is not None
        waits = session.paused or manual or incomplete or held
        demand("a line that could land has landed", not session.line or waits, session)
    for task in state.tasks.values():
        if task.status.value == "ready":
            demand("only a paused session keeps ready work", waits_for_person(state, world.config, task), task)


def waits_for_person(state: State, config: Config, task: Task) -> bool:
    """Whether an open task can stay so until somebody does something about its session."""
    session = known(state, task.spec.session)
    held = state.save is not None and state.save.hold is not None
    paused = session is not None and (task.status.value == "integrated" or (session.paused and task.status.value == "ready"))
    return held or paused or waits_alone(state, config, task)


def waits_alone(state: State, config: Config, task: Task) -> bool:
    """The same, whatever the save under way does: it is integrated, or ready in a paused session without a line, or ready and
    nobody has asked for its save."""
    return task.status.value == "integrated" or (task.status.value == "ready" and due_ms(state, config, task) == inf)


def due_ms(state: State, config: Config, task: Task) -> float:
    """When a ready task may be saved: -inf at once, inf when somebody does something."""
    session = known(state, task.spec.session)
    if is_apart(state, task.spec.session):
        return -inf
    if session is not None and session.paused:
        return inf
    schedule = (session.spec.save if session else None) or config.save
    mine = (t for t in state.tasks.values() if t.status.value == "ready" and t.spec.session == task.spec.session)
    first = min((t.ended_ms for t in mine if not t.due), default=0)
    ends = {"auto": -inf, "manual": inf, "every": first + int(schedule.every_seconds * 1000)}
    return -inf if task.due else ends[schedule.when.value]


def find_due(snapshot: Snapshot, state: State) -> list[int]:
    """When those ended that may be saved now."""
    runs = any(task.status.value in ACTIVE for task in state.tasks.values())
    ready = [task for task in state.tasks.values() if task.status.value == "ready"]
    ready = [task for task in ready if is_let_through(state, snapshot.config, task)]
    at = [(task, due_ms(state, snapshot.config, task)) for task in ready]
    now, rushed = snapshot.now_ms, snapshot.until_idle and not runs
    return [t.ended_ms for t, due in at if due <= now or (due < inf and (rushed or now < t.ended_ms))]


def claims_held_for_people(state: State, config: Config) -> bool:
    """Whether any claim is held by work that waits for a person."""
    return any(task.status.value in OPEN and waits_for_person(state, config, task) for task in state.tasks.values())
