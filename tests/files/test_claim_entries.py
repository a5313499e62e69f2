"""Entries of `claims`: what each form becomes, and that editors are told the same."""

from __future__ import annotations

import json

import pytest

from orchd.adapters.input_schemas import schema_json
from orchd.adapters.task_schema import ParsedTask, parse_task
from orchd.model.claim import Mode, PathSpec
from orchd.model.work import TaskSpec


def parse(claims: str) -> TaskSpec:
    parsed = parse_task("t.yaml", "t", f"title: x\nrun: y\nclaims: {claims}\n".encode())
    assert isinstance(parsed, ParsedTask), parsed
    return parsed.spec


def test_each_form_of_an_entry_becomes_its_noun() -> None:
    spec = parse("[src/, {path: a, mode: read}, {resource: db}, {resource: gpu}, {port: any}, {port: any}, {migration: next}]")
    assert spec.claims == (PathSpec("src/**"), PathSpec("a", Mode.READ))
    assert (spec.resources, spec.ports, spec.numbers) == (("db", "gpu"), 2, ("migration",))


@pytest.mark.parametrize("claims", ["[{resource: db}]", "[{port: any}, {release: next}]"])
def test_a_list_without_paths_claims_every_path(claims: str) -> None:
    assert parse(claims).claims == (PathSpec("**"),)


def test_editors_are_offered_every_form() -> None:
    entries = schema_json("task")["properties"]["claims"]["items"]["anyOf"]
    assert [list(one.get("properties", one.get("patternProperties", {}))) for one in entries[:4]] == [
        [],
        ["path", "mode"],
        ["resource"],
        ["port"],
    ]
    assert json.dumps(entries[4]).count('"next"') == 1
