from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.workspace.faults import Fault, WorkspaceError, describe, nearest, suggest


def test_a_fault_prints_its_place_and_what_to_do() -> None:
    fault = Fault("pioneers/a/body.yaml", 3, 7, "5", "text", "put it into quotes")
    assert str(fault) == "pioneers/a/body.yaml:3:7: found 5; expected text; put it into quotes"
    assert fault.to_json()["message"] == str(fault)
    assert json.loads(json.dumps(fault.to_json()))["line"] == 3


def test_a_fault_without_a_place_prints_none() -> None:
    assert str(Fault("a.yaml", 0, 0, "no such file", "one", "write it")).startswith(
        "a.yaml: found no such file;"
    )
    assert str(Fault("", 0, 0, "nothing", "something", "do it")).startswith("found nothing;")


def test_an_error_carries_every_fault_once_sorted_by_place() -> None:
    faults = [
        Fault("b", 1, 1, "x", "y", "z"),
        Fault("a", 10, 1, "x", "y", "z"),
        Fault("a", 9, 5, "x", "y", "z"),
    ]
    error = WorkspaceError([*faults, faults[0]])
    assert [(f.path, f.line) for f in error.faults] == [("a", 9), ("a", 10), ("b", 1)]
    assert str(error).count("\n") == 2
    assert len(error.to_json()["faults"]) == 3


def test_nearest_name_ignores_case_and_gives_up_on_strangers() -> None:
    assert nearest("Bookign", ["booking", "payments"]) == "booking"
    assert nearest("zzz", ["booking"]) is None
    assert suggest("zzz", ["b", "a"]) == "there is: a, b"
    assert suggest("zzz", []) == "there is none yet"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("a", '"a"'),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping with a"),
        ([1, 2], "a list of 2"),
        ("\x1b[31m", '"\\x1b[31m"'),
    ],
)
def test_values_are_described_on_one_safe_line(value: object, shown: str) -> None:
    assert describe(value) == shown


@given(st.text(max_size=300))
def test_no_text_reaches_a_terminal_as_more_than_printable(text: str) -> None:
    shown = describe(text)
    assert shown.isprintable()
    assert len(shown) <= 700
