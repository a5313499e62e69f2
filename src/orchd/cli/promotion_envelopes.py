"""What the commands about environments print, field by field."""

from __future__ import annotations

from orchd.cli.fields import Envelope, Field, Kind

RECORD_FIELDS = (
    Field("environment", Kind.TEXT, "name"),
    Field("checkpoint", Kind.TEXT, "tag that was promoted"),
    Field("commit", Kind.OID, "commit that the tag names"),
    Field("result", Kind.TEXT, "approved, begun, verifying, deployed (there is no verify command), verified or failed"),
    Field("at", Kind.INSTANT, "when it was recorded"),
    Field("by", Kind.TEXT, "who promoted, approved or rolled back"),
    Field("from", Kind.TEXT, "the environment that it came from"),
    Field("approvals", Kind.TEXTS, "who had approved it"),
    Field("rollback", Kind.FLAG, "whether it was a roll back"),
    Field("key", Kind.TEXT, "the idempotency key: one for all tries of one deployment"),
    Field("what", Kind.TEXT, "why it failed, or what else there is to say"),
)

PROMOTION_ENVELOPES = (
    Envelope(
        "promote",
        "What came of `promote` and `rollback`; `result` can also be refused.",
        (
            *RECORD_FIELDS,
            Field("next", Kind.TEXT, "what to do"),
            Field("log", Kind.TEXTS, "the end of what the commands printed"),
        ),
        many=False,
    ),
    Envelope(
        "environments",
        "The environments in their order, and where each stands.",
        (
            Field("environment", Kind.TEXT, "name"),
            Field("checkpoint", Kind.TEXT, "what was deployed well last and not rolled back"),
            Field("commit", Kind.OID, "its commit"),
            Field("result", Kind.TEXT, "deployed (there is no verify command) or verified"),
            Field("since", Kind.INSTANT, "since when"),
            Field("by", Kind.TEXT, "who brought it there"),
            Field("approved", Kind.TEXTS, "approvals that wait for their promotion: checkpoint and who"),
            Field("what", Kind.TEXT, "a deployment that goes on, or failed after that"),
        ),
        many=True,
    ),
    Envelope("environment-history", "All records of one environment, the newest first.", RECORD_FIELDS, many=True),
)
