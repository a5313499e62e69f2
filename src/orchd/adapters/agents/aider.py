"""Aider: `aider --message-file`. Its events come from its analytics log, which it is told to write to its output."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, micros, number, parse, text
from orchd.adapters.agents.program import Folders, Launch, Signs, given, words_of
from orchd.adapters.agents.reports import call, close, deny, fail, go_on, say
from orchd.model.agent import Effort, Job, Report, Tool, Usage

_SIGNS = Signs(
    "aider",
    usage=("--help",),
    flags=("--message-file", "--analytics-log", "--no-auto-commits", "--no-suggest-shell-commands", "--chat-history-file"),
    keys=("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "DEEPSEEK_API_KEY", "OPENROUTER_API_KEY"),
    efforts=tuple(Effort),
)
# Nothing that asks, commits, updates, runs commands, or fetches what the prompt mentions.
_QUIET = words_of(
    "--yes-always --no-auto-commits --no-dirty-commits --no-gitignore --no-pretty --no-stream --no-fancy-input "
    "--no-check-update --no-show-release-notes --no-show-model-warnings --no-auto-lint --no-auto-test "
    "--no-suggest-shell-commands --no-detect-urls --no-analytics --disable-playwright --no-restore-chat-history"
)
_STATUS: Mapping[str, int] = {
    "AuthenticationError": 401,
    "PermissionDeniedError": 403,
    "NotFoundError": 404,
    "BadRequestError": 400,
    "ContextWindowExceededError": 400,
    "RateLimitError": 429,
    "InternalServerError": 500,
    "ServiceUnavailableError": 503,
}
_ERROR = re.compile(r"litellm\.(?:exceptions\.)?(\w+(?:Error|Exception|Timeout))\b")
_EDITS: Mapping[str, Callable[[Report], Report]] = {
    "Applied edit to ": replace,
    "Did not apply edit to ": lambda report: deny(report, "edit"),
}
_EVENT = b'{"event"'


class Aider:
    """See the module. It has no conversations to resume, and it edits only: it runs no commands."""

    signs = _SIGNS

    def objection(self, job: Job) -> str:
        """It always reads."""
        if permits.is_shut(job.rules, Tool.READ):
            return "aider always reads: it needs `allow read`"
        return permits.object_to(self.signs.program, job.rules, (Tool.READ, Tool.EDIT))

    def launch(self, job: Job, folders: Folders) -> Launch:
        """Without leave to edit it only says what it would."""
        prompt = f"{folders.private}/prompt.md"
        kept = {f"--{name}-history-file": f"{folders.private}/aider.{name}" for name in ("chat", "input")}
        argv = ["aider", "--message-file", prompt, "--analytics-log", "/dev/stdout", *_QUIET]
        argv += [*(word for pair in kept.items() for word in pair), *given(model=job.model, reasoning_effort=job.effort)]
        argv += [] if permits.is_open(job.rules, Tool.EDIT) else ["--dry-run"]
        return Launch(tuple(argv), (("PYTHONUNBUFFERED", "1"),), ((prompt, job.prompt),), ignored=(".aider*",))

    def read(self, line: bytes, report: Report) -> Report:
        """An event, or a line for people: edits and errors are told there only."""
        start = line.find(_EVENT)
        event = parse(line[start:]) if start >= 0 else {}
        return _read_event(event, report) if event else _read_words(line.decode("utf-8", "replace"), report)

    def close(self, report: Report, code: int) -> Report:
        """It ends with exit code 0 also when it could not sign in."""
        return close(report, code)


def _read_event(event: Event, report: Report) -> Report:
    name = text(event, "event")
    if name == "message_send":
        return go_on(_count(event, report))
    if name == "message_send_exception":
        return fail(report, text(event, "properties", "exception") or "the message could not be sent")
    done = name == "exit" and not report.error and report.usage.output_tokens > 0
    return replace(report, finished=True) if done else report


def _count(event: Event, report: Report) -> Report:
    read, made = (number(event, "properties", name) for name in ("prompt_tokens", "completion_tokens"))
    usage = report.usage + Usage(read, 0, made, micros(event, "properties", "cost"))
    return replace(report, model=text(event, "properties", "main_model") or report.model, usage=usage)


def _read_words(line: str, report: Report) -> Report:
    words = line.strip()
    if found := _ERROR.search(words):
        return fail(report, words, _STATUS.get(found[1], 0))
    for begin, also in _EDITS.items():
        if words.startswith(begin):
            return also(call(report, "edit", words.removeprefix(begin)))
    return say(report, words)


PROGRAM = Aider()
