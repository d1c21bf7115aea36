# ruff: noqa: E501 - tables of whole sentences
"""Every fault of a single file: placed exactly, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.workspace.forms import WORDS
from harness.workspace.models import Block, Body, Model, Pilot, ProcessRun, Programme, Scenario
from harness.workspace.validation import keys_at, validate
from harness.workspace.yamlfile import parse


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "question: Is",
            "questoin: Is",
            '2:1: found the unknown key "questoin"; expected a key of the file; did you mean "question"?',
        ),
        (
            "service: requests\n",
            "",
            "1:1: found no service: in the file; expected service: (a service of body.yaml); add service:",
        ),
        ("service: requests", "service: 7", "3:10: found 7; expected text; put it into quotes"),
        (
            "rounds: 6",
            'rounds: "6"',
            '15:11: found "6"; expected a whole number; write the number alone, without quotes or unit',
        ),
        ("rounds: 6", "rounds: 6.5", "15:11: found 6.5; expected a whole number; correct the value"),
        ("rounds: 6", "rounds: 1", "15:11: found 1; expected a number of at least 2; correct the number"),
        ("rounds: 6", "rounds: true", "15:11: found true; expected a whole number; correct the value"),
        (
            "rounds: 6",
            "rounds:",
            "15:3: found nothing; expected a whole number; fill it in, or remove the key",
        ),
        (
            "warm_up: 2s",
            "warm_up: 2",
            "16:12: found 2; expected a duration with its unit, such as 5s or 250ms; write it in that form",
        ),
        (
            "margin: 10%",
            "margin: 0%",
            '18:47: found "0%"; expected a margin above 0 and at most 100, such as 10% or 0.5pp; write it in that form',
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {rate: -8/s, because: x}",
            '13:16: found "-8/s"; expected a rate above zero, such as 8/s; write it in that form',
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {profile: peak_hour, multiple: -2}",
            "13:40: found -2; expected a number above 0; correct the number",
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {profile: peak_hour, multiple: .nan}",
            "13:40: found .nan; expected a finite number; write a plain number, or put text into quotes",
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {profile: peak_hour, rate: 8/s}",
            "13:9: found both profile: and rate:; expected exactly one of profile: and rate:; "
            "write profile: peak_hour, or rate: 8/s",
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {rate: 8/s}",
            "13:16: found rate: without because:; expected because: beside rate:; say why this rate",
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {rate: 8/s, because: x, multiple: 1}",
            "13:43: found multiple: beside rate:; expected multiple: only beside profile:; write the rate itself",
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: {profile: peak_hours}",
            '13:19: found "peak_hours"; expected peak_hour; did you mean "peak_hour"?',
        ),
        (
            "demand: {profile: peak_hour, multiple: 30}",
            "demand: [peak_hour]",
            "13:9: found a list of 1; expected a mapping with profile, multiple, rate, because; "
            "write its keys below it, indented",
        ),
        (
            "- block: desk@1.0.0",
            "- block: desk@1.0",
            '7:12: found "desk@1.0"; expected a block release such as booking@1.0.0; write it in that form',
        ),
        (
            "- block: desk@1.0.0",
            "- system: paper-desk",
            "9:7: found configuration: beside system:; expected configuration: only beside block:; "
            "write it under the system in body.yaml",
        ),
        (
            "before: paper-desk",
            "before: Paper Desk",
            '5:9: found "Paper Desk"; expected a name of lower-case letters, digits, dots and hyphens; '
            "write it in that form",
        ),
        (
            "question: Is the shared desk as good?",
            "question: ''",
            '2:11: found ""; expected text that is not empty; fill it in, or remove the key',
        ),
        (
            "rounds: 6",
            "rounds: 6\n  arrivals: posson",
            '16:13: found "posson"; expected poisson or constant; did you mean "poisson"?',
        ),
    ],
)
def test_each_fault_of_a_pilot_stands_alone_at_its_place(
    town: Any, old: str, new: str, expected: str
) -> None:
    town.change(town.pilot, old, new)
    assert town.printed() == [f"{town.pilot}:{expected}"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("body", "share: 60%", "share: 50%", "11:7: found channel shares that add up to 90%; "),
        ("body", "likely: 2, high: 3, source: books, price_date: 2026-04-01, evidence: recorded}\n    failed", "likely: 0, high: 3, source: books, price_date: 2026-04-01, evidence: recorded}\n    failed", "14:21: found low 1, likely 0, high 3; expected low ≤ likely ≤ high; "),
        ("body", "share: 60%", "share: 0.6", '11:23: found 0.6; expected a percentage with its unit, such as 95%'),
        ("body", "command: [screen]", "command: []", "28:26: found an empty list; expected at least 1 in it; add what is missing"),
        ("body", "command: [screen]", "command: screen", '28:26: found "screen"; expected a list; write each item on a line of its own, after a hyphen'),
        ("body", "process: {command: [screen]}", "container: {image: x}", '28:7: found the unknown key "container"; expected a key of run; there is: process'),
        ("body", "  screen-desk:\n", "  Screen Desk:\n", '24:3: found "Screen Desk"; expected a name of lower-case letters'),
        ("block", "environment: {requirements: requirements.txt, exclude_newer: 2026-01-05}", "environment: hurness", '13:22: found "hurness"; expected harness, or a mapping with requirements, exclude_newer, python; did you mean "harness"?'),
        ("block", "requirements: requirements.txt", "requirement: requirements.txt", '13:23: found the unknown key "requirement"; expected a key of environment; did you mean "requirements"?'),
        ("block", "exclude_newer: 2026-01-05", "exclude_newer: soon", '13:70: found "soon"; expected a day as year-month-day, such as 2026-04-01'),
        ("block", "  1.1.0:\n", "  v1.1:\n", '15:3: found "v1.1"; expected a version such as 1.0.0'),
        ("block", "[desk/v2, desk/v1]", "[desk/v2, desk]", '19:27: found "desk"; expected an interface such as booking/v1'),
        ("scenario", "goal: Ask again.", "goal: Ask, then again", '7:37: found "then again"; expected a key of ask_again; put text that holds a comma into quotes'),
        ("scenario", "weight: 3", "weight: 0", "6:17: found 0; expected a number above 0"),
        ("scenario", "weight: 3", "weight: three", '6:17: found "three"; expected a number; write the number alone, without quotes or unit'),
    ],
)  # fmt: skip
def test_faults_of_bodies_blocks_and_scenarios(
    town: Any, file: str, old: str, new: str, expected: str
) -> None:
    name = getattr(town, file)
    town.change(name, old, new)
    assert any(line.startswith(f"{name}:{expected}") for line in town.printed()), town.printed()


def test_a_misspelt_key_is_told_once_not_as_missing_too(town: Any) -> None:
    town.change(town.pilot, "before:", "befor:")
    assert len([line for line in town.printed() if line.startswith(town.pilot)]) == 1


def test_a_value_the_reading_refused_brings_no_second_fault(town: Any) -> None:
    town.change(town.pilot, "rounds: 6", "rounds: .inf")
    assert [fault.found for fault in town.faults()] == [".inf"]


def test_the_word_harness_and_a_pinned_environment_both_pass() -> None:
    for environment in ("harness", {"requirements": "r.txt", "python": "3.11"}):
        ProcessRun.model_validate({"command": ["x"], "environment": environment})


def test_keys_are_known_through_lists_mappings_and_unions() -> None:
    assert keys_at(Pilot, ("protocol", "guardrails", 0)) == ["metric", "margin"]
    assert keys_at(Body, ("systems", "any", "run", "process", "environment"))[0] == "requirements"
    assert keys_at(Pilot, ("after", 0, "configuration")) == []


def _patterns(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        own |= set(schema.get("patternProperties", {}))
        return own.union(*(_patterns(inner) for inner in schema.values()))
    return set().union(*(_patterns(inner) for inner in schema)) if isinstance(schema, list) else set()


@pytest.mark.parametrize("model", [Programme, Block, Body, Scenario, Pilot])
def test_every_pattern_has_words_so_that_no_fault_shows_one(model: type[Model]) -> None:
    written_with_a_unit = {p for p in _patterns(model.model_json_schema()) if p.startswith("^[0-9]+(")}
    assert _patterns(model.model_json_schema()) - written_with_a_unit <= set(WORDS)


_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-2, 2)
    | st.sampled_from(["a", "5s", "1.0.0", "", "x y"])
)
_KEYS = st.sampled_from(
    [*Pilot.model_fields, *Body.model_fields, "x", "process", "run", "rate", "[key]", "0"]
)
_TREE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(_TREE, st.sampled_from([Programme, Block, Body, Scenario, Pilot]))
def test_any_data_is_sound_or_has_faults_with_places(tree: Any, model: type[Model]) -> None:
    import json

    document, _ = parse(json.dumps(tree).encode(), "f.yaml")
    assert document is not None
    read, faults = validate(model, document)
    assert (read is None) == bool(faults)
    assert all(fault.line == 1 and fault.column >= 1 for fault in faults)
