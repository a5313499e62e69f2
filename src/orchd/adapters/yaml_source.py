"""YAML from strangers: a guard, and a tree of plain nodes that know where they stand.

One pass over the event stream of ruamel (pure, YAML 1.2) is both. Depth, number of nodes and all that a task file has no
use for (anchors, aliases, tags, directives, merge keys, a second document) are judged event by event, so a hostile file is
left at the first excess, before anything recursive or quadratic sees it: loading 10 KB of `[` costs seconds.

Rule: nobody else in orchd parses YAML; the answer to any bytes is a tree or a Problem, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import field
from enum import StrEnum
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.nodes import ScalarNode

from orchd.model.dataclass import dataclass
from orchd.model.limits import TASK_FILE_BYTES, YAML_DEPTH, YAML_NODES
from orchd.model.problem import Problem

EXCERPT_CHARS = 240
"""Characters of a source line that a problem keeps: problems are stored, lines may be as long as the file."""

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]|\r(?!\n)"
)
"""Control and bidi characters: what a person reviews must be what runs."""


class Kind(StrEnum):
    """What a node is, in the words of messages."""

    TEXT = "text"
    WHOLE = "a whole number"
    NUMBER = "a number"
    TRUTH = "a truth value"
    NOTHING = "nothing"
    DATE = "a date"
    MERGE = "a merge key"
    LIST = "a list"
    MAPPING = "a mapping"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in the source: line and column from 1, width in characters."""

    line: int
    column: int
    width: int = 1


@dataclass(slots=True)
class Node:
    """A parsed value and its place. `text` is a scalar as it is written, without quotes; `entries` maps the keys of a
    mapping to the place of the key and the value; `folded`: several lines without quotes that became one."""

    kind: Kind
    span: Span
    value: object = None
    text: str = ""
    items: list[Node] = field(default_factory=list)
    entries: dict[str, tuple[Span, Node]] = field(default_factory=dict)
    folded: bool = False

    def plain(self) -> Any:
        """The value without places. Not deeper than YAML_DEPTH."""
        if self.kind is Kind.LIST:
            return [item.plain() for item in self.items]
        if self.kind is Kind.MAPPING:
            return {key: node.plain() for key, (_, node) in self.entries.items()}
        return self.value


@dataclass(frozen=True, slots=True)
class Document:
    """The root of a file and its lines, for excerpts."""

    path: str
    lines: tuple[str, ...]
    root: Node

    def problem(self, span: Span, code: str, message: str, hint: str = "") -> Problem:
        """A problem of this file at `span`."""
        return make_problem(self.path, self.lines, span, code, message, hint)

    def excerpt(self, line: int) -> str:
        """A source line by its number from 1, cut to a length that can be stored."""
        return self.lines[line - 1][:EXCERPT_CHARS]


@dataclass(frozen=True, slots=True)
class Day:
    """A value that YAML reads as a date, as it is written."""

    text: str


class _Fault(Exception):
    """Leaves the pass over the events at the first mistake. Never seen outside of this module."""

    def __init__(self, span: Span, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.span, self.code, self.message, self.hint = span, code, message, hint


Loaded: TypeAlias = Document | Problem


def load_yaml(path: str, content: bytes) -> Loaded:
    """The document in `content` (kind NOTHING when it is empty), or the first mistake in it. `path` is only shown."""
    text = ""
    try:
        text = _decode(content)
        _refuse_characters(text)
        return Document(path, tuple(_lines(text)), _parse(text))
    except _Fault as fault:
        return make_problem(path, _lines(text), fault.span, fault.code, fault.message, fault.hint)


def make_problem(path: str, lines: tuple[str, ...] | list[str], span: Span, code: str, message: str, hint: str = "") -> Problem:
    """A problem with its source line; the mark does not reach beyond the line."""
    excerpt = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    width = max(1, min(span.width, len(excerpt) - span.column + 1))
    return Problem(path, span.line, span.column, code, message, hint, excerpt[:EXCERPT_CHARS], width)


def _decode(content: bytes) -> str:
    """Strict UTF-8; the byte order mark that some editors write is dropped."""
    if len(content) > TASK_FILE_BYTES:
        hint = f"{TASK_FILE_BYTES} bytes are the limit; put long scripts into a file of the repository and run that"
        raise _Fault(Span(0, 0), "E002", "the file is too large", hint)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8-sig")) + 1
        span = Span(before.count(b"\n") + 1, column)
        raise _Fault(span, "E003", f"this is not UTF-8 (byte 0x{content[error.start]:02x})", "save the file as UTF-8") from None


def _refuse_characters(text: str) -> None:
    found = FORBIDDEN.search(text)
    if found is not None:
        before = text[: found.start()]
        span = Span(before.count("\n") + 1, found.start() - (before.rfind("\n") + 1) + 1)
        raise _forbidden(span, found.group())


def _forbidden(span: Span, character: str) -> _Fault:
    hint = "remove it: invisible characters can make a file do something else than it shows"
    return _Fault(span, "E004", f"invisible or control character U+{ord(character[0]):04X}", hint)


def _lines(text: str) -> list[str]:
    """Lines as ruamel counts them, after the forbidden line ends were refused."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def _parse(text: str) -> Node:
    lines = _lines(text)
    yaml = YAML(typ="safe", pure=True)
    builder = _Builder(yaml.resolver)
    try:
        for event in yaml.parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise _syntax_fault(error, lines) from None
    except (YAMLError, ValueError, RecursionError, IndexError, KeyError, AttributeError, AssertionError) as error:
        # ruamel lets its own slips through on malformed input (ValueError for \U0011ffff), without a place.
        raise _Fault(builder.reached, "E010", f"this is not YAML, here or below: {error}", "check quotes and escapes") from None
    _refuse_tabs(lines, builder.literal_lines)
    return builder.root or Node(Kind.NOTHING, Span(1, 1))


_BEGAN = re.compile("end of stream|stream end|could not find expected ':'")
"""What was never closed or completed is shown where it began."""
UNSPACED = re.compile(r"[ ]*(?:- +)?[A-Za-z_]+:(?![\s:/]|$)")
"""A key and its colon, with the value right behind it: to YAML this is a text."""
_UNSPACED_FAULTS = re.compile("mapping values are not allowed|could not find expected ':'")
_TAB_HINT = "YAML is indented with spaces only"
_SYNTAX_HINTS = (
    ("mapping values are not allowed", "a text with `: ` in it must be quoted, or the line is indented too far"),
    ("could not find expected ':'", "is a `:` missing after the key? The lines below `|` must be indented"),
    ("cannot start any token", "quote a text that begins with this character"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("<block end>", "lines of one mapping or list must begin in the same column"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing"),
    ("undefined alias", "quote a text that begins with `*`"),
    ("escape", r"in double quotes `\` begins an escape; use single quotes"),
)


def _syntax_fault(error: MarkedYAMLError, lines: list[str]) -> _Fault:
    began = _BEGAN.search(error.problem or "")
    mark = (began and error.context_mark) or error.problem_mark or error.context_mark
    span = Span(0, 0) if mark is None else _to_text(_span(mark), lines)
    line = lines[span.line - 1] if 0 < span.line <= len(lines) else ""
    if "\t" in _indentation(line):
        return _Fault(_tab_span(span.line, line), "E011", "a tab in the indentation", _TAB_HINT)
    if _UNSPACED_FAULTS.search(error.problem or "") and (colon := _find_unspaced(span, lines)):
        return _Fault(colon, "E010", "this is not YAML: there is no space after `:`", "write a space after `:`")
    problem = " ".join(part for part in (error.context, error.problem) if part) or "malformed"
    hint = next((hint for word, hint in _SYNTAX_HINTS if word in problem), "check the indentation and the quotes")
    return _Fault(span, "E010", f"this is not YAML: {problem}", hint)


def _to_text(span: Span, lines: list[str]) -> Span:
    """What is missing at the end of the file is shown at the end of its text."""
    last = next((number for number in range(len(lines), 0, -1) if lines[number - 1].strip()), 1)
    return span if span.line <= last else Span(last, max(1, len(lines[last - 1].rstrip())))


def _find_unspaced(span: Span, lines: list[str]) -> Span | None:
    """The colon without a space in the line of `span` or, if that is the first colon there, in the line of text above: a
    text without quotes goes on, so it is the next line that YAML complains of."""
    above = next((one for one in range(span.line - 1, 0, -1) if lines[one - 1].strip()), span.line)
    first = lines[span.line - 1].find(":") == span.column - 1
    for one in (span.line, above) if first else (span.line,):
        if found := UNSPACED.match(lines[one - 1]):
            return Span(one, found.end())
    return None


def _refuse_tabs(lines: list[str], literal: set[int]) -> None:
    """Tabs that ruamel folds away silently. Inside a block text they are content."""
    for number, line in enumerate(lines, 1):
        if "\t" in _indentation(line) and line.strip() and number not in literal:
            raise _Fault(_tab_span(number, line), "E011", "a tab in the indentation", _TAB_HINT)


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _tab_span(number: int, line: str) -> Span:
    return Span(number, line.index("\t") + 1)


def _span(start: StreamMark, end: StreamMark | None = None) -> Span:
    """A value of several lines is marked to the end of its first one (make_problem cuts)."""
    width = 1 if end is None else EXCERPT_CHARS if end.line > start.line else max(1, end.column - start.column)
    return Span(start.line + 1, start.column + 1, width)


class _Builder:
    """Grows the tree event by event on its own stack, and is the guard: see `take`."""

    def __init__(self, resolver: Any) -> None:
        self.root: Node | None = None
        self.literal_lines: set[int] = set()
        self.reached = Span(1, 1)
        self._resolver = resolver
        self._open: list[Node] = []
        self._keys: list[tuple[str, Span] | None] = []
        self._count = 0

    def take(self, event: Any) -> None:
        """One step. Raises _Fault on what is not allowed."""
        if isinstance(event, DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, NodeEvent):
            self._start_node(event)

    def _start_document(self, event: DocumentStartEvent) -> None:
        span = _span(event.start_mark)
        if event.version is not None or event.tags:
            raise _Fault(Span(1, 1, EXCERPT_CHARS), "E015", "directives are not allowed", "remove the `%` line")
        if self.root is not None:
            hint = "one file is one task: split it at `---`"
            raise _Fault(Span(span.line, span.column, 3), "E012", "a second document", hint)

    def _start_node(self, event: NodeEvent) -> None:
        span = _span(event.start_mark, event.end_mark)
        self.reached = span
        self._refuse_features(event, span)
        self._count += 1
        if self._count > YAML_NODES:
            raise _Fault(span, "E018", f"more than {YAML_NODES} values", "a task file is short; what is this?")
        node = self._node(event, span)
        self._attach(node)
        if node.kind in (Kind.LIST, Kind.MAPPING):
            if len(self._open) >= YAML_DEPTH:
                raise _Fault(span, "E017", f"nested deeper than {YAML_DEPTH} levels", "no key of a task file needs this")
            self._open.append(node)
            self._keys.append(None)

    def _refuse_features(self, event: Any, span: Span) -> None:
        if isinstance(event, AliasEvent):
            raise _Fault(span, "E013", "aliases are not allowed", "write the value out, or quote a text that begins with `*`")
        if event.anchor is not None:
            raise _Fault(span, "E013", "anchors are not allowed", "write the value out, or quote a text that begins with `&`")
        if event.tag is not None:
            raise _Fault(span, "E014", "tags are not allowed", "remove it, or quote a text that begins with `!`")

    def _node(self, event: NodeEvent, span: Span) -> Node:
        if isinstance(event, SequenceStartEvent):
            return Node(Kind.LIST, span)
        if isinstance(event, MappingStartEvent):
            return Node(Kind.MAPPING, span)
        assert isinstance(event, ScalarEvent)
        if event.style in ("|", ">"):
            self.literal_lines.update(range(event.start_mark.line + 2, event.end_mark.line + 2))
        elif bad := FORBIDDEN.search(event.value):
            raise _forbidden(span, bad.group())
        tag = str(self._resolver.resolve(ScalarNode, event.value, event.implicit))
        kind, construct = _SCALARS.get(tag.rpartition(":")[2], (Kind.TEXT, str))
        folded = not event.style and event.end_mark.line > event.start_mark.line
        return Node(kind, span, construct(event.value), event.value, folded=folded)

    def _attach(self, node: Node) -> None:
        if not self._open:
            self.root = node
        elif self._open[-1].kind is Kind.LIST:
            self._open[-1].items.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = self._key(node)
        else:
            key, span = self._keys[-1]
            self._keys[-1] = None
            self._open[-1].entries[key] = (span, node)

    def _key(self, node: Node) -> tuple[str, Span]:
        if node.kind is Kind.MERGE:
            raise _Fault(node.span, "E016", "merge keys are not allowed", "write the values out")
        if node.kind is not Kind.TEXT:
            raise _Fault(node.span, "E020", f"a key must be text, this is {node.kind}", "quote it")
        key = str(node.value)
        if key in self._open[-1].entries:
            first = self._open[-1].entries[key][0].line
            raise _Fault(node.span, "E019", f"`{shorten(key)}` is there twice", f"the first one is in line {first}; remove one")
        return key, node.span


def shorten(text: str) -> str:
    """Names of strangers in messages, not longer than a line."""
    return text if len(text) <= 60 else text[:57] + "..."


_HUGE = 10**40


def _whole(text: str) -> object:
    """An integer of YAML 1.2. Python refuses thousands of digits; such a number is out of every range anyway."""
    digits = text.replace("_", "")
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits.lstrip("+-")[:2], 10)
    try:
        return int(digits, base) if len(digits) <= 40 else _HUGE
    except ValueError:
        return text


def _number(text: str) -> object:
    bare = text.replace("_", "").lower()
    return float(bare.replace(".inf", "inf").replace(".nan", "nan"))


def _truth(text: str) -> object:
    return text.lower() == "true"


def _nothing(_: str) -> object:
    return None


_SCALARS: dict[str, tuple[Kind, Any]] = {
    "int": (Kind.WHOLE, _whole),
    "float": (Kind.NUMBER, _number),
    "bool": (Kind.TRUTH, _truth),
    "null": (Kind.NOTHING, _nothing),
    "timestamp": (Kind.DATE, Day),
    "merge": (Kind.MERGE, str),
}
