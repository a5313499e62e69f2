"""Kilo: a relative of OpenCode with variables of its own. It takes 10 to 20 seconds to start."""

from __future__ import annotations

from dataclasses import replace

from orchd.adapters.agents.opencode import SIGNS, OpenCode

# `--auto` answers what no rule decides, and the first rule of ours decides everything.
_SIGNS = replace(
    SIGNS,
    program="kilo",
    flags=(*SIGNS.flags, "--auto"),
    keys=("KILO_API_KEY", *SIGNS.keys[1:]),
    files=(".local/share/kilo/auth.json",),
)

PROGRAM = OpenCode(_SIGNS, "KILO_", ("--auto",))
