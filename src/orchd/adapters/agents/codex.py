"""Codex: `codex exec --json -`. Its rules are those of its sandbox, its tokens count since its conversation began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchd.adapters.agents import permits
from orchd.adapters.agents.events import Event, UsageAt, part, text
from orchd.adapters.agents.program import Diary, Folders, Launch, Signs, given
from orchd.adapters.agents.reports import Stream, call, deny, fail, finish, say, settle
from orchd.model.agent import Effort, Job, Report, Rule, Tally, Tool, Usage


def _count(event: Event, report: Report) -> Report:
    """After each answer of the model, before its tools run: since the conversation began, and in this run."""
    whole, own = (_find_usage(part(event, "payload", name)) for name in ("thread_token_usage", "turn_token_usage"))
    return replace(report, usage=whole, tally=Tally(own=own))


def _find_usage(told: Event) -> Usage:
    return replace(UsageAt("input_tokens", "cached_input_tokens", "output_tokens").find(told), cumulative=True)


_SIGNS = Signs(
    "codex",
    usage=("exec", "--help"),
    flags=("--json", "--config", "--disable", "--ignore-user-config", "--ignore-rules", "--cd"),
    keys=("CODEX_API_KEY", "OPENAI_API_KEY"),
    files=(".codex/auth.json",),
    efforts=tuple(Effort),
    diary=Diary("CODEX_HOME", ".codex", "sessions/*/*/*/rollout-*-{}.jsonl", b'"token_usage_record"', _count),
)
# What a call is about, by the type of its item.
_CALLS: Mapping[str, str] = {"command_execution": "command", "web_search": "query", "mcp_tool_call": "tool", "file_change": ""}


class Codex(Stream):
    """See the module."""

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


def _compile(rules: tuple[Rule, ...]) -> Iterator[str]:
    edits, web = permits.is_open(rules, Tool.EDIT), permits.is_open(rules, Tool.WEB)
    yield from ("--config", 'approval_policy="never"')
    yield from ("--config", f'sandbox_mode="{"workspace-write" if edits else "read-only"}"')
    yield from ("--config", f"sandbox_workspace_write.network_access={'true' if web else 'false'}")
    yield from ("--config", f'web_search="{"live" if web else "disabled"}"')
    if not permits.is_open(rules, Tool.DELEGATE):
        yield from ("--disable", "multi_agent")


def _read_item(event: Event, report: Report) -> Report:
    item = part(event, "item")
    name = text(item, "type")
    if name == "agent_message":
        return say(report, text(item, "text"))
    if name not in _CALLS:
        return report
    made = call(report, name, text(item, _CALLS[name]))
    if text(event, "type") == "item.started":
        return replace(made, tools=report.tools)
    return deny(made, name) if text(item, "status") == "declined" else made


def _read_error(event: Event, report: Report) -> Report:
    """Only `turn.failed` is final; an `error` may be followed by another try."""
    return fail(report, text(event, "message") or text(event, "error", "message"))


_READERS = {
    "turn.completed": lambda event, report: settle(finish(report), _find_usage(part(event, "usage"))),
    **dict.fromkeys(("error", "turn.failed"), _read_error),
    **dict.fromkeys(("item.started", "item.updated", "item.completed"), _read_item),
}


PROGRAM = Codex(_SIGNS, _READERS, "thread_id")
