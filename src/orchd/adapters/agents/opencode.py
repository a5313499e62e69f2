"""OpenCode and its relatives: `opencode run --format json`. Their rules are ordered like ours, the last that fits decides."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, UsageAt, detail_of, number, part, text
from orchd.adapters.agents.program import Folders, Launch, Signs, given
from orchd.adapters.agents.reports import Stream, call, deny, fail, go_on, say
from orchd.model.agent import Effort, Job, Report, Rule, Tool
from orchd.model.dataclass import dataclass

_SIGNS = Signs(
    "opencode",
    usage=("run", "--help"),
    flags=("--format", "--dir", "--title", "--agent", "--model", "--variant", "--session", "--print-logs"),
    keys=("OPENCODE_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY"),
    files=(".local/share/opencode/auth.json",),
    efforts=tuple(Effort),
    catalog=("models",),
)
_AGENT = "orchd"
_NO_AGENT = re.compile(f'agent "{_AGENT}" not found'.encode())
_LAWLESS = "it did not take its settings and went on with another agent than ours"
# Their log tells of errors after which they ask their provider again; their events do not.
_AGAIN = re.compile(rb'message="stream error".*\berror(?:\.error)?="([^"]*)"')
_TOOLS: Mapping[Tool, tuple[str, ...]] = {
    Tool.READ: ("read", "glob", "grep", "list", "lsp"),
    Tool.EDIT: ("edit",),
    Tool.SHELL: ("bash",),
    Tool.WEB: ("webfetch", "websearch"),
    Tool.DELEGATE: ("task",),
}
_CACHED = "tokens.cache.read"
_STEP = UsageAt(f"tokens.input tokens.cache.write {_CACHED}", _CACHED, "tokens.output tokens.reasoning", "cost")
# What they say when a rule, or nobody, allows a call.
_REFUSALS = ("rejected permission", "prevents you from using", "permission denied", "auto-reject")


@dataclass(frozen=True, slots=True)
class OpenCode(Stream):
    """`prefix` begins its variables, `flags` come first on its command line."""

    prefix: str = "OPENCODE_"
    flags: tuple[str, ...] = ()

    def objection(self, job: Job) -> str:
        """They can say all that our rules can, but for the web."""
        return permits.object_to(self.signs.program, job.rules, (Tool.WEB,))

    def launch(self, job: Job, folders: Folders) -> Launch:
        """An agent of its own, because its rules come after all others, and the same rules for everything, because without
        that agent the program would go on with another one. Settings of the repository are not read."""
        argv = [self.signs.program, "run", "--format", "json", "--dir", folders.workspace, "--title", _AGENT, "--agent", _AGENT]
        argv += ["--print-logs", "--log-level", "ERROR", *self.flags]
        argv += given(model=job.model, variant=job.effort, session=job.resume)
        steps = {"steps": job.max_turns} if job.max_turns else {}
        permission = _compile(job.rules)
        agent = {"mode": "primary", "permission": permission, **steps}
        guides = [f"{folders.workspace}/{name}" for name in ("AGENTS.md", "CLAUDE.md")]
        settings = {"agent": {_AGENT: agent}, "instructions": guides, "share": "disabled", "autoupdate": False}
        told = {"CONFIG_CONTENT": json.dumps(settings), "PERMISSION": json.dumps(permission)}
        told |= dict.fromkeys(("DISABLE_PROJECT_CONFIG", "DISABLE_AUTOUPDATE"), "1")
        return Launch(tuple(argv), tuple((self.prefix + key, value) for key, value in told.items()), stdin=job.prompt)


def _compile(rules: tuple[Rule, ...]) -> Mapping[str, object]:
    compiled: dict[str, object] = {permits.EVERYTHING: "deny", "todowrite": "allow", "todoread": "allow"}
    for tool, names in _TOOLS.items():
        ordered = permits.order(rules, tool)
        compiled |= dict.fromkeys(names, ordered if len(ordered) > 1 else ordered[permits.EVERYTHING])
    return compiled


def _go_on(report: Report) -> Report:
    return report if report.error == _LAWLESS else go_on(report)


def _read_tool(event: Event, report: Report) -> Report:
    name = text(event, "part", "tool")
    made = call(_go_on(report), name, detail_of(event, "part", "state", "input"))
    words = text(event, "part", "state", "error").lower()
    return deny(made, name) if any(one in words for one in _REFUSALS) else made


def _read_finish(event: Event, report: Report) -> Report:
    known = replace(report, usage=report.usage + _STEP.find(part(event, "part")), finished=False)
    reason = text(event, "part", "reason")
    if reason == "stop":
        return replace(_go_on(known), finished=report.error != _LAWLESS)
    return known if reason == "tool-calls" else fail(known, f"its last step ended with `{reason}`")


def _read_error(event: Event, report: Report) -> Report:
    data = part(event, "error", "data")
    wait = text(data, "responseHeaders", "retry-after")
    until = number(event, "timestamp") + 1000 * int(wait) if wait.isdecimal() and len(wait) < 9 else report.until_ms
    words = text(event, "error") or text(data, "message") or text(event, "error", "name") or "it said that it failed"
    return fail(replace(report, until_ms=until), words, number(data, "statusCode"))


_READERS = {
    "tool_use": _read_tool,
    "text": lambda event, report: say(_go_on(report), text(event, "part", "text")),
    "step_finish": _read_finish,
    "error": _read_error,
}

PROGRAM = OpenCode(_SIGNS, _READERS, "sessionID", ((_NO_AGENT, _LAWLESS), (_AGAIN, "")))
