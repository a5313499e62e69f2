"""Gemini CLI: `gemini --output-format stream-json`. It runs without asking (yolo) below a policy that first denies all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, UsageAt, detail_of, part, text
from orchd.adapters.agents.program import Diary, Folders, Launch, Signs, given
from orchd.adapters.agents.reports import Stream, call, count, deny, fail, finish, go_on, say, settle
from orchd.model.agent import Job, Report, Rule, Tool, Usage

_TOOLS: Mapping[Tool, tuple[str, ...]] = {
    Tool.READ: ("read_file", "read_many_files", "list_directory", "glob", "grep_search", "search_file_content"),
    Tool.EDIT: ("write_file", "replace"),
    Tool.SHELL: ("run_shell_command",),
    Tool.WEB: ("web_fetch", "google_web_search"),
    Tool.DELEGATE: ("invoke_agent", "codebase_investigator"),
}
# Exit codes with a meaning of their own. Those of errors of the provider are the HTTP status, cut to a byte.
_CODES: Mapping[int, tuple[int, str]] = {
    41: (401, "it found nothing to sign in with"),
    53: (0, "it reached its limit of turns"),
    55: (0, "it does not trust the folder"),
    **{status & 255: (status, f"its provider answered with status {status}") for status in (400, 401, 403, 404, 429, 500, 503)},
}
# What it prints for people before it asks its provider again.
_AGAIN = re.compile(rb"^(Attempt \d+ failed.*)")
_FIRST_PRIORITY = 500
# What it thinks is only in the total.
_SUM = UsageAt("input_tokens", "cached", "output_tokens", total="total_tokens")
_ANSWER = UsageAt("input", "cached", "output", total="total")


def _count(event: Event, report: Report) -> Report:
    """After each answer of the model, before its tools run, and again after those."""
    counts = text(event, "type") == "gemini" and report.tally.settled == Usage()
    return count(report, text(event, "id"), _ANSWER.find(part(event, "tokens"))) if counts else report


_SIGNS = Signs(
    "gemini",
    usage=("--help",),
    flags=("--output-format", "--approval-mode", "--skip-trust", "--policy", "--admin-policy", "--resume"),
    keys=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    files=(".gemini/oauth_creds.json",),
    diary=Diary("GEMINI_CLI_HOME", "", ".gemini/tmp/*/chats/session-*-{:.8}.jsonl", b'"tokens"', _count),
)


class Gemini(Stream):
    """See the module. It has no levels of effort."""

    def objection(self, job: Job) -> str:
        """Paths in its policies are those that the model writes, so `a/../b` would get past them."""
        return permits.object_to(self.signs.program, job.rules, [tool for tool in Tool if tool is not Tool.SHELL])

    def launch(self, job: Job, folders: Folders) -> Launch:
        """The policy is given twice: what an administrator installed turns off the second, and the person's own the first."""
        policy, settings = f"{folders.private}/policy.toml", f"{folders.private}/settings.json"
        argv = ["gemini", "--output-format", "stream-json", "--approval-mode", "yolo", "--skip-trust"]
        argv += given(policy=policy, admin_policy=policy, model=job.model, resume=job.resume)
        files = ((policy, "\n".join(_compile(job.rules))), (settings, json.dumps(_settings(job))))
        return Launch(tuple(argv), (("GEMINI_CLI_SYSTEM_SETTINGS_PATH", settings),), files, stdin=job.prompt)


def _settings(job: Job) -> Mapping[str, object]:
    quiet: dict[str, object] = {
        "general": {"enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "mcp": {"allowed": []},
    }
    return {**quiet, "model": {"maxSessionTurns": job.max_turns}} if job.max_turns else quiet


def _compile(rules: tuple[Rule, ...]) -> Iterator[str]:
    yield _rule("deny", 'toolName = "*"', _FIRST_PRIORITY)
    for tool, names in _TOOLS.items():
        (_, base), *ordered = permits.order(rules, tool).items()
        yield _rule(base, f"toolName = {json.dumps(names)}", _FIRST_PRIORITY + 1)
        for priority, (pattern, permit) in enumerate(ordered, _FIRST_PRIORITY + 2):
            regex = ".*".join(map(re.escape, pattern.split("*")))
            yield _rule(permit, f"commandRegex = {json.dumps(regex + chr(34))}", priority)


def _rule(permit: str, condition: str, priority: int) -> str:
    shell = '\ntoolName = "run_shell_command"' if condition.startswith("commandRegex") else ""
    return f'[[rule]]{shell}\n{condition}\ndecision = "{permit}"\npriority = {priority}\nallowRedirection = true'


def _read_message(event: Event, report: Report) -> Report:
    if text(event, "role") != "assistant":
        return report
    before = report.words if event.get("delta") else ""
    return say(go_on(report), before + text(event, "content"))


def _read_use(event: Event, report: Report) -> Report:
    return call(replace(go_on(report), words=""), text(event, "tool_name"), detail_of(event, "parameters"))


def _read_tool_result(event: Event, report: Report) -> Report:
    refused = text(event, "error", "type") == "policy_violation" or "denied by policy" in text(event, "output").lower()
    return deny(report, report.last_tool) if refused else report


def _read_result(event: Event, report: Report) -> Report:
    known = settle(report, _SUM.find(part(event, "stats")))
    if text(event, "status") == "success":
        return finish(known)
    return fail(known, text(event, "error", "message") or "it said that it failed")


_READERS = {
    "init": lambda event, report: replace(report, model=text(event, "model")),
    "message": _read_message,
    "tool_use": _read_use,
    "tool_result": _read_tool_result,
    "error": lambda event, report: fail(report, text(event, "message")),
    "result": _read_result,
}

PROGRAM = Gemini(_SIGNS, _READERS, "session_id", ((_AGAIN, ""),), _CODES)
