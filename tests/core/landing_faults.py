"""Seeded faults of landing: each is one broken line that the scenes or the walks must notice."""

from __future__ import annotations

FAULTS: dict[str, tuple[str, str, str]] = {
    "what must not land is asked for ever": ("landing", "    elif seen.refused:\n", "    elif False:\n"),
    "what was built on the refused lands": ("landing", "exclude_built_on(save, seen.refused)", "seen.refused"),
    "what landed is refused": ("landing", "    if seen.landed:\n", "    if seen.landed and not seen.refused:\n"),
    "the refused are not taken out of the save": (
        "evolve",
        "draft.save = replace(save, excluded=(*save.excluded, *event.excluded))",
        "draft.save = save",
    ),
    "a full disk is a verdict": ("probing", "if last is not None and was_starved", "if False and was_starved"),
    "what a supervisor found is forgotten": ("room", "(seen.exit is not None and seen.exit.starved) or not", "not"),
    "a disk that is full now is overlooked": ("room", " or not has_room(snapshot)", ""),
    "green without room is not believed": ("probing", " and not (verdict and verdict.green)", ""),
    "gates are run without room": ("room", "return has_room(snapshot) and not", "return not"),
    "what was starved is run again at once": ("room", " and not 0 <= snapshot.now_ms - save.starved_ms < _pause_ms(save)", ""),
    "the pause does not grow": ("room", "2 ** (times - 1)", "1"),
    "the pause has no end": ("room", "min(ROOM_MOST_SECONDS, ROOM_SECONDS", "max(0, ROOM_SECONDS"),
    "a run without room counts as lost": ("gating", "[one for one in tries if not one.starved]", "list(tries)"),
    "nobody is told that there is no room": (
        "landing",
        "chain(heard, hold_for_room(save, snapshot, waits=waits))",
        "chain(heard)",
    ),
    "the hold for room stays": ("room", "may_gate(save, snapshot) else None", "may_gate(save, snapshot) else save.hold"),
    "what a task cost is not kept": ("evolve", "spent=add_bill(task.spent, draft.ledger", "spent=add_bill(None, draft.ledger"),
    "a new wording makes it free": ("evolve", "lost=old.lost, spent=old.spent", "lost=old.lost"),
    "an earlier generation is paid again": (
        "evolve",
        "replace(fresh, rework=event.rework, proposer",
        "replace(fresh, spent=old and old.spent, rework=event.rework, proposer",
    ),
    "a save forgets what it cost": ("saving", "fence, task.skipped, task.spent)", "fence, task.skipped)"),
    "a checkpoint does not tell what it cost": ("wording", ", *excluded, *costs)", ", *excluded)"),
    "tokens of answers are free": (
        "costs",
        "one = Spent(new.input_tokens + new.output_tokens",
        "one = Spent(new.input_tokens",
    ),
    "runs without a price are forgotten": ("costs", "cost or 0, int(cost is None))", "cost or 0, 0)"),
    "what main lost is built on": ("checks", "    Check(Cause.GONE, _gone, lambda room: room.gone),\n", ""),
    "the arbiter is not told what main lost": ("preview", "        gone=state.gone,\n", ""),
    "what main lost is not noticed": ("landing", "if snapshot.gone != state.gone:", "if False:"),
    "what main has again is not noticed": ("landing", "if snapshot.gone != state.gone:", "if snapshot.gone - state.gone:"),
    "what landed runs again for a word": ("planner", " and not is_there(task, state.gone) else None", " else None"),
    "what main lost is never run again": ("gone", " and task.spec.id not in gone", ""),
    "what is done again counts as lost": ("gone", " and known[name].status is Status.LANDED)", ")"),
    "a landing that is not closed is overlooked": (
        "gone",
        "    return landed | (_list_saved(state.save) if state.save else {})",
        "    return landed",
    ),
    "the oldest landing leads to all": ("gone", "return max(((_number_of", "return min(((_number_of"),
    "what main lost is taken back": ("restoring", "    if lost is not None:\n", "    if False:\n"),
    "a request in vain is refused again and again": ("restoring", "if intent.id not in {", "if intent.id or not {"),
    "a red gate is a question": ("evolve", "Status.FAILED if gone.reason is Reason.GATE else Status.HELD", "Status.HELD"),
}
"""What breaks: the module of the core, the sound text, the broken one."""
