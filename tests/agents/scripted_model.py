"""A model on loopback that does what a script says, in the four languages that the agent programs speak.

Anthropic messages, OpenAI responses, OpenAI chat, Gemini. A script has a mode and a command. When the last message comes
from a person, the model calls the shell tool with the command (`tool`), or only talks (`nothing`), answers with an HTTP
error (`400` ... `529`), never (`hang`), or with megabytes (`huge`); after a tool result it says that it is done.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DONE = "the scripted model is done"
HUGE_CHARS = 5_000_000
HANG_SECONDS = 3600.0
# What a program without tools edits files by: the whole file, below its name.
EDIT = "out.txt\n```\nhi\n```\n"
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
# Its names for a shell, and what to call it when it is not offered.
SHELLS = ("Bash", "exec_command", "shell_command", "shell", "run_shell_command", "bash")
FALLBACKS = {"Read": "Bash", "read_file": "run_shell_command"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Script:
    mode: str = "tool"
    command: str = "echo hi > out.txt"


@dataclass(frozen=True)
class Turn:
    """What the model does now: call a tool, or say something."""

    text: str = ""
    tool: str = ""
    arguments: Mapping[str, object] | None = None


def decide(script: Script, names: Iterable[str], *, asked: bool) -> Turn:
    """`asked`: the last message comes from a person."""
    tools = list(names)
    if script.mode == "huge" and not tools:
        return Turn("x" * 70 + ("\n" + "x" * 70) * (HUGE_CHARS // 71))
    if script.mode in ("tool", "huge") and asked and tools:
        known = [name for name in SHELLS if name in tools] or [FALLBACKS[name] for name in tools if name in FALLBACKS]
        name = known[0] if known else "bash"
        key = "cmd" if name == "exec_command" else "command"
        return Turn(tool=name, arguments={key: script.command, **({} if key == "cmd" else {"description": "do it"})})
    return Turn(DONE + "\n\n" + EDIT if script.mode == "tool" and not tools else DONE)


class ScriptedModel:
    """The server, in a thread of its own. `seen` are the bodies of its requests."""

    def __init__(self, script: Script) -> None:
        seen: list[Json] = []

        class Handler(_Handler):
            pass

        Handler.script, Handler.seen = script, seen
        self.seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    script: Script
    seen: list[Json]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": "mock-1", "object": "model"}], "models": []})

    def do_POST(self) -> None:
        body = self._body()
        self.seen.append(body)
        path = self.path.split("?")[0]
        if self.script.mode.isdecimal():
            return self._refuse(int(self.script.mode))
        if self.script.mode == "hang":
            time.sleep(HANG_SECONDS)
        for ending, speak in _LANGUAGES.items():
            if path.endswith(ending):
                return self._stream(speak(self.script, body), wanted=bool(body.get("stream")) or ending.startswith(":stream"))
        return self._answer(200, {"input_tokens": 10, "totalTokens": 10})

    def _body(self) -> Json:
        raw = (
            self._chunks()
            if self.headers.get("transfer-encoding") == "chunked"
            else self.rfile.read(int(self.headers.get("content-length") or 0))
        )
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        try:
            found = json.loads(raw)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    def _refuse(self, status: int) -> None:
        error = {"type": KINDS[status], "message": f"scripted {status}", "code": status, "status": str(status)}
        self._answer(status, {"type": "error", "error": error}, {"retry-after": "1"} if status == 429 else {})

    def _answer(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, spoken: tuple[list[Json | str], Json], *, wanted: bool) -> None:
        events, whole = spoken
        if not wanted:
            return self._answer(200, whole)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        for event in events:
            name = f"event: {event['type']}\n" if isinstance(event, dict) and "type" in event else ""
            self.wfile.write(f"{name}data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode())
        self.wfile.flush()
        return None


def _messages(script: Script, body: Json) -> tuple[list[Json | str], Json]:
    # With a budget, claude says behind the result how much of it is left.
    told = [message.get("role") for message in body.get("messages", ())]
    since = body.get("messages", ())[len(told) - told[::-1].index("assistant") :] if "assistant" in told else ()
    answered = '"tool_result"' in json.dumps(since)
    turn = decide(script, [tool.get("name", "") for tool in body.get("tools", [])], asked=not answered)
    usage = {"input_tokens": 1000, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 300, "output_tokens": 1}
    base = {
        "id": f"msg_{time.monotonic_ns()}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "stop_sequence": None,
    }
    if turn.tool:
        begin: Json = {"type": "tool_use", "id": f"toolu_{time.monotonic_ns()}", "name": turn.tool, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(turn.arguments)}
    else:
        begin, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": turn.text}
    stop = "tool_use" if turn.tool else "end_turn"
    events: list[Json | str] = [
        {"type": "message_start", "message": {**base, "content": [], "stop_reason": None, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": begin},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 50}},
        {"type": "message_stop"},
    ]
    return events, {**base, "content": [{"type": "text", "text": turn.text}], "stop_reason": stop, "usage": usage}


def _responses(script: Script, body: Json) -> tuple[list[Json | str], Json]:
    given = body.get("input") or []
    last = given[-1] if isinstance(given, list) and given else {}
    names = [tool.get("name") or tool.get("type") for tool in body.get("tools", [])]
    turn = decide(script, names, asked="call_output" not in str(last.get("type")))
    if turn.tool:
        arguments = dict(turn.arguments or {})
        if turn.tool == "shell":
            arguments["command"] = ["sh", "-c", script.command]
        called = f"call_{time.monotonic_ns()}"
        item: Json = {
            "type": "function_call",
            "id": "fc_1",
            "call_id": called,
            "name": turn.tool,
            "arguments": json.dumps(arguments),
        }
    else:
        content = [{"type": "output_text", "text": turn.text, "annotations": []}]
        item = {"type": "message", "id": "m_1", "role": "assistant", "status": "completed", "content": content}
    usage = {"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 300}, "output_tokens": 50, "total_tokens": 1050}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage}
    events: list[Json | str] = [
        {"type": "response.created", "response": {"id": "resp_1", "object": "response", "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return events, whole


def _chat(script: Script, body: Json) -> tuple[list[Json | str], Json]:
    last = (body.get("messages") or [{}])[-1]
    names = [tool.get("function", {}).get("name") for tool in body.get("tools", [])]
    turn = decide(script, names, asked=last.get("role") != "tool")
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 50,
        "total_tokens": 1050,
        "prompt_tokens_details": {"cached_tokens": 300},
    }
    base = {"id": "c1", "created": 1, "model": body.get("model")}
    said: Json = {"role": "assistant", "content": turn.text}
    if turn.tool:
        function = {"name": turn.tool, "arguments": json.dumps(turn.arguments)}
        call = {"index": 0, "id": f"call_{time.monotonic_ns()}", "type": "function", "function": function}
        said = {"role": "assistant", "tool_calls": [call]}
    reason = "tool_calls" if turn.tool else "stop"
    chunk = {**base, "object": "chat.completion.chunk"}
    events: list[Json | str] = [
        {**chunk, "choices": [{"index": 0, "delta": said, "finish_reason": None}]},
        {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
        {**chunk, "choices": [], "usage": usage},
        "[DONE]",
    ]
    choice = {"index": 0, "message": said, "finish_reason": reason}
    return events, {**base, "object": "chat.completion", "choices": [choice], "usage": usage}


def _gemini(script: Script, body: Json) -> tuple[list[Json | str], Json]:
    last = (body.get("contents") or [{}])[-1]
    names = [one.get("name") for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    turn = decide(script, names, asked="functionResponse" not in json.dumps(last))
    parts: list[Json] = [{"functionCall": {"name": turn.tool, "args": turn.arguments}}] if turn.tool else [{"text": turn.text}]
    if "responseSchema" in json.dumps(body) or "responseJsonSchema" in json.dumps(body):
        parts = [{"text": json.dumps({"reasoning": "none", "next_speaker": "user", "model_choice": "flash"})}]
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 50, "totalTokenCount": 1050, "cachedContentTokenCount": 300}
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    whole = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "mock-1", "responseId": "r1"}
    return [whole], whole


_LANGUAGES: Mapping[str, Callable[[Script, Json], tuple[list[Json | str], Json]]] = {
    "/messages": _messages,
    "/responses": _responses,
    "/chat/completions": _chat,
    ":streamGenerateContent": _gemini,
    ":generateContent": _gemini,
}
