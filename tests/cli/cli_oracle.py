"""A second, dumb reading of JSON Schema for the tests."""

from __future__ import annotations

import json

from orchd.cli.envelopes import ENVELOPES
from orchd.cli.fields import json_schema


def check_schema(schema, data, where="data"):
    """A small oracle for the part of JSON Schema that the envelopes use. Fails on anything that does not fit."""
    if "anyOf" in schema:
        chosen = next(one for one in schema["anyOf"] if (one.get("type") == "null") == (data is None))
        return check_schema(chosen, data, where)
    if "const" in schema:
        assert data == schema["const"], where
        return None
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}
    allowed = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
    allowed |= {"integer"} if "number" in allowed else set()
    assert names[type(data)] in allowed, f"{where}: {data!r} is not {allowed}"
    if isinstance(data, list):
        for item in data:
            check_schema(schema["items"], item, where + "[]")
    if isinstance(data, dict) and "properties" in schema:
        assert list(data) == list(schema["properties"]) == schema["required"], where
        for name, value in data.items():
            check_schema(schema["properties"][name], value, f"{where}.{name}")
    return None


def data_of(shell, *arguments: str):
    """The data of a `--json` command; the document must fit its exported schema."""
    document = json.loads(shell.ok(*arguments, "--json"))
    name = document["schema"].split("/")[1]
    check_schema(json_schema(ENVELOPES[name]), document, name)
    return document["data"]
