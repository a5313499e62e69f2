"""What each command prints, field by field: one table for the screen, the pipe, JSON, the JSON Schemas and the manual.

Rule: a command prints nothing as data that is not named here, and all three forms print the same fields in this order.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchd.cli.agent_envelopes import AGENT_ENVELOPES, CALL_FIELDS, REPORT_FIELDS
from orchd.cli.fields import Envelope, Field, Kind
from orchd.cli.landing_envelopes import CHECKPOINT_FIELDS, LANDING_ENVELOPES, SPENT_FIELDS
from orchd.cli.promotion_envelopes import PROMOTION_ENVELOPES

NEED_FIELDS = (
    Field("subject", Kind.TEXT, "the task, the tasks or the files it is about"),
    Field("what", Kind.TEXT, "what happened"),
    Field("age_seconds", Kind.SECONDS, "how long it has waited"),
    Field("command", Kind.TEXT, "the command that answers it"),
)
SERVER_FIELDS = (
    Field("pid", Kind.NUMBER, "process id"),
    Field("host", Kind.TEXT, "machine"),
    Field("since", Kind.INSTANT, "when it took the repository"),
)
LIVE_FIELDS = (
    Field("task", Kind.TEXT, "id"),
    Field("status", Kind.TEXT, "waiting, running, stopping, ready, saving, integrated, failed or held"),
    Field("elapsed_seconds", Kind.SECONDS, "how long its process has run"),
    Field("what", Kind.TEXT, "why it waits, how far it is, or why it failed"),
)
EXPLAIN_FIELDS = (
    Field("task", Kind.TEXT, "id"),
    Field("status", Kind.TEXT, "where it is in its life"),
    Field("what", Kind.TEXT, "what happened, in one sentence"),
    Field("why", Kind.TEXTS, "the evidence"),
    Field("next", Kind.TEXTS, "what you can do"),
)
COOLING_FIELDS = (
    Field("provider", Kind.TEXT, "whose service it is"),
    Field("until", Kind.INSTANT, "when it is asked again"),
)
OUTSIDE_FIELD = Field(
    "outside", Kind.TEXTS, "of a held task: all paths outside its claim, each after `added`, `changed` or `deleted`"
)
DISPUTE_FIELDS = (
    Field("path", Kind.TEXT, "where"),
    Field("kind", Kind.TEXT, "what happened there"),
    Field("base", Kind.OID, "the file that both began with; empty: there was none"),
    Field("ours", Kind.OID, "the file as it has landed; empty: it is gone"),
    Field("theirs", Kind.OID, "the file as the task made it; empty: it is gone"),
    Field("lines", Kind.TEXTS, "the places that conflict, for reading: base, ours and theirs, with the lines around"),
    Field("earlier", Kind.TEXT, "the run for which a person settled the same conflict before; empty: nobody did"),
    Field("proposed", Kind.TEXTS, "the file as it was settled then, as a diff from ours"),
)
DISAGREEMENT_FIELDS = (
    Field("onto", Kind.OID, "of a result that conflicts: what has landed (ours)"),
    Field("goals", Kind.TEXTS, "what landed at these paths since the task began, the newest first"),
    Field("disputes", Kind.ROWS, "each conflict", DISPUTE_FIELDS),
)
SESSION_FIELDS = (
    Field("session", Kind.TEXT, "name"),
    Field("landing", Kind.TEXT, "auto, manual or on-complete"),
    Field("paused", Kind.FLAG, "whether it is paused"),
    Field("open", Kind.NUMBER, "tasks that are not done"),
    Field("integrated", Kind.NUMBER, "tasks that are on its line and have not landed"),
    Field("landed", Kind.NUMBER, "its checkpoints"),
    Field("what", Kind.TEXT, "where it stands"),
)
TELLING_FIELDS = tuple(field for field in EXPLAIN_FIELDS if field.name in ("what", "why", "next"))

SAVE_FIELDS = (
    Field("save", Kind.TEXT, "id"),
    Field("session", Kind.TEXT, "session that is saved"),
    Field("step", Kind.TEXT, "how far it is: merging, gating the tree after so many links, landing, or publishing"),
    Field("since", Kind.INSTANT, "when it began"),
    Field("links", Kind.NUMBER, "tasks in its chain of merges; before that is made: tasks that it takes"),
    Field("excluded", Kind.TEXTS, "tasks that it leaves out, each with its reason"),
)

ENVELOPES: Mapping[str, Envelope] = {
    envelope.name: envelope
    for envelope in (
        Envelope(
            "status",
            "Everything at a glance; what waits for you comes first.",
            (
                Field("needs_you", Kind.ROWS, "alarms, then what waits for a person, the longest first", NEED_FIELDS),
                Field("server", Kind.ROW, "the orchd that serves this repository", SERVER_FIELDS),
                Field("sandbox", Kind.TEXT, "what separates agents from this machine; begins with `none` where nothing does"),
                Field("branch", Kind.TEXT, "the branch that tasks land on"),
                Field("checkpoint", Kind.ROW, "the last checkpoint", CHECKPOINT_FIELDS),
                Field("verified", Kind.FLAG, "whether gates judged the last checkpoint"),
                Field("counts", Kind.COUNTS, "all tasks by status"),
                Field("saves", Kind.ROWS, "the save that is under way", SAVE_FIELDS),
                Field("tasks", Kind.ROWS, "tasks that are not done", LIVE_FIELDS),
                Field("landed", Kind.ROWS, "the last checkpoints, the newest first", CHECKPOINT_FIELDS),
                Field("cooling", Kind.ROWS, "providers that are left alone", COOLING_FIELDS),
            ),
            many=False,
        ),
        Envelope(
            "ps",
            "Running tasks and gates, and the save under way.",
            (
                Field("run", Kind.TEXT, "task.generation.attempt, @save.links.attempt for gates, or @save"),
                Field("kind", Kind.TEXT, "`task`, `gates` or `save`"),
                Field("task", Kind.TEXT, "the task, the tasks whose merged tree the gates judge, or those that are saved"),
                Field("attempt", Kind.NUMBER, "number of the attempt"),
                Field("pid", Kind.NUMBER, "process id of its supervisor"),
                Field("elapsed_seconds", Kind.SECONDS, "how long it has run"),
                Field("left_seconds", Kind.SECONDS, "how long it may go on; of a task with steps: the step that runs"),
                Field("claims", Kind.TEXTS, "what it may change"),
                *REPORT_FIELDS,
                Field("step", Kind.TEXT, "of a task with steps: the one that runs; of a save: how far it is"),
                Field("excluded", Kind.TEXTS, "of a save: tasks that it leaves out, each with its reason"),
            ),
            many=True,
        ),
        Envelope(
            "claims",
            "What is claimed now: by tasks, and by people in claim files.",
            (
                Field("task", Kind.TEXT, "the task that holds it; empty: a person"),
                Field("state", Kind.TEXT, "held, wanted, refused, or expired"),
                Field("mode", Kind.TEXT, "read, write or append of paths; resource, or port"),
                Field("owner", Kind.TEXT, "the orchd that granted it, or who keeps it"),
                Field("epoch", Kind.NUMBER, "the leader's epoch when it was granted"),
                Field("fence", Kind.NUMBER, "the number of this grant; it rises with each"),
                Field("since", Kind.INSTANT, "when it was granted"),
                Field("beat_seconds", Kind.SECONDS, "how long ago its supervisor gave the last heartbeat"),
                Field("glob", Kind.TEXT, "the paths, the name of the resource, or the port"),
                Field("file", Kind.TEXT, "the claim file"),
                Field("until", Kind.INSTANT, "when it ends by itself"),
                Field("why", Kind.TEXT, "why somebody keeps it, or why a running task does not get it"),
                Field("overlaps", Kind.TEXTS, "tasks that hold some of it and had it before"),
            ),
            many=True,
        ),
        Envelope(
            "number",
            "A number that was given.",
            (
                Field("kind", Kind.TEXT, "what it counts"),
                Field("number", Kind.TEXT, "the number, with its leading zeros"),
                Field("holder", Kind.TEXT, "who has it"),
            ),
            many=False,
        ),
        Envelope(
            "claim",
            "What was claimed, released or asked for.",
            (
                Field("action", Kind.TEXT, "kept, released, asked, granted or refused"),
                Field("file", Kind.TEXT, "the claim file"),
                Field("task", Kind.TEXT, "the running task that asked for more"),
                Field("claims", Kind.TEXTS, "as `mode glob`, or `resource name`"),
                Field("until", Kind.INSTANT, "when it ends by itself"),
                Field("overlaps", Kind.TEXTS, "tasks that hold some of it and had it before"),
                Field("why", Kind.TEXT, "why it is kept, or was refused"),
                Field("served", Kind.FLAG, "whether an orchd runs that sees it now"),
            ),
            many=False,
        ),
        *LANDING_ENVELOPES,
        *PROMOTION_ENVELOPES,
        *AGENT_ENVELOPES,
        Envelope(
            "op-log",
            "Operations on the state, the newest first.",
            (
                Field("oid", Kind.OID, "commit of refs/orch/state"),
                Field("at", Kind.INSTANT, "when it was stored"),
                Field("events", Kind.EVENTS, "what was concluded; the names of the events outside JSON"),
                Field("subject", Kind.TEXT, "summary"),
            ),
            many=True,
        ),
        Envelope(
            "show",
            "Everything about one task.",
            (
                Field("task", Kind.TEXT, "id"),
                Field("title", Kind.TEXT, "what was asked"),
                Field("status", Kind.TEXT, "where it is in its life"),
                Field("run", Kind.TEXT, "the command, unless it is for an agent"),
                Field("goal", Kind.TEXT, "what an agent is to achieve"),
                Field(
                    "steps",
                    Kind.TEXTS,
                    "its steps, each with its commit, or `done` (it is not kept), `skipped`, or `-`",
                ),
                Field("recovery", Kind.TEXT, "how the recovery of failed attempts ended, and from which checkpoint"),
                Field("acceptance", Kind.TEXTS, "what must be true in the end"),
                Field("session", Kind.TEXT, "session it belongs to"),
                Field("source", Kind.TEXT, "file, inbox or commit"),
                Field("needs", Kind.TEXTS, "tasks that must have landed before"),
                Field("after", Kind.TEXTS, "tasks that must have ended before"),
                Field("claims", Kind.TEXTS, "what it may change, as `mode glob`"),
                Field("priority", Kind.NUMBER, "higher goes first"),
                Field("timeout_seconds", Kind.SECONDS, "limit of an attempt"),
                Field("noop", Kind.FLAG, "whether changing nothing is fine"),
                Field("labels", Kind.TEXTS, "words that people gave it"),
                Field("group", Kind.TEXT, "tasks it shares a limit with"),
                Field("agent", Kind.TEXT, "what does the work"),
                Field("fallbacks", Kind.TEXTS, "agents after it, when it cannot"),
                Field("model", Kind.TEXT, "the model that the agent is to use"),
                Field("effort", Kind.TEXT, "how hard it is to think"),
                Field("evidence", Kind.TEXTS, "paths that must exist in the result"),
                Field("proposer", Kind.TEXT, "the task that proposed it; empty: a person asked for it"),
                Field("generation", Kind.NUMBER, "rises when a finished task is asked for anew"),
                Field("attempt", Kind.NUMBER, "number of the last attempt; 0: it has not started"),
                Field("lost", Kind.NUMBER, "attempts whose supervisor was gone without evidence"),
                Field("seen", Kind.INSTANT, "when its file was first read"),
                Field("started", Kind.INSTANT, "when the last attempt started"),
                Field("ended", Kind.INSTANT, "when it ended"),
                Field("base", Kind.OID, "commit that the last attempt began from"),
                Field("tip", Kind.OID, "commit with its work"),
                Field("ref", Kind.TEXT, "where its work is reachable"),
                Field("log", Kind.TEXT, "the command that shows its output"),
                Field("claimed", Kind.TEXT, "what the command or the agent said about itself; it proves nothing"),
                *CALL_FIELDS,
                *SPENT_FIELDS,
                Field("step_costs", Kind.TEXTS, "the part of each step in that"),
                Field("denied", Kind.TEXTS, "calls that were refused to the agent"),
                Field("proven", Kind.TEXT, "what orchd has evidence for"),
                Field("checkpoint", Kind.TEXT, "tag that landed it"),
                Field("commit", Kind.OID, "commit on main that landed it"),
                Field("reason", Kind.TEXT, "why it did not land"),
                Field("detail", Kind.TEXTS, "paths or lines that explain the reason"),
                Field("conflicts", Kind.TEXTS, "conflicts with the work of others that are predicted; nothing waits for them"),
                OUTSIDE_FIELD,
                *DISAGREEMENT_FIELDS,
                *TELLING_FIELDS,
            ),
            many=False,
        ),
        Envelope(
            "attic",
            "Work that was put away, by task and number, then workspaces that are kept.",
            (
                Field("task", Kind.TEXT, "task it is of; `checkout`: what a repair replaced in your checkout"),
                Field("number", Kind.NUMBER, "its number; null for a workspace"),
                Field("at", Kind.INSTANT, "when it was made"),
                Field("why", Kind.TEXT, "why it was put away, or why the workspace is kept"),
                Field("what", Kind.TEXT, "subject of its commit, or the run of the workspace"),
                Field("size_bytes", Kind.NUMBER, "what it takes that the branch does not have; of a workspace, all its files"),
                Field("place", Kind.TEXT, "the ref, or the folder"),
            ),
            many=True,
        ),
        Envelope(
            "attic-restore",
            "What `attic restore` made.",
            (
                Field("ref", Kind.TEXT, "the entry"),
                Field("commit", Kind.OID, "what was checked out"),
                Field("folder", Kind.TEXT, "the new folder"),
                Field("next", Kind.TEXTS, "what you can do with it"),
            ),
            many=False,
        ),
        Envelope(
            "question",
            "What is asked about a held task.",
            (
                Field("task", Kind.TEXT, "id"),
                Field("status", Kind.TEXT, "where it is in its life"),
                Field("question", Kind.TEXT, "what a person has to decide; empty when nothing is asked"),
                Field("tip", Kind.OID, "the result that it is about"),
                OUTSIDE_FIELD,
                *DISAGREEMENT_FIELDS,
                Field("answers", Kind.TEXTS, "the commands that answer it"),
            ),
            many=False,
        ),
        Envelope(
            "plan",
            "Waiting tasks in the order in which they are asked whether they can start.",
            (
                Field("position", Kind.NUMBER, "place in the order, from 1"),
                Field("task", Kind.TEXT, "id"),
                Field("session", Kind.TEXT, "session it belongs to"),
                Field("starts", Kind.FLAG, "whether nothing holds it back now"),
                Field("score_seconds", Kind.SECONDS, "what speaks for it, as waiting time: the next three together"),
                Field("priority", Kind.NUMBER, "its own, or that of the most urgent task behind it; each point is 5 minutes"),
                Field("waited_seconds", Kind.SECONDS, "since its file was seen"),
                Field("chain", Kind.NUMBER, "links of the longest chain of waiting tasks behind it; each is 1 minute"),
                Field("share", Kind.NUMBER, "tasks of its session that run or start before it"),
                Field("kept", Kind.FLAG, "whether nobody may pass it"),
                Field("cause", Kind.TEXT, "what holds it back, in one word; `none`: nothing"),
                Field("others", Kind.TEXTS, "the tasks that hold it back"),
                Field("what", Kind.TEXT, "the same in one sentence"),
            ),
            many=True,
        ),
        Envelope("explain", "Why a task runs, waits, failed or landed.", EXPLAIN_FIELDS, many=False),
        Envelope(
            "logs",
            "The output of an attempt, without control sequences.",
            (
                Field("run", Kind.TEXT, "id of the run"),
                Field("lines", Kind.TEXTS, "its lines"),
            ),
            many=False,
        ),
        Envelope(
            "check",
            "What is wrong with input files.",
            (
                Field("file", Kind.TEXT, "path from the root of the repository"),
                Field("line", Kind.NUMBER, "from 1; 0: the whole file"),
                Field("column", Kind.NUMBER, "from 1; 0: the whole line"),
                Field("code", Kind.TEXT, "kind of problem"),
                Field("message", Kind.TEXT, "what is wrong"),
                Field("hint", Kind.TEXT, "what to do"),
            ),
            many=True,
        ),
        Envelope(
            "init",
            "Files that `init` looked after.",
            (
                Field("path", Kind.TEXT, "the file"),
                Field("result", Kind.TEXT, "written or kept"),
            ),
            many=True,
        ),
        Envelope(
            "lessons",
            "What past merges say about settling conflicts without asking (`init --learn-merges`).",
            (
                Field("recipe", Kind.TEXT, "a way to settle a conflict (docs/conflicts.md)"),
                Field("files", Kind.NUMBER, "files in conflict that it settled by itself"),
                Field("same", Kind.NUMBER, "those of them that came out byte for byte as people had committed them"),
                Field("automatic", Kind.FLAG, "whether it is used from now on"),
                Field("why", Kind.TEXT, "why not"),
            ),
            many=True,
        ),
        Envelope(
            "run",
            "How `run` ended.",
            (
                Field("summary", Kind.TEXT, "what came of it, in one line"),
                Field("exit_code", Kind.NUMBER, "the exit code"),
                Field("tasks", Kind.ROWS, "tasks that ended now, and those that wait", EXPLAIN_FIELDS),
            ),
            many=False,
        ),
        Envelope("session-list", "All sessions.", SESSION_FIELDS, many=True),
        Envelope(
            "session-show",
            "Everything about one session.",
            (
                *SESSION_FIELDS[:-1],
                Field("parallel", Kind.NUMBER, "tasks of it that may run at the same time"),
                Field("gates", Kind.TEXTS, "its own gates"),
                Field("file", Kind.TEXT, "where its settings come from"),
                Field("base", Kind.TEXT, "what its file names as the start"),
                Field("pinned", Kind.OID, "commit that its tasks start from instead of main"),
                Field("origin", Kind.TEXT, "checkpoint that it was forked from"),
                Field("branch", Kind.TEXT, "its integration branch"),
                Field("tip", Kind.OID, "the end of its line"),
                Field("line", Kind.TEXTS, "tasks on its line, in the order of their merges"),
                Field("counts", Kind.COUNTS, "its tasks by status"),
                *TELLING_FIELDS,
            ),
            many=False,
        ),
        Envelope(
            "session-ask",
            "What was asked of orchd about a session.",
            (
                Field("session", Kind.TEXT, "name"),
                Field("verb", Kind.TEXT, "pause, resume, cancel, retry, land or fork"),
                Field("served", Kind.FLAG, "whether an orchd runs that will do it now"),
            ),
            many=True,
        ),
        Envelope(
            "save",
            "What was asked to be saved.",
            (
                Field("session", Kind.TEXT, "name"),
                Field("tasks", Kind.TEXTS, "what of it was done"),
                Field("served", Kind.FLAG, "whether an orchd runs that does it; else this command has"),
            ),
            many=True,
        ),
        Envelope(
            "ask",
            "What was asked of orchd by `retry`, `cancel` and `answer`.",
            (
                Field("task", Kind.TEXT, "id"),
                Field("verb", Kind.TEXT, "retry, cancel or answer"),
                Field("status", Kind.TEXT, "where the task was when it was asked"),
                Field("served", Kind.FLAG, "whether an orchd runs that will do it now"),
            ),
            many=True,
        ),
    )
}
