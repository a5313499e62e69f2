"""Codex: `codex exec --json -`. Its rules are those of its sandbox, its tokens count since its conversation began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, number, parse, part, text
from orchd.adapters.agents.program import Folders, Launch, Signs, given
from orchd.adapters.agents.reports import call, close, deny, fail, finish, say
from orchd.model.agent import Effort, Job, Report, Rule, Tool, Usage

_SIGNS = Signs(
    "codex",
    usage=("exec", "--help"),
    flags=("--json", "--config", "--disable", "--ignore-user-config", "--ignore-rules", "--cd"),
    keys=("CODEX_API_KEY", "OPENAI_API_KEY"),
    files=(".codex/auth.json",),
    efforts=tuple(Effort),
)
# What a call is about, by the type of its item.
_CALLS: Mapping[str, str] = {"command_execution": "command", "web_search": "query", "mcp_tool_call": "tool", "file_change": ""}


class Codex:
    """See the module."""

    signs = _SIGNS

    def objection(self, job: Job) -> str:
        """It reads with its shell, so it has no use without one."""
        if permits.is_shut(job.rules, Tool.READ) or permits.is_shut(job.rules, Tool.SHELL):
            return "codex reads and works by commands: it needs `allow read` and `allow shell`"
        return permits.object_to(self.signs.program, job.rules, Tool)

    def launch(self, job: Job, folders: Folders) -> Launch:
        """Neither the person's settings nor rules of the repository: they could allow more than the sandbox."""
        argv = ["codex", "exec", "--json", "--ignore-user-config", "--ignore-rules", "--skip-git-repo-check"]
        argv += ["--cd", folders.workspace, *_compile(job.rules)]
        # The sandbox makes `.git` read-only, and fails when what it is to leave writable is not there.
        argv += given(config=folders.control and f"sandbox_workspace_write.writable_roots={json.dumps([folders.control])}")
        argv += given(model=job.model, config=job.effort and f'model_reasoning_effort="{job.effort}"')
        return Launch((*argv, *(("resume", job.resume) if job.resume else ()), "-"), stdin=job.prompt)

    def read(self, line: bytes, report: Report) -> Report:
        """Only `turn.failed` is final; an `error` may be followed by another try."""
        event = parse(line)
        kind = text(event, "type")
        if kind == "thread.started":
            return replace(report, conversation=text(event, "thread_id") or report.conversation)
        if kind == "turn.completed":
            return replace(finish(report), usage=_usage(event))
        if kind in ("error", "turn.failed"):
            return fail(report, text(event, "message") or text(event, "error", "message"))
        return _read_item(part(event, "item"), kind, report)

    def close(self, report: Report, code: int) -> Report:
        """See the protocol."""
        return close(report, code)


def _compile(rules: tuple[Rule, ...]) -> Iterator[str]:
    edits, web = permits.is_open(rules, Tool.EDIT), permits.is_open(rules, Tool.WEB)
    yield from ("--config", 'approval_policy="never"')
    yield from ("--config", f'sandbox_mode="{"workspace-write" if edits else "read-only"}"')
    yield from ("--config", f"sandbox_workspace_write.network_access={'true' if web else 'false'}")
    yield from ("--config", f'web_search="{"live" if web else "disabled"}"')
    if not permits.is_open(rules, Tool.DELEGATE):
        yield from ("--disable", "multi_agent")


def _read_item(item: Event, kind: str, report: Report) -> Report:
    name = text(item, "type")
    if name == "agent_message":
        return say(report, text(item, "text"))
    if name not in _CALLS:
        return report
    made = call(report, name, text(item, _CALLS[name]))
    if kind == "item.started":
        return replace(made, tools=report.tools)
    return deny(made, name) if text(item, "status") == "declined" else made


def _usage(event: Event) -> Usage:
    counted = ("input_tokens", "cached_input_tokens", "output_tokens")
    read, cached, made = (number(event, "usage", name) for name in counted)
    return Usage(read, cached, made, cumulative=True)


PROGRAM = Codex()
