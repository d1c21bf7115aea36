"""JSON Schemas of the files that people write, for editors: names completed, faults underlined while typing.

The one idea: they come from the very models that read the files, so they cannot say anything else; what a
schema cannot say (one of two keys, names that lead somewhere) `harness check` says.
"""

from __future__ import annotations

from typing import Any

from harness.workspace.models import Block, Body, Model, Pilot, Programme, Scenario

KINDS: dict[str, type[Model]] = {
    "programme": Programme,
    "block": Block,
    "body": Body,
    "scenario": Scenario,
    "pilot": Pilot,
}
"""The kinds of YAML files by name."""


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of one kind of file.

    Raises:
        KeyError: no such kind; the kinds are those of `KINDS`.
    """
    schema = KINDS[kind].model_json_schema(by_alias=True)
    _tidy(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _tidy(part: Any) -> None:
    """Leave out defaults in parsed form (30.0, not `30s`) and titles that repeat the key."""
    if isinstance(part, list):
        for inner in part:
            _tidy(inner)
    if not isinstance(part, dict):
        return
    default = part.get("default")
    if (
        default is None
        or isinstance(default, (dict, list))
        or part.get("type") == "string" != _json_type(default)
    ):
        part.pop("default", None)
    properties = part.get("properties")
    for inner in properties.values() if isinstance(properties, dict) else ():
        inner.pop("title", None)
    for inner in part.values():
        _tidy(inner)


def _json_type(value: Any) -> str:
    return "string" if isinstance(value, str) else "other"
