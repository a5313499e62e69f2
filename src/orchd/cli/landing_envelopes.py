"""What the commands print that are about what has landed: checkpoints, gates, proofs, ways back."""

from __future__ import annotations

from orchd.cli.fields import Envelope, Field, Kind

SPENT_FIELDS = (
    Field("cost", Kind.DOLLARS, "US dollars that its agents cost, as far as known; null: nothing is, or no agent worked on it"),
    Field("tokens", Kind.NUMBER, "tokens in and out of its agents"),
    Field("unpriced", Kind.NUMBER, "runs of agents whose money nobody knows"),
)
CHECKPOINT_FIELDS = (
    Field("name", Kind.TEXT, "tag"),
    Field("created", Kind.INSTANT, "when it was tagged"),
    Field("commit", Kind.OID, "commit on main"),
    Field("session", Kind.TEXT, "session that was saved"),
    Field("gates", Kind.TEXT, "gates that judged the tree that landed, or `unverified`"),
    Field("tasks", Kind.TEXTS, "tasks that landed with it"),
    *SPENT_FIELDS,
)

WORK_FIELDS = (
    Field("task", Kind.TEXT, "id"),
    Field("title", Kind.TEXT, "what it was for"),
    Field("agent", Kind.TEXT, "who did it"),
    Field("attempt", Kind.TEXT, "generation.attempt"),
    Field("tip", Kind.OID, "its commit"),
    *SPENT_FIELDS,
)
PROMOTED_FIELD = Field("promoted", Kind.TEXTS, "environments in which it stands now")

LANDING_ENVELOPES = (
    Envelope("checkpoints", "Landed saves, the newest first.", (*CHECKPOINT_FIELDS, PROMOTED_FIELD), many=True),
    Envelope(
        "checkpoint",
        "One checkpoint: what landed with it, and what going back to it would mean.",
        (
            *CHECKPOINT_FIELDS,
            PROMOTED_FIELD,
            Field("kept", Kind.TEXTS, "why `orchd prune` keeps its tag; empty: it would take it away"),
            Field("restores", Kind.NUMBER, "files that differ between it and main now"),
            Field("work", Kind.ROWS, "what landed", WORK_FIELDS),
        ),
        many=False,
    ),
    Envelope(
        "prune",
        "Checkpoints, the newest first, and whether they keep their tags.",
        (
            Field("name", Kind.TEXT, "tag"),
            Field("created", Kind.INSTANT, "when it was tagged"),
            Field("kept", Kind.FLAG, "whether it keeps its tag"),
            Field("why", Kind.TEXTS, "why"),
        ),
        many=True,
    ),
    Envelope(
        "pin",
        "A checkpoint that is pinned, or not any more.",
        (Field("name", Kind.TEXT, "tag"), Field("pinned", Kind.FLAG, "whether it is pinned now")),
        many=True,
    ),
    Envelope(
        "costs",
        "What agents cost.",
        (
            Field("name", Kind.TEXT, "the day, session, task, agent or model"),
            Field("by", Kind.TEXT, "which of these"),
            Field("runs", Kind.NUMBER, "runs of agents that have ended"),
            Field("input_tokens", Kind.NUMBER, "tokens of prompts, with the cached ones"),
            Field("cached_tokens", Kind.NUMBER, "cached tokens of prompts"),
            Field("output_tokens", Kind.NUMBER, "tokens of answers"),
            Field("dollars", Kind.TEXT, "what is known of the money, in US dollars"),
            Field("unpriced", Kind.NUMBER, "runs whose money nobody knows"),
        ),
        many=True,
    ),
    Envelope(
        "gates",
        "What became of each gate.",
        (
            Field("gate", Kind.TEXT, "name"),
            Field("green", Kind.NUMBER, "trees on which it was run and passed"),
            Field("red", Kind.NUMBER, "trees on which it was run and failed"),
            Field("flaky", Kind.NUMBER, "how often it passed only after a retry"),
            Field("cached", Kind.NUMBER, "how often a stored result was taken instead of a run"),
            Field("disputed", Kind.NUMBER, "how often it failed where a stored result said that it passes"),
            Field("seconds", Kind.SECONDS, "time that its runs took"),
            Field("saved_seconds", Kind.SECONDS, "time that stored results saved"),
        ),
        many=True,
    ),
    Envelope(
        "verify",
        "Where the chain of checkpoints is broken, and what a person settled of that.",
        (
            Field("checkpoint", Kind.TEXT, "tag"),
            Field("commit", Kind.OID, "commit"),
            Field("what", Kind.TEXT, "what does not hold"),
            Field("broken", Kind.FLAG, "whether that is a break; not when a person has settled it"),
        ),
        many=True,
    ),
    Envelope(
        "waive",
        "What is not wanted back, or counts for nothing.",
        (
            Field("checkpoint", Kind.TEXT, "tag; of a copy the commit"),
            Field("by", Kind.TEXT, "who says so"),
            Field("again", Kind.FLAG, "whether it had been settled before, so that nothing was written"),
        ),
        many=True,
    ),
    Envelope(
        "restore",
        "A checkpoint in a folder of its own.",
        (
            Field("checkpoint", Kind.TEXT, "tag"),
            Field("commit", Kind.OID, "commit that is checked out there"),
            Field("folder", Kind.TEXT, "the new work tree"),
            Field("made", Kind.FLAG, "whether it was made (no with --dry-run)"),
        ),
        many=False,
    ),
    Envelope(
        "undo",
        "A tree that main had before is to come back.",
        (
            Field("checkpoint", Kind.TEXT, "tag"),
            Field("commit", Kind.OID, "commit whose tree comes back"),
            Field("files", Kind.NUMBER, "files that differ between that tree and the one that it takes the place of"),
            Field("task", Kind.TEXT, "the task that does it; `orchd show` tells how far it is"),
            Field("asked", Kind.FLAG, "whether it was asked for (no with --dry-run)"),
            Field("served", Kind.FLAG, "whether an orchd runs that does it now"),
        ),
        many=False,
    ),
)
