"""Kilo: a relative of OpenCode with variables of its own. It takes 10 to 20 seconds to start."""

from __future__ import annotations

from dataclasses import replace

from orchd.adapters.agents.opencode import PROGRAM as OPENCODE

# `--auto` answers what no rule decides, and the first rule of ours decides everything.
_SIGNS = replace(
    OPENCODE.signs,
    program="kilo",
    flags=(*OPENCODE.signs.flags, "--auto"),
    keys=("KILO_API_KEY", *OPENCODE.signs.keys[1:]),
    files=(".local/share/kilo/auth.json",),
)

PROGRAM = replace(OPENCODE, signs=_SIGNS, prefix="KILO_", flags=("--auto",))
