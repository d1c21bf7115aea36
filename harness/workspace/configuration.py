"""A system's configuration against its JSON Schema (Draft 2020-12): defaults filled in, faults with places.

The one idea: a schema is the block's own word on what it takes; nothing in it is fetched from elsewhere,
and its faults are told in the same words as those of the files around it.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.workspace.faults import Fault, describe, suggest
from harness.workspace.yamlfile import KeyPath, decode

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

LARGEST = 256 * 1024
"""Bytes a schema file may hold."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DEEPEST_REFERENCE = 16
_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_LIMITS = {
    "minimum": "a number of at least {}",
    "maximum": "a number of at most {}",
    "exclusiveMinimum": "a number above {}",
    "exclusiveMaximum": "a number below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "text of at least {} characters",
    "maxLength": "text of at most {} characters",
    "pattern": "text of the form {}",
    "minItems": "a list of at least {}",
    "maxItems": "a list of at most {}",
    "minProperties": "at least {} keys",
    "maxProperties": "at most {} keys",
    "uniqueItems": "a list in which nothing stands twice",
    "const": "{}",
}


@dataclass(frozen=True)
class Problem:
    """One fault of a configuration. `path` is within it; `key` says that the key is meant, not its value."""

    path: KeyPath
    found: str
    expected: str
    advice: str
    key: bool = False


def parse_schema(content: bytes, file: str) -> tuple[Mapping[str, Any] | None, list[Fault]]:
    """A JSON Schema file, itself checked against Draft 2020-12; None with its faults if it cannot be used."""
    if len(content) > LARGEST:
        expected = f"at most {LARGEST:,} bytes"
        return None, [Fault(file, 1, 1, f"a file of {len(content):,} bytes", expected, "shorten it")]
    text, fault = decode(content, file)
    if text is None:
        return None, [fault] if fault else []
    try:
        schema = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        return None, [
            Fault(file, error.lineno, error.colno, error.msg, "JSON", "check commas, quotes and brackets")
        ]
    except (ValueError, RecursionError) as error:
        found = str(error) if isinstance(error, ValueError) else "too many levels of nesting"
        return None, [Fault(file, 1, 1, found, "JSON", "correct it")]
    if not isinstance(schema, dict):
        return None, [Fault(file, 1, 1, describe(schema), "a JSON Schema, which is a mapping", "write one")]
    if schema.get("$schema", DRAFT) not in (DRAFT, f"{DRAFT}#"):
        found = f"$schema: {describe(schema['$schema'])}"
        return None, [Fault(file, 1, 1, found, DRAFT, "write the schema for Draft 2020-12")]
    return _sound(schema, file)


def _sound(schema: Mapping[str, Any], file: str) -> tuple[Mapping[str, Any] | None, list[Fault]]:
    from jsonschema import Draft202012Validator

    faults = []
    try:
        for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema):
            place = "/".join(map(str, error.absolute_path)) or "the top"
            found = f"at {place}: {error.message[:160]}"
            faults.append(Fault(file, 1, 1, found, "a sound JSON Schema (Draft 2020-12)", "correct it there"))
        for pattern in _patterns(schema):
            try:
                re.compile(pattern)
            except re.error as wrong:
                found = f"the pattern {describe(pattern)} ({wrong})"
                faults.append(Fault(file, 1, 1, found, "a regular expression", "correct it"))
    except RecursionError:
        faults = [Fault(file, 1, 1, "too many levels of nesting", "a schema that ends", "flatten it")]
    return (None, faults) if faults else (schema, [])


def complete(configuration: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the schema's defaults filled in at every level; what is there stays."""
    filled = copy.deepcopy(dict(configuration))
    _fill(filled, schema, schema)
    return filled


WITHHELD = "(withheld)"
"""What stands in a ledger or a protocol for a value that the schema marks `writeOnly`."""


def public(configuration: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every value that its schema marks `writeOnly: true` (a secret) withheld."""
    shown = copy.deepcopy(dict(configuration))
    _withhold(shown, schema, schema)
    return shown


def problems(configuration: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Problem]:
    """Every fault of a completed configuration."""
    from jsonschema import Draft202012Validator
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    validator = Draft202012Validator(schema, registry=Registry())  # an empty registry: nothing is fetched
    try:
        return [problem for error in validator.iter_errors(configuration) for problem in _problems(error)]
    except Unresolvable as error:
        reference = describe(getattr(error, "ref", str(error)))
        advice = "keep a schema whole in its file: references within it only"
        return [Problem((), f"the schema's reference {reference}", "a reference within the schema", advice)]
    except RecursionError:
        return [
            Problem((), "a schema that refers to itself without end", "one that ends", "correct the schema")
        ]


def _withhold(value: Any, schema: Any, root: Mapping[str, Any]) -> None:
    for part in _parts(schema, root):
        if isinstance(value, dict):
            properties = part.get("properties")
            for name, inner in properties.items() if isinstance(properties, dict) else ():
                if name not in value:
                    continue
                if any(p.get("writeOnly") is True for p in _parts(inner, root)):
                    value[name] = WITHHELD
                else:
                    _withhold(value[name], inner, root)
        elif isinstance(value, list) and isinstance(part.get("items"), dict):
            for item in value:
                _withhold(item, part["items"], root)


def _fill(value: Any, schema: Any, root: Mapping[str, Any]) -> None:
    for part in _parts(schema, root):
        if isinstance(value, dict):
            properties = part.get("properties")
            for name, inner in properties.items() if isinstance(properties, dict) else ():
                if name not in value:
                    default = [p["default"] for p in _parts(inner, root) if "default" in p]
                    if not default:
                        continue
                    value[name] = copy.deepcopy(default[0])
                _fill(value[name], inner, root)
            others = part.get("additionalProperties")
            if isinstance(others, dict):
                for name in value.keys() - (properties or {}).keys():
                    _fill(value[name], others, root)
        elif isinstance(value, list) and isinstance(part.get("items"), dict):
            for item in value[len(part.get("prefixItems", ())) :]:
                _fill(item, part["items"], root)


def _parts(schema: Any, root: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """A schema and all that it surely includes: its reference's target and its `allOf`."""
    if not isinstance(schema, dict) or depth > _DEEPEST_REFERENCE:
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for name in reference[2:].split("/"):
            name = name.replace("~1", "/").replace("~0", "~")
            target = target.get(name) if isinstance(target, dict) else None
        yield from _parts(target, root, depth + 1)
    for inner in schema.get("allOf", ()):
        yield from _parts(inner, root, depth + 1)


def _problems(error: ValidationError) -> Iterator[Problem]:
    path: KeyPath = tuple(error.absolute_path)
    kind, value = str(error.validator), error.instance
    limit: Any = error.validator_value
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if (
        kind in ("additionalProperties", "unevaluatedProperties")
        and isinstance(value, dict)
        and limit is False
    ):
        valid: list[str] = list(schema.get("properties", ()))
        patterns = schema.get("patternProperties", ())
        for name in value:
            if name not in valid and not any(re.search(pattern, name) for pattern in patterns):
                found = f"the unknown key {describe(name)}"
                yield Problem(
                    (*path, name), found, "a key that the schema knows", suggest(name, valid), key=True
                )
    elif kind == "required" and isinstance(limit, list):
        for name in limit:
            if error.message.startswith(f"{name!r} is a required"):
                what = schema.get("properties", {}).get(name, {})
                about = what.get("description") or what.get("title") if isinstance(what, dict) else None
                expected = f"{name}: ({about})" if about else f"{name}:"
                yield Problem(path, f"no {name}:", expected, f"add {name}:", key=True)
    elif kind == "type":
        types: list[str] = limit if isinstance(limit, list) else [str(limit)]
        expected = " or ".join(_TYPES.get(name, name) for name in types)
        advice = (
            "put it into quotes"
            if types == ["string"] and isinstance(value, (int, float))
            else "correct the value"
        )
        yield Problem(path, describe(value), expected, advice)
    elif kind == "enum" and isinstance(limit, list):
        names: list[str] = [name for name in limit if isinstance(name, str)]
        advice = suggest(value, names) if isinstance(value, str) else "correct the value"
        expected = " or ".join(name if isinstance(name, str) else describe(name) for name in limit[:12])
        yield Problem(path, describe(value), expected, advice)
    elif kind in _LIMITS:
        about = f" ({schema['description']})" if kind == "pattern" and "description" in schema else ""
        yield Problem(path, describe(value), _LIMITS[kind].format(limit) + about, "correct the value")
    else:
        about = schema.get("description") or "what the schema allows there"
        yield Problem(path, describe(value), str(about), f"the schema says: {describe(error.message)}")


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), dict):
            yield from schema["patternProperties"]
        for inner in schema.values():
            yield from _patterns(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _patterns(inner)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name}, which is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for key, value in pairs:
        if key in whole:
            raise ValueError(f"the key {describe(key)} a second time")
        whole[key] = value
    return whole
