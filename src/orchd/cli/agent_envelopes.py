"""What the commands about agents and the check-up print, field by field."""

from __future__ import annotations

from orchd.cli.fields import Envelope, Field, Kind

CALL_FIELDS = (
    Field("last_tool", Kind.TEXT, "the last call that an agent made in its last attempt"),
    Field("tools", Kind.NUMBER, "how many calls its agents made there"),
)
REPORT_FIELDS = (
    *CALL_FIELDS,
    Field("tokens", Kind.NUMBER, "tokens in and out of this attempt, as programs count them"),
    Field("cost", Kind.DOLLARS, "US dollars; null: its program does not say"),
)
AGENT_ENVELOPES = (
    Envelope(
        "agents",
        "The agent programs that orchd knows, asked now.",
        (
            Field("program", Kind.TEXT, "its name in agent definitions"),
            Field("usable", Kind.FLAG, "whether it is installed and has what orchd needs"),
            Field("version", Kind.TEXT, "what it says of itself"),
            Field("login", Kind.TEXT, "the variable or file that it would sign in with; empty: nothing was found"),
            Field("efforts", Kind.TEXTS, "the levels that it has a setting for"),
            Field("missing", Kind.TEXTS, "flags that orchd needs and it does not have"),
            Field("path", Kind.TEXT, "the command that would be started"),
            Field("problem", Kind.TEXT, "why it cannot be used"),
            Field("models", Kind.TEXTS, "the models that it says it has; most programs do not say"),
        ),
        many=True,
    ),
    Envelope(
        "doctor",
        "A check-up of this machine, this repository and the agent programs.",
        (
            Field("check", Kind.TEXT, "what was looked at"),
            Field("result", Kind.TEXT, "good, poor (orchd works, but not with this, or not as well as it could) or bad"),
            Field("what", Kind.TEXT, "what was seen"),
            Field("hint", Kind.TEXT, "what to do"),
        ),
        many=True,
    ),
)
