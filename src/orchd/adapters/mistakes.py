"""From a machine's complaint to a sentence for a person: code, place, message, hint. Tables, one row per kind of mistake.

Rule: codes are stable. A code that was released is never given another meaning; new mistakes get new codes.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic_core import ErrorDetails

from orchd.adapters.yaml_source import Document, Kind, Node, Span, shorten
from orchd.model.agent import Permit, Tool
from orchd.model.dataclass import dataclass
from orchd.model.limits import DETAIL_ITEMS
from orchd.model.problem import Problem

FILE_CODES: Mapping[str, str] = {
    "E001": "the file cannot be read as a plain file (symlink, hard link, pipe, permission)",
    "E002": "the file is too large",
    "E003": "the file is not UTF-8",
    "E004": "an invisible, control or text-direction character",
    "E005": "the file name is not a valid task id",
    "E006": "the file is empty",
    "E010": "the text is not YAML",
    "E011": "a tab in the indentation",
    "E012": "more than one document",
    "E013": "an anchor or an alias",
    "E014": "a tag",
    "E015": "a directive",
    "E016": "a merge key",
    "E017": "nested too deeply",
    "E018": "too many values",
    "E019": "a key is there twice",
    "E020": "a key that is not text",
    "E021": "the file is not a list of `key: value` lines",
    "E030": "a required key is missing",
    "E031": "an unknown key",
    "E032": "a key that this version does not support yet",
    "E033": "a value of the wrong type",
    "E034": "a list is needed",
    "E036": "an empty value",
    "E037": "a value is too long",
    "E038": "a number out of range",
    "E039": "not a valid name (a-z, 0-9 and inner hyphens)",
    "E040": "a glob that cannot be claimed",
    "E041": "not a duration or a size",
    "E042": "not one of the allowed words",
    "E043": "an entry is there twice",
    "E044": "a task waits for itself",
    "E045": "the same task in `needs` and in `after`",
    "E046": "a title of several lines",
    "E047": "not the name of a variable or a branch",
    "E048": "two gates of one name",
    "E049": "a dropped file that was rejected",
    "E050": "the branch does not exist",
    "E051": "a command of several lines without `|`",
    "E052": "one entry of `claims` for several things",
    "E053": "a claim file that wants what only tasks are given",
    "E054": "not an instant: date, time and zone",
    "E056": "not a range of ports",
    "E057": "two environments of one name",
    "E055": "`for` in a claim file that cannot use it",
    "E070": "the base of a session cannot be used",
    "E071": "two files give the same session",
    "E080": "`run` and `goal` in one task",
    "E081": "a key for agents in a task that is a command",
    "E082": "a chain of agents that cannot be gone through",
    "E083": "not a path in the repository",
    "E084": "the definition of an agent without front matter",
    "E085": "a name that is not that of the file",
    "E086": "not a rule of an agent",
    "E087": "a program that orchd does not know",
    "E090": "not the name of a model",
    "E091": "not a day",
    "E092": "rules to which the program of an agent cannot be held",
}

LATER_KEYS: Mapping[str, tuple[str, str]] = {
    "prompt": ("`prompt` is called `goal` here", "write `goal:` for what an agent is to do, or `run:` for a command"),
    "budget": ("`budget` of a single task is not supported yet", "set `limits:` in the definition of its agent, or `timeout:`"),
    "gates": ("`gates` of a single task are not supported yet", "put them into `.orch/config.yaml`, or test in `run:`"),
    "on_failure": ("`on_failure` is not supported yet", "write another task with `after:` and `run:`"),
    "approval": ("`approval` is not supported yet", "remove it; `run:` starts without asking"),
    "setup": ("`setup` is not supported yet", "begin `run:` with the commands that prepare the workspace"),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """One complaint, together with the place it is about. `name` is the key, `keys` are those allowed around it."""

    details: ErrorDetails
    name: str
    node: Node
    span: Span
    keys: Sequence[str]

    @property
    def context(self) -> Mapping[str, Any]:
        return self.details.get("ctx") or {}

    @property
    def place(self) -> tuple[int | str, ...]:
        """Where the mapping is whose key it is about."""
        return self.details["loc"][:-1]

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of which one is not there; none when it is about something else."""
        return _ONE_OF.get(self.details["type"], (self.name,) if self.details["type"] == "missing" else ())


_Text: TypeAlias = Callable[[_Found], str]
Keys: TypeAlias = Mapping[str, Sequence[str]]
"""The allowed keys at the top (under ""), inside each key that has a mapping, and in each form of an entry."""


def explain_mistakes(document: Document, errors: Iterable[ErrorDetails], keys: Keys) -> tuple[Problem, ...]:
    """All complaints of pydantic about a file, in the order of their places. At most DETAIL_ITEMS are kept. A key is not
    missing where it was only misspelt."""
    found = [_find(document.root, details, keys) for details in errors]
    misspelt = {(one.place, near) for one in found if one.details["type"] in _OF_KEYS and (near := _near_key(one))}
    problems = sorted(_explain(document, one) for one in found if not misspelt & {(one.place, key) for key in one.missing})
    return tuple(problems[:DETAIL_ITEMS])


def _explain(document: Document, found: _Found) -> Problem:
    details = found.details
    if details["type"] == "extra_forbidden" and details["loc"] == (found.name,) and found.name in LATER_KEYS:
        message, hint = LATER_KEYS[found.name]
        return document.problem(found.span, "E032", message, hint)
    code, message_of, hint_of = _ROWS.get(details["type"], _OTHER)
    return document.problem(found.span, code, message_of(found), hint_of(found))


def find_folded_commands(document: Document) -> tuple[Problem, ...]:
    """Each `run` of several lines that YAML makes one line of, which is a different command."""
    _, gates = document.root.entries.get("gates", (None, Node(Kind.NOTHING, Span(0, 0))))
    runs = [node.entries["run"][1] for node in (document.root, *gates.items) if "run" in node.entries]
    message, hint = "YAML folds the lines of this `run` into one", "write `run: |` and the lines below it, indented"
    return tuple(document.problem(run.span, "E051", message, hint) for run in runs if run.folded)


def _find(root: Node, details: ErrorDetails, keys: Keys) -> _Found:
    """Follows the path of a complaint as far as the file goes; what a bare glob was expanded to is not in the file."""
    node, span, name = root, root.span, ""
    for step in _path(details):
        if isinstance(step, str) and step in node.entries:
            name = step
            key_span, node = node.entries[name]
            of_key = details["type"] in _OF_KEYS or _is_name(details) or (node.kind is Kind.NOTHING and not node.text)
            span = key_span if of_key else node.span
        elif isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            span = node.span
    location = details["loc"]
    if details["type"] == "missing":
        name = str(location[-1])
    around = next((str(step) for step in reversed(location[:-1]) if step in keys), "")
    return _Found(details, name, node, span, keys.get(around, ()))


_ONE_OF: Mapping[str, tuple[str, ...]] = {"no_work": ("run", "steps", "goal"), "no_step_work": ("run", "goal")}
_OF_KEYS = frozenset({"extra_forbidden", "unknown_form"})


def _is_name(details: ErrorDetails) -> bool:
    """Whether the name of an entry is wrong, not what stands after it."""
    return details["loc"][-1] == "[key]"


def _path(details: ErrorDetails) -> tuple[int | str, ...]:
    item = (details.get("ctx") or {}).get("item")
    return details["loc"] if item is None else (*details["loc"], item)


def _fixed(text: str) -> _Text:
    return lambda _: text


def _said(found: _Found) -> str:
    """The sentence that the check itself made."""
    return str(found.context["text"])


def _no_hint(_: _Found) -> str:
    return ""


def _must_be(what: str) -> _Text:
    return lambda found: f"{_subject(found)} must be {what}, this is {found.node.kind}"


def _subject(found: _Found) -> str:
    of_entry = isinstance(found.details["loc"][-1], int)
    return f"an entry of `{found.name}`" if of_entry else f"`{found.name}`"


def _quote(found: _Found) -> str:
    if found.node.kind is Kind.NOTHING:
        return "write a text after it, or remove it"
    if found.node.kind in (Kind.LIST, Kind.MAPPING):
        return "write one text; several lines begin with `|`"
    return f'YAML reads this as {found.node.kind}; quote it: "{shorten(found.node.text)}"'


def _as_list(found: _Found) -> str:
    if found.node.kind is Kind.NOTHING:
        return "write `[]`, or remove the key"
    return f"write [{shorten(found.node.text)}]" if found.node.text else "begin each entry with `- `"


def _as_whole(found: _Found) -> str:
    return "remove the quotes" if found.node.kind is Kind.TEXT and found.node.text.isdecimal() else "write a number like 10"


def _as_word(found: _Found) -> str:
    """What pydantic expects reads like `'read', 'write' or 'append'`."""
    expected = str(found.context.get("expected", ""))
    near = difflib.get_close_matches(found.node.text, expected.replace("'", "").replace(" or ", ", ").split(", "), 1)
    return f"did you mean `{near[0]}`?" if near else f"write {expected}"


def _as_slug(found: _Found) -> str:
    text = found.name if _is_name(found.details) else found.node.text
    name = text.lower().rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    wish = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name).split())
    rule = "use 1 to 48 of a-z, 0-9 and inner hyphens"
    return f"{rule}, like `{wish[:48].strip('-')}`" if wish else rule


def _known_key(found: _Found) -> str:
    near = _near_key(found)
    return f"did you mean `{near}`?" if near else f"the keys are {', '.join(found.keys)}"


def _near_key(found: _Found) -> str:
    """The key that a misspelt one was meant to be; empty when none is near."""
    return next(iter(difflib.get_close_matches(found.name, found.keys, 1)), "")


def _in_range(found: _Found) -> str:
    bounds = {"ge": "at least", "le": "at most"}
    return "; ".join(f"write {word} {found.context[name]}" for name, word in bounds.items() if name in found.context)


def _as_rule(found: _Found) -> str:
    words = found.node.text.replace("(", " ").split()
    near = [n for word in words[:2] for n in difflib.get_close_matches(word.lower(), _RULE_WORDS, 1)]
    meant = f"did you mean `{' '.join(near)}`? " if len(near) == 2 and near != words[:2] else ""
    return f"{meant}Write `allow` or `deny`, then {', '.join(_RULE_WORDS[2:])}, like `allow edit(src/**)`"


_RULE_WORDS = (*Permit, *Tool)
_FORMS = "`path`, `resource` or `port`"
_BETWEEN_WORDS = "a number of seconds, or a text like 90s, 15m, 2h or 1d"
_ROWS: Mapping[str, tuple[str, _Text, _Text]] = {
    "missing": ("E030", lambda found: f"`{found.name}` is missing", lambda found: f"add a line `{found.name}: ...`"),
    **dict.fromkeys(
        ("extra_forbidden", "unknown_form"), ("E031", lambda found: f"unknown key `{shorten(found.name)}`", _known_key)
    ),
    "string_type": ("E033", _must_be("text"), _quote),
    "int_type": ("E033", _must_be("a whole number"), _as_whole),
    "model_type": ("E033", _must_be("a mapping of `key: value` lines"), _fixed("write its keys below it, indented")),
    "dict_type": ("E033", _must_be("a mapping of `name: value` lines"), _fixed("write each name below it, indented")),
    "list_type": ("E034", _must_be("a list"), _as_list),
    "blank": (
        "E036",
        lambda found: f"`{found.name}` is empty",
        _fixed("write a text after it; the lines below `|` are indented"),
    ),
    "too_short": ("E036", lambda found: f"`{found.name}` is empty", _fixed("remove the key, or write an entry")),
    "string_too_long": (
        "E037",
        lambda found: f"`{found.name}` is longer than {found.context['max_length']} characters",
        _fixed("make it shorter; details can stand in a comment"),
    ),
    "too_long": (
        "E037",
        lambda found: f"`{found.name}` has more than {found.context['max_length']} entries",
        _fixed("use fewer; a glob can name many paths"),
    ),
    "command_too_long": ("E037", _said, _fixed("put it into a script of the repository and run that")),
    "greater_than_equal": ("E038", lambda found: f"`{found.name}` is too small", _in_range),
    "less_than_equal": ("E038", lambda found: f"`{found.name}` is too large", _in_range),
    "no_work": ("E030", _said, _fixed("add a line `run: ...` (a command), `steps:` (several) or `goal: ...` (for an agent)")),
    "no_step_work": ("E030", _said, _fixed("add a line `run: ...` (a command) or `goal: ...` (for the agent)")),
    "two_works": ("E080", _said, _fixed("keep `run` or `steps` for commands, or `goal` for an agent; or write two tasks")),
    "goal_too_long": ("E037", _said, _fixed("put it into a file of the repository and name that in the goal")),
    "needs_goal": ("E081", _said, _fixed("remove it, or write `goal:` in the place of `run:`")),
    "shell_goal": ("E082", _said, _fixed("name an agent or `auto`, or write `run:` in the place of `goal:`")),
    "no_chain": ("E082", _said, _fixed("keep one name; only a task with `goal:` has a chain")),
    "auto_first": ("E082", _said, _fixed("put it at the end")),
    "bad_path": ("E083", _said, _fixed("write it from the root of the repository, like `docs/retry.md`")),
    "bad_own_name": ("E085", _said, _fixed("remove the line, or rename the file")),
    "bad_rule": ("E086", _said, _as_rule),
    "bad_runner": ("E087", _said, _fixed("name one of those")),
    "model_flag": ("E090", _said, _fixed("write its name: what begins with `-` would be a flag of the program")),
    "bad_model": ("E090", _said, _fixed("write its name, or its beginning and `*`, like `gpt-*`")),
    "bad_day": ("E091", _said, _fixed("write the day on which somebody read the price, like `2026-11-27`")),
    "bad_slug": ("E039", _said, _as_slug),
    "bad_glob": ("E040", _said, _fixed("write a path from the root of the repository, like `src/http/**` or `docs/*.md`")),
    "protected": ("E040", _said, _fixed("claim other paths, and change this one by hand; `mode: read` is allowed")),
    "bad_duration": ("E041", _said, _fixed(f"write {_BETWEEN_WORDS}")),
    "promote_gate": ("E042", _said, _fixed("move it to `gates:` in .orch/config.yaml")),
    "bad_schedule": ("E042", _said, _fixed("write `auto`, `manual`, or a time like `every 30m`")),
    "bad_size": ("E041", _said, _fixed("write a number of bytes, or a text like 500KiB or 5MiB")),
    "literal_error": ("E042", lambda found: f"`{found.name}` does not know this value", _as_word),
    "repeated": ("E043", _said, _fixed("remove one of them")),
    "needs_itself": ("E044", _said, _fixed("remove this entry")),
    "needs_and_after": ("E045", _said, _fixed("keep it in `needs` (must land) or in `after` (must end)")),
    "many_lines": ("E046", _said, _fixed("keep the first line; details can stand in a comment")),
    "bad_variable": ("E047", _said, _fixed("write the name only, like `CI`")),
    "bad_branch": ("E047", _said, _fixed("write a short name, like `main`")),
    "two_forms": ("E052", _said, _fixed("write one entry for each")),
    "no_choice": ("E042", _said, _fixed("write `port: any`; the task finds its port in `ORCHD_PORT`")),
    "no_number": (
        "E042",
        lambda found: f"`{found.name}` claims nothing with this value",
        lambda found: f"write `{found.name}: next` for the next number of a kind; other entries begin with {_FORMS}",
    ),
    "for_tasks": ("E053", _said, _fixed("remove it: use the port, or take the number, and commit what you made of it")),
    "bad_ports": ("E056", _said, _fixed("write the first and the last of 1024 to 65535, like 20000-20999")),
    "bad_instant": ("E054", _said, _fixed("write it like 2026-11-27T18:00:00Z or 2026-11-27T19:00+01:00")),
    "many_ports": ("E038", _said, _fixed("use fewer")),
    "environment_twice": ("E057", _said, _fixed("give each environment a name of its own")),
    "gate_twice": ("E048", _said, _fixed("give each gate a name of its own")),
}
_OTHER: tuple[str, _Text, _Text] = ("E033", lambda found: f"`{found.name}`: {found.details['msg']}", _no_hint)
