"""Seeded faults in what the core knows about sessions."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_mutants import Fault, notice, thin_out

FAULTS = {
    "a start is newer than the save to its line": Fault(
        "sessions", "if save is not None and save.target is Target.LINE and save.session == name:", "if False:"
    ),
    "later tasks do not start from the line": Fault(
        "sessions", "state.tasks[session.line[-1]].commit if session.line else session.pinned", "session.pinned"
    ),
    "a paused session lands": Fault("sessions", "if not session.line or session.paused:", "if not session.line:"),
    "a session lands before it is complete": Fault(
        "sessions", "Landing.ON_COMPLETE and not find_unsettled(state, session.spec.id)", "Landing.ON_COMPLETE"
    ),
    "a manual session lands by itself": Fault(
        "sessions", "if session.asked or session.spec.landing is Landing.AUTO:", "if True:"
    ),
    "nobody can land a session": Fault("sessions", "if session.asked or session.spec", "if session.spec"),
    "pausing does not keep work from main": Fault(
        "sessions", "return works_apart(session) or not session.paused", "return True"
    ),
    "what is left on a line is forgotten": Fault("sessions", " or bool(session.line)", ""),
    "what was built on a culprit stays": Fault("sessions", "if not save.start or not culprits:", "if True:"),
    "what was built on a cancelled task stays": Fault("sessions", "if tasks[name].base in lost", "if False"),
    "a save is given up though it may have landed": Fault(
        "sessions", "return save.target is Target.LINE or save.step in", "return True or save.step in"
    ),
    "a paused session keeps orchd busy": Fault("schedule", "return takes_saves(session_of", "return True or (session_of"),
    "a schedule counts for nothing": Fault("schedule", "is When.MANUAL", "is None"),
    "a set time counts for nothing": Fault("schedule", "if schedule.when is When.EVERY and", "if False and"),
    "a set time begins with the last task": Fault("schedule", "= min(end, ends.get", "= max(end, ends.get"),
    "a set time is stretched by the clock": Fault("schedule", " or now_ms < task.ended_ms", ""),
    "nobody looks when a set time is over": Fault("saving", "next_end_ms(state, snapshot.config, snapshot.now_ms))", "None)"),
    "a run waits for a set time": Fault("saving", "return snapshot.until_idle and not any", "return False and not any"),
    "a run does not gather": Fault("saving", "return snapshot.until_idle and not any", "return snapshot.until_idle or not any"),
    "a word is not heard": Fault("schedule", " and not task.due\n", "\n"),
    "a word waits for the set time": Fault("schedule", "rushed or task.due or", "rushed or"),
    "a word counts for all sessions": Fault(
        "session_wishes", "if state.tasks[name].spec.session == intent.subject))", "if state.tasks[name].spec.session))"
    ),
    "a word counts for the next attempt": Fault("evolve", " due=False,", ""),
    "the schedule of a session is forgotten": Fault("schedule", "session.spec.save or config.save", "config.save"),
    "a line waits for its schedule": Fault("schedule", "    if works_apart(session):\n", "    if False:\n"),
    "what fell out of a line is built on": Fault("lines", "if save.start and save.excluded:", "if False:"),
    "a landed line lands again": Fault("lines", "session = keep_line(session, ())", "pass"),
    "a request to land stays": Fault("sessions", "asked=session.asked and bool(kept)", "asked=session.asked"),
    "a request to land is lost with a link": Fault("sessions", "asked=session.asked and bool(kept)", "asked=False"),
    "a request to land is served by the plan": Fault(
        "evolve",
        "    draft.save = event.save\n",
        "    draft.save = event.save\n    _settle_session(draft, event.save.session, asked=False)\n",
    ),
    "pausing does not take a save back": Fault("landing", "if is_recalled(state.save, state, snapshot.main):", "if False:"),
    "pausing takes back what goes to a line": Fault(
        "sessions", "return save.target is Target.MAIN and session_of", "return session_of"
    ),
    "a waiting checkout proves that main has not moved": Fault(
        "sessions", "save.hold is not None and main == save.base", "save.hold is not None"
    ),
    "what waits for the checkout cannot be taken back": Fault("sessions", "SaveStep.MERGED) or kept_off", "SaveStep.MERGED)"),
    "a pin stays behind": Fault("lines", "if save.commit and session.pinned:", "if False:"),
    "a pin stays behind the main that it conflicted with": Fault(
        "lines", "pinned=save.base) if met", "pinned=save.base) if False"
    ),
    "a pin goes on whatever fell out": Fault("lines", "one.reason is Reason.CONFLICT for", "True for"),
    "what came after a cancelled task is lost": Fault("evolve", "    for task in free:\n", "    for task in ():\n"),
    "a paused session starts": Fault("checks", "return Grounds(detail=(spec.session,)) if paused else None", "return None"),
    "a session has no limit": Fault("quotas", "return session_of(state, name).spec.parallel or None", "return None"),
    "the line of any session will do": Fault(
        "checks", "if task not in beneath)", "if task not in {n for s in state.sessions.values() for n in s.line})"
    ),
    "the claims of all lines are passed": Fault(
        "checks",
        "beneath = session_of(desk.state, spec.session).line",
        "beneath = tuple(n for s in desk.state.sessions.values() for n in s.line)",
    ),
    "the gates of a session are forgotten": Fault("saving", "in config.gates + session.spec.gates if", "in config.gates if"),
    "a session replaces the gates": Fault(
        "saving", "in config.gates + session.spec.gates if", "in session.spec.gates or config.gates if"
    ),
    "a gate of promotions judges a save": Fault("saving", " if gate.phase is not GatePhase.PROMOTE)", ")"),
    "settings go while tasks are open": Fault(
        "session_files", "elif not session.file and _is_spent", "elif not session.file or _is_spent"
    ),
    "defaults overrule a file": Fault("session_files", "if default is None or key in own else", "if default is None else"),
    "a base moves under running tasks": Fault("session_files", "if old.line or find_unsettled(state, spec.id):", "if False:"),
    "rules that are unclear are guessed": Fault(
        "session_files", "return file.spec.session in (seen.bad | seen.unsettled) and", "return False and"
    ),
    "words that were taken back are followed": Fault(
        "intake", "{*(files.keys() - wrong.keys()), *away}", "{*(files.keys() - wrong.keys()), *stuck, *away}"
    ),
    "who waits for a session is not told of": Fault("intake", "if file.spec.session in snapshot.sessions.bad}", "if False}"),
    "defaults take an answer back": Fault("intake", " and task.attempt == 0\n", "\n"),
    "a line is cut from the wrong end": Fault(
        "session_wishes", "for name in (*reversed(line), *names):", "for name in (*line, *names):"
    ),
    "cancelling pulls the line from under a save": Fault(
        "planner", "if task and save and is_touched(save, task) and may_be_given_up(save, snapshot.main):", "if False:"
    ),
    "branches are not put right": Fault("duties", "            yield PlaceLine(name, tip)\n", "            pass\n"),
    "a place is kept for whoever waits for a line": Fault(
        "arbiter", "if not elders or _waits_for_person(elders[0], desk):", "if not elders:"
    ),
}


@pytest.mark.parametrize("fault", thin_out(FAULTS))
def test_each_seeded_fault_is_noticed(fault: Fault, tmp_path: Path) -> None:
    notice(fault, tmp_path)
