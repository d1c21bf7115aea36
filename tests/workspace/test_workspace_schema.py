from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.workspace.schema import KINDS, json_schema
from harness.workspace.yamlfile import parse

REPOSITORY = Path(__file__).parents[2]
WRITTEN = {
    "programme": ["pioneers/programme.yaml"],
    "block": sorted(str(p) for p in REPOSITORY.glob("pioneers/commons/*/block.yaml")),
    "body": sorted(str(p) for p in REPOSITORY.glob("pioneers/*/body.yaml")),
    "scenario": sorted(str(p) for p in REPOSITORY.glob("scenarios/*/scenario.yaml")),
    "pilot": sorted(str(p) for p in REPOSITORY.glob("pioneers/*/pilots/*.yaml")),
}


def _properties(schema: Any) -> list[tuple[str, dict[str, Any]]]:
    if isinstance(schema, list):
        return [found for inner in schema for found in _properties(inner)]
    if not isinstance(schema, dict):
        return []
    own = list(schema["properties"].items()) if isinstance(schema.get("properties"), dict) else []
    return own + [found for inner in schema.values() for found in _properties(inner)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_sound_and_says_what_every_key_is_for(kind: str) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    assert [name for name, inner in _properties(schema) if not inner.get("description")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_here_passes_its_schema(kind: str) -> None:
    assert WRITTEN[kind]
    for name in WRITTEN[kind]:
        document, faults = parse((REPOSITORY / name).read_bytes(), name)
        assert not faults
        assert document is not None
        assert [e.message for e in Draft202012Validator(json_schema(kind)).iter_errors(document.data)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_default_is_what_a_person_could_write(kind: str) -> None:
    schema = json_schema(kind)
    for name, inner in _properties(schema):
        if "default" in inner:
            part = {**inner, "$defs": schema.get("$defs", {})}
            assert Draft202012Validator(part).is_valid(inner["default"]), name


def test_an_editor_underlines_what_the_harness_would_refuse(town: Any) -> None:
    validator = Draft202012Validator(json_schema("pilot"))
    document, _ = parse((town.root / town.pilot).read_bytes(), "p.yaml")
    assert document is not None
    assert validator.is_valid(document.data)
    for path, wrong in (("questoin", "x"), ("service", 5), ("demand", {"rate": "8"}), ("before", "A B")):
        assert not validator.is_valid({**document.data, path: wrong})


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(KeyError):
        json_schema("bodies")
