"""The kinds of input files, and their JSON Schemas for editors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from orchd.adapters.reservation_schema import ReservationFile
from orchd.adapters.schema import ConfigFile
from orchd.adapters.session_schema import SessionFile
from orchd.adapters.task_schema import TaskFile

MODELS: Mapping[str, type[BaseModel]] = {
    "task": TaskFile,
    "session": SessionFile,
    "config": ConfigFile,
    "claim": ReservationFile,
}


def schema_json(kind: str) -> dict[str, Any]:
    """The JSON schema of a kind of input file."""
    schema = MODELS[kind].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"orchd {kind} file"}
