"""A document against its model: pydantic's errors turned into faults at the right line and column.

The one idea: an unknown key is shown at the key with the nearest valid name, a missing key at what it is
missing from, a wrong value at the value; the names of unions' branches and regular expressions never
reach a person.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.workspace.faults import Fault, describe, nearest, suggest
from harness.workspace.forms import WORDS
from harness.workspace.running import BRANCH
from harness.workspace.yamlfile import Document, KeyPath

M = TypeVar("M", bound=BaseModel)

_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
}


def validate(model: type[M], document: Document) -> tuple[M | None, list[Fault]]:
    """The document as `model`, or None and every fault of it.

    Values that the reading already refused bring no second fault.
    """
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    unknown = {_place(document.data, d["loc"])[0] for d in details if d["type"] == "extra_forbidden"}
    faults = []
    for detail in details:
        path, at_key = _place(document.data, detail["loc"])
        if any(path[:length] in document.spoilt for length in range(len(path) + 1)):
            continue
        if detail["type"] == "missing" and _misspelt(str(detail["loc"][-1]), path, unknown):
            continue
        faults.append(_fault(model, document, detail, path, at_key))
    return None, faults


def _place(data: Any, location: tuple[int | str, ...]) -> tuple[KeyPath, bool]:
    """The key path that a validation error's location means, and whether it means the key itself."""
    path: list[int | str] = []
    for part in location:
        inside = isinstance(data, dict) and part in data
        if not inside and not (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            if part == "[key]":
                return tuple(path), True
            if isinstance(part, str) and part.startswith(BRANCH):
                continue
            break
        data = data[part]
        path.append(part)
    return tuple(path), False


def _misspelt(name: str, parent: KeyPath, unknown: set[KeyPath]) -> bool:
    """Whether an unknown key beside it is meant to be this missing one: then one fault says it all."""
    return any(path[:-1] == parent and path and nearest(str(path[-1]), [name]) for path in unknown)


def _value(data: Any, path: KeyPath) -> Any:
    for part in path:
        data = data[part]
    return data


def _fault(
    model: type[BaseModel], document: Document, detail: ErrorDetails, path: KeyPath, at_key: bool
) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        valid = keys_at(model, path[:-1])
        here = f"a key of {_called(path[:-1])}"
        if detail["input"] is None and " " in str(path[-1]):
            return document.fault(
                path, describe(path[-1]), here, "put text that holds a comma into quotes", key=True
            )
        return document.fault(
            path, f"the unknown key {describe(path[-1])}", here, suggest(str(path[-1]), valid), key=True
        )
    if kind == "missing":
        name = str(detail["loc"][-1])
        owner = fields_at(model, path).get(name, "")
        about = f" ({owner[0].lower()}{owner[1:]})" if owner else ""
        return document.fault(
            path, f"no {name}: in {_called(path)}", f"{name}:{about}", f"add {name}:", key=True
        )
    if kind == "refused":
        inner = (*path, context["at"]) if context["at"] else path
        return document.fault(inner, context["found"], context["expected"], context["advice"])
    value = path[-1] if at_key else _value(document.data, path)
    expected, advice = _expected(kind, context, detail, value)
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        keys = keys_at(model, path)
        expected = (
            f"a mapping with {', '.join(keys[:6])}{' …' if len(keys) > 6 else ''}" if keys else "a mapping"
        )
        advice = "write its keys below it, indented"
    if kind == "literal_error" and (keys := keys_at(model, path)):
        expected += f", or a mapping with {', '.join(keys)}"
    return document.fault(path, describe(value), expected, advice, key=at_key)


def _expected(kind: str, context: Mapping[str, Any], detail: ErrorDetails, value: Any) -> tuple[str, str]:
    """What was expected, and what to do about it."""
    if kind == "value_error":
        return str(context.get("error", detail["msg"])), "write it in that form"
    if kind == "string_pattern_mismatch":
        return WORDS.get(
            context["pattern"], f"text of the form {context['pattern']}"
        ), "write it in that form"
    if kind == "literal_error":
        valid = context["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        advice = suggest(value, valid) if isinstance(value, str) else f"write {valid[0]}"
        return " or ".join(valid), advice if nearest(str(value), valid) else f"write {' or '.join(valid)}"
    if kind in ("greater_than", "greater_than_equal", "less_than", "less_than_equal"):
        limit = next(iter(context.values()))
        words = {
            "greater_than": "above",
            "greater_than_equal": "of at least",
            "less_than": "below",
            "less_than_equal": "of at most",
        }
        return f"a number {words[kind]} {limit:,g}", "correct the number"
    if kind == "too_short":
        return f"at least {context['min_length']} in it", "add what is missing"
    if kind == "too_long":
        return f"at most {context['max_length']} in it", "leave some out"
    if kind == "string_type" and value is not None and not isinstance(value, (dict, list)):
        return "text", "put it into quotes"
    if kind == "list_type":
        return "a list", "write each item on a line of its own, after a hyphen"
    if kind == "string_too_short" or value is None:
        return _EXPECTED.get(kind, detail["msg"]), "fill it in, or remove the key"
    if kind in ("int_type", "float_type") and isinstance(value, str):
        return _EXPECTED[kind], "write the number alone, without quotes or unit"
    return _EXPECTED.get(kind, detail["msg"]), "correct the value"


def _called(path: KeyPath) -> str:
    """A part of a file as people call it: by its key, or its number in a list."""
    if not path:
        return "the file"
    last = path[-1]
    return f"item {last + 1} of {_called(path[:-1])}" if isinstance(last, int) else last


def keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The valid keys at `path` of a file of this model, in the model's order; empty where any key will do."""
    return list(fields_at(model, path))


def fields_at(model: type[BaseModel], path: KeyPath) -> dict[str, str]:
    """The valid keys at `path` of a file of this model, each with its description."""
    here: Any = model
    for part in path:
        owner = _model_in(here)
        if owner is not None and isinstance(part, str) and part in owner.model_fields:
            here = owner.model_fields[part].annotation
        else:
            here = _items_of(here)
    owner = _model_in(here)
    if owner is None:
        return {}
    return {name: info.description or "" for name, info in owner.model_fields.items()}


def _parts(annotation: Any) -> list[Any]:
    """The annotation's alternatives, without Annotated and None."""
    if get_origin(annotation) is Annotated:
        return _parts(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [part for inner in get_args(annotation) for part in _parts(inner)]
    return [] if annotation is type(None) else [annotation]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for part in _parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            return part
    return None


def _items_of(annotation: Any) -> Any:
    """What a list's items or a mapping's values are annotated as."""
    for part in _parts(annotation):
        if get_origin(part) in (list, dict):
            return get_args(part)[-1]
    return None
