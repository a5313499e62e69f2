"""Seeded faults of tasks that are judged by themselves: each is one broken line that the scenes or the walks must notice."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "who was not judged by itself comes into a save": ("schedule", "if is_cleared(task, state, config)]", "]"),
    "who is still judged comes into a save": ("screens", "any(verdict.green for verdict in screening.verdicts)", "True"),
    "red by itself turns nobody away": (
        "screening",
        "if isinstance(event, GateRan) and not event.verdict.green:",
        "if False:",
    ),
    "gates of tasks judge no save": ("saving", " is not GatePhase.PROMOTE)", " is GatePhase.SAVE)"),
    "gates of saves judge each task": ("screens", "if gate.phase is GatePhase.TASK)", "if True)"),
    "gates of tasks run without number": ("gate_duties", " and free > 0 and", " and"),
    "what runs for tasks takes no room": ("gate_duties", "sum(one.phase is Phase.RUNNING for one in seen.values())", "0"),
    "tasks are judged before the save is": (
        "gate_duties",
        "(*_list_probes(state, snapshot), *_list_screens(state, snapshot))",
        "(*_list_screens(state, snapshot), *_list_probes(state, snapshot))",
    ),
    "what was said about a task is not stored": ("gate_duties", "not snapshot.screenings[task].kept:", "False:"),
    "a save asks before it is stored": ("gate_duties", "if all(snapshot.screenings[item.task].kept", "if all(True"),
    "who is judged by itself is nothing to do": ("planner", "if is_screening(state):", "if False:"),
    "nobody waits for who is still judged": ("saving", "waits = is_screening(state) or any(", "waits = any("),
    "who is cancelled is judged on": ("statuses", "Status.SAVING, Status.FAILED})", "Status.SAVING, Status.CANCELLED})"),
    "a new wording keeps the old judgement": (
        "evolve",
        "    draft.screenings.pop(task, None)\n    draft.next_order",
        "    draft.next_order",
    ),
    "who was judged alone makes saves timid": ("gating", " and not was_screened_out(task, state)", ""),
    "who lacks room is waited for": ("screens", "not one.verdicts and one.hold is None for one", "not one.verdicts for one"),
    "who lacks room is something to do": ("planner", " and not is_held(name, state)", ""),
    "that it lacks room is not said": ("screening", "itertools.chain(heard, held)", "heard"),
    "runs of gates on tasks are not looked at": ("watched", ".union(gates, screens)", ".union(gates)"),
}
"""What breaks: the module of the core, the sound text, the broken one."""
