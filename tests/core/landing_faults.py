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
    "a red gate is a question": ("evolve", "Status.FAILED if gone.reason is Reason.GATE else Status.HELD", "Status.HELD"),
}
"""What breaks: the module of the core, the sound text, the broken one."""
