"""Claude Code: `claude -p --output-format stream-json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, UsageAt, detail_of, number, part, parts, text, texts
from orchd.adapters.agents.program import Folders, Launch, Signs, given, words_of
from orchd.adapters.agents.reports import Stream, call, count, deny, fail, finish, say, settle
from orchd.model.agent import MICROS, Effort, Job, Permit, Report, Rule, Tool, Usage

_SIGNS = Signs(
    "claude",
    usage=("--help",),
    flags=words_of("--output-format --permission-mode --allowedTools --disallowedTools --tools --setting-sources --add-dir"),
    keys=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
    files=(".claude/.credentials.json",),
    efforts=tuple(Effort),
)
# Its names for our tools; the first takes patterns. Whatever is not here, it does not get.
_TOOLS: Mapping[Tool, tuple[str, ...]] = {
    Tool.READ: ("Read", "Glob", "Grep"),
    Tool.EDIT: ("Edit", "Write", "NotebookEdit"),
    Tool.SHELL: ("Bash",),
    Tool.WEB: ("WebFetch", "WebSearch"),
    Tool.DELEGATE: ("Task", "Agent"),
}
_SINCE = "model_usage_since_last_result"
_CACHED = "cacheReadInputTokens"
_SUM = UsageAt(f"inputTokens cacheCreationInputTokens {_CACHED}", _CACHED, "outputTokens", "costUSD")
_ANSWER_CACHED = "cache_read_input_tokens"
_ANSWER = UsageAt(f"input_tokens cache_creation_input_tokens {_ANSWER_CACHED}", _ANSWER_CACHED, "output_tokens")
_QUIET = words_of(
    "CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD DISABLE_AUTOUPDATER CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC "
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"
)


class Claude(Stream):
    """See the module."""

    def objection(self, job: Job) -> str:
        """A deny wins over every allow here, so an exception from a special deny is stricter than written, never freer. What
        lies in its folder it may always read, unless it is denied."""
        odd = next((rule for rule in job.rules if set(rule.pattern) & set("()")), None)
        if odd:
            return f"claude takes no rule with parentheses: `{odd.permit} {odd.tool} {odd.pattern}`"
        shut = not permits.is_open(job.rules, Tool.READ)
        return permits.object_to(self.signs.program, job.rules, (Tool.READ,)) if shut else ""

    def launch(self, job: Job, folders: Folders) -> Launch:
        """No settings of the repository or the person: they could allow more than the rules do. The guide of the repository
        (CLAUDE.md) is read nevertheless, as that of an additional folder."""
        argv = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--permission-mode", "dontAsk"]
        argv += ["--setting-sources", "", "--strict-mcp-config", "--add-dir", folders.workspace, *_compile(job.rules)]
        argv += given(model=job.model, effort=job.effort, max_turns=job.max_turns, resume=job.resume)
        argv += given(max_budget_usd=job.budget_micros and f"{job.budget_micros / MICROS:.6f}")
        return Launch(tuple(argv), tuple((name, "1") for name in _QUIET), stdin=job.prompt)


def _compile(rules: tuple[Rule, ...]) -> Iterator[str]:
    tools = [name for tool, names in _TOOLS.items() if not permits.is_shut(rules, tool) for name in names]
    yield from ("--tools", ",".join(tools))
    for flag, permit in (("--allowedTools", Permit.ALLOW), ("--disallowedTools", Permit.DENY)):
        listed = ",".join(_name_all(rules, permit))
        yield from (flag, listed) if listed else ()


def _name_all(rules: tuple[Rule, ...], permit: Permit) -> Iterator[str]:
    for tool, names in _TOOLS.items():
        whole = permits.is_open if permit is Permit.ALLOW else permits.is_shut
        yield from names if whole(rules, tool) else ()
        yield from (f"{names[0]}({rule.pattern})" for rule in permits.exceptions(rules, tool) if rule.permit is permit)


def _read_system(event: Event, report: Report) -> Report:
    known = replace(report, model=text(event, "model") or report.model)
    if text(event, "subtype") == "api_retry":
        return fail(known, text(event, "error"), number(event, "error_status"))
    return deny(known, text(event, "tool_name")) if text(event, "subtype") == "permission_denied" else known


def _read_assistant(event: Event, report: Report) -> Report:
    """An answer comes in pieces, all with its use so far: of what it writes itself, hardly anything is in that."""
    report = count(report, text(event, "message", "id"), _ANSWER.find(part(event, "message", "usage")))
    for block in parts(event, "message", "content"):
        if text(block, "type") == "tool_use":
            report = call(report, text(block, "name"), detail_of(block, "input"))
        report = say(report, text(block, "text"))
    return report


def _read_limit(event: Event, report: Report) -> Report:
    limit = part(event, "rate_limit_info") or event
    return replace(report, until_ms=1000 * number(limit, "resetsAt")) if text(limit, "status") == "rejected" else report


def _read_result(event: Event, report: Report) -> Report:
    denied = tuple(text(one, "tool_name") for one in parts(event, "permission_denials"))
    known = replace(_settle(say(report, text(event, "result")), event), denied=denied or report.denied)
    if event.get("is_error") is False and text(event, "terminal_reason") in ("completed", ""):
        return finish(known)
    said = text(event, "result") or ", ".join(texts(event, "errors")) or text(event, "terminal_reason")
    return fail(known, said or "it said that it failed", number(event, "api_error_status"))


def _settle(report: Report, event: Event) -> Report:
    """Newer versions count their totals since the conversation began, and tell beside them what came since the last result;
    older ones count one run only."""
    since = part(event, _SINCE)
    models = [part(one) for one in (since or part(event, "modelUsage")).values() if isinstance(one, dict)]
    return settle(report, sum((_SUM.find(one) for one in models), report.tally.settled if since else Usage()))


_READERS = {"system": _read_system, "assistant": _read_assistant, "rate_limit_event": _read_limit, "result": _read_result}

PROGRAM = Claude(_SIGNS, _READERS, "session_id")
