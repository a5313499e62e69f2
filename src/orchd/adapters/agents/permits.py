"""The rules of an agent as each program's own flags need them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchd.model.agent import Permit, Rule, Tool

EVERYTHING = "*"


def is_open(rules: Iterable[Rule], tool: Tool) -> bool:
    """Whether what no special rule is about is allowed: the last rule about everything decides, without one nothing is."""
    permits = [rule.permit for rule in rules if rule.tool is tool and rule.pattern == EVERYTHING]
    return bool(permits) and permits[-1] is Permit.ALLOW


def exceptions(rules: Iterable[Rule], tool: Tool) -> tuple[Rule, ...]:
    """The rules about something in particular that come after the last one about everything and differ from it or from one
    another, in their order."""
    kept: list[Rule] = []
    for rule in rules:
        if rule.tool is tool:
            kept = [] if rule.pattern == EVERYTHING else [*kept, rule]
    return tuple(kept)


def order(rules: Iterable[Rule], tool: Tool) -> dict[str, str]:
    """What is said of each pattern, for programs in which the last one that fits decides: of everything first."""
    own = tuple(rules)
    ordered = {EVERYTHING: str(Permit.ALLOW if is_open(own, tool) else Permit.DENY)}
    for rule in exceptions(own, tool):
        ordered.pop(rule.pattern, None)
        ordered[rule.pattern] = str(rule.permit)
    return ordered


def is_shut(rules: Iterable[Rule], tool: Tool) -> bool:
    """Whether nothing at all is allowed."""
    own = tuple(rules)
    return not is_open(own, tool) and all(rule.permit is Permit.DENY for rule in exceptions(own, tool))


def special(rules: Iterable[Rule], tools: Iterable[Tool]) -> Iterator[Rule]:
    """The rules that a program which knows only yes and no for a whole tool cannot be held to."""
    own = tuple(rules)
    for tool in tools:
        base = Permit.ALLOW if is_open(own, tool) else Permit.DENY
        yield from (rule for rule in exceptions(own, tool) if rule.permit is not base)


def object_to(program: str, rules: Iterable[Rule], tools: Iterable[Tool]) -> str:
    """The objection of such a program; empty when there is none."""
    found = next(special(rules, tools), None)
    if found is None:
        return ""
    return f"{program} can only allow or deny {found.tool} as a whole, not `{found.permit} {found.tool} {found.pattern}`"
