# ruff: noqa: E501 - tables of whole sentences
from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from harness.workspace import configuration
from harness.workspace.configuration import complete, parse_schema, problems


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("      organisation: Town\n", "      organization: Town\n", ['8:5: found no organisation:; expected organisation: (who it is for) (schema of desk@1.0.0); add organisation:', '9:7: found the unknown key "organization"; expected a key that the schema knows (schema of desk@1.0.0); did you mean "organisation"?']),
        ("organisation: Town", "organisation: 5", ["9:21: found 5; expected text (schema of desk@1.0.0); put it into quotes"]),
        ("organisation: Town", "organisation: Town\n      slot_minutes: 1", ["10:21: found 1; expected a number of at least 5 (schema of desk@1.0.0); correct the value"]),
        ("organisation: Town", "organisation: Town\n      slot_minutes: .nan", ["10:21: found .nan; expected a finite number; write a plain number, or put text into quotes"]),
        ("organisation: Town", "organisation: Town\n      language: welsch", ['10:17: found "welsch"; expected english or welsh (schema of desk@1.0.0); did you mean "welsh"?']),
        ("organisation: Town", "organisation: Town\n      window: {open: 3}", ['10:16: found the unknown key "open"; expected a key that the schema knows (schema of desk@1.0.0); did you mean "opens"?']),
        ("- {id: two, open: false}", "- {id: two, open: 'no'}", ['12:27: found "no"; expected true or false (schema of desk@1.0.0); correct the value']),
        ("- {id: two, open: false}", "- {open: false}", ["12:11: found no id:; expected id: (schema of desk@1.0.0); add id:"]),
        ("- {id: two, open: false}", "- two", ['12:11: found "two"; expected a mapping (schema of desk@1.0.0); correct the value']),
    ],
)  # fmt: skip
def test_a_configuration_that_fails_its_schema_is_told_at_the_offending_key(
    town: Any, old: str, new: str, expected: list[str]
) -> None:
    town.change(town.pilot, old, new)
    assert town.printed() == [f"{town.pilot}:{line}" for line in expected]


def test_a_bodys_own_system_is_held_to_its_schema_too(town: Any) -> None:
    town.write("pioneers/town/systems/paper/s.json", '{"properties": {"colour": {"enum": ["red", "green"]}}}')
    town.change(
        town.body,
        "folder: town/systems/paper",
        "folder: town/systems/paper\n    configuration_schema: s.json",
    )
    assert town.printed() == [
        f'{town.body}:22:29: found "blue"; expected red or green (schema of paper-desk); there is: green, red'
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{", "1:2: found Expecting property name enclosed in double quotes; expected JSON; "),
        ("[]", "1:1: found an empty list; expected a JSON Schema, which is a mapping; "),
        ('{"type": "text"}', "1:1: found at type: 'text' is not valid under any of the given schemas; expected a sound JSON Schema"),
        ('{"type": "object", "type": "array"}', '1:1: found the key "type" a second time; '),
        ('{"maximum": NaN}', "1:1: found NaN, which is no number; "),
        ('{"properties": {"a": {"pattern": "("}}}', '1:1: found the pattern "("'),
        ('{"$schema": "http://json-schema.org/draft-07/schema#"}', "1:1: found $schema: "),
        ("\xff", "1:1: found Expecting value"),
    ],
)  # fmt: skip
def test_a_schema_with_faults_is_told_at_the_schema_and_only_there(
    town: Any, schema: str, expected: str
) -> None:
    town.write(town.schema, schema)
    (line,) = town.printed()
    assert line.startswith(f"{town.schema}:{expected}")


def test_nothing_is_fetched_for_a_reference(town: Any) -> None:
    town.write(town.schema, '{"$ref": "http://127.0.0.1:9/other.json"}')
    (line,) = town.printed()
    assert line.startswith(f'{town.pilot}:9:7: found the schema\'s reference "http://127.0.0.1:9/other.json"')


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}]
)
def test_a_schema_that_refers_to_itself_ends(schema: dict[str, Any]) -> None:
    assert complete({"a": 1}, schema) == {"a": 1}
    (problem,) = problems({"a": 1}, schema)
    assert "without end" in problem.found


def test_a_recursive_schema_fills_defaults_as_deep_as_the_data_goes() -> None:
    schema = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "properties": {"name": {"default": "x"}, "inner": {"$ref": "#/$defs/node"}},
            }
        },
    }
    assert complete({"inner": {"inner": {}}}, schema) == {
        "name": "x",
        "inner": {"name": "x", "inner": {"name": "x"}},
    }


def test_defaults_come_through_all_of_references_items_and_other_properties() -> None:
    schema = {
        "allOf": [{"properties": {"a": {"default": 1}}}],
        "properties": {
            "list": {"items": {"properties": {"b": {"default": [2]}}}},
            "referred": {"$ref": "#/$defs/r"},
        },
        "additionalProperties": {"properties": {"c": {"default": 3}}},
        "$defs": {"r": {"default": "there"}},
    }
    filled = complete({"list": [{}, {"b": 0}], "z": {}}, schema)
    assert filled == {"a": 1, "list": [{"b": [2]}, {"b": 0}], "referred": "there", "z": {"c": 3}}


def test_filling_in_never_changes_what_was_written_nor_the_schema() -> None:
    schema = {"properties": {"a": {"default": {}, "properties": {"b": {"default": 1}}}}}
    before = json.dumps(schema)
    written: dict[str, Any] = {}
    complete(written, schema)["a"]["b"] = 5
    assert written == {}
    assert json.dumps(schema) == before


_SCALAR = st.integers(-3, 3) | st.sampled_from(["a", "b"]) | st.booleans() | st.none()
_SCHEMA = st.fixed_dictionaries(
    {},
    optional={
        "type": st.just("object"),
        "properties": st.dictionaries(
            st.sampled_from("abc"),
            st.fixed_dictionaries(
                {}, optional={"default": _SCALAR, "type": st.sampled_from(["integer", "string"])}
            ),
            max_size=3,
        ),
        "required": st.lists(st.sampled_from("abc"), unique=True),
        "additionalProperties": st.just(False),
    },
)


@settings(max_examples=300, deadline=None)
@given(_SCHEMA, st.dictionaries(st.sampled_from("abcd"), _SCALAR, max_size=4))
def test_problems_are_there_exactly_when_the_validator_refuses(
    schema: dict[str, Any], written: dict[str, Any]
) -> None:
    filled = complete(written, schema)
    assert written.items() <= filled.items()
    assert complete(filled, schema) == filled
    assert bool(problems(filled, schema)) == (not Draft202012Validator(schema).is_valid(filled))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]":,$ref#/0', max_size=40).map(str.encode))
def test_any_bytes_as_a_schema_give_a_schema_or_faults(content: bytes) -> None:
    schema, faults = parse_schema(content, "s.json")
    assert (schema is None) == bool(faults)


def test_secrets_are_withheld_from_what_is_kept_and_nothing_else_is() -> None:
    schema = {
        "type": "object",
        "properties": {
            "key": {"type": "string", "writeOnly": True},
            "name": {"type": "string"},
            "accounts": {"type": "array", "items": {"$ref": "#/$defs/account"}},
        },
        "$defs": {"account": {"properties": {"user": {}, "password": {"writeOnly": True}}}},
    }
    written = {"key": "k", "name": "n", "accounts": [{"user": "a", "password": "p"}]}
    shown = configuration.public(written, schema)
    assert shown == {
        "key": configuration.WITHHELD,
        "name": "n",
        "accounts": [{"user": "a", "password": configuration.WITHHELD}],
    }
    assert written["key"] == "k"
