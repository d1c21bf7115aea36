"""What a body may configure of the form system, and mistakes that are refused before it starts."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from commons_places import FOLDERS
from forms.checks import check, retyped
from forms.configuration import ConfigurationError, Field, Page, configure
from hypothesis import given
from hypothesis import strategies as st

SCHEMA = json.loads((FOLDERS["forms"] / "configuration.schema.json").read_text())


def test_northmoors_configuration_fits_the_schema_and_mistakes_do_not(northmoor: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    validator.validate(northmoor["forms"])
    for wrong in (
        {"page": []},
        {"pages": []},
        {"workers": 0},
        {"diary": {"offices": []}},
        {"name_fields": ["A"]},
    ):
        assert not validator.is_valid(northmoor["forms"] | wrong), wrong


def test_every_default_of_the_schema_is_valid_itself() -> None:
    for part in (*SCHEMA["properties"].values(), *SCHEMA["$defs"]["diary"]["properties"].values()):
        if "default" in part:
            jsonschema.Draft202012Validator({**part, "$defs": SCHEMA["$defs"]}).validate(part["default"])


def field(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name.capitalize(), "kind": kind, **more}


@pytest.mark.parametrize(
    "changes",
    [
        {"pages": [{"name": "a", "title": "A", "fields": [field("given_name"), field("given_name")]}]},
        {"pages": [{"name": "check", "title": "A", "fields": [field("given_name"), field("family_name")]}]},
        {
            "pages": [
                {
                    "name": "a",
                    "title": "A",
                    "fields": [field("given_name", same_as="nothing"), field("family_name")],
                }
            ]
        },
        {
            "pages": [
                {"name": "a", "title": "A", "fields": [field("given_name", "choice"), field("family_name")]}
            ]
        },
        {"name_fields": ["nobody"]},
        {"time_zone": "Europe/Nowhere"},
        {"surprise": 1},
        {"diary": {"offices": [], "hours": {"monday": [["12:00", "09:00"]]}}},
        {"diary": {"offices": []}},
        {"diary": {"offices": [], "hours": {"someday": []}}},
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    northmoor: dict[str, Any], changes: dict[str, Any]
) -> None:
    configure(northmoor["forms"])
    with pytest.raises(ConfigurationError):
        configure(northmoor["forms"] | changes)


def asked(kind: str, **more: Any) -> Page:
    defaults = {"required": True, "options": (), "same_as": None, "minimum_age": None}
    return Page("page", "Page", (Field(name="it", label="It", kind=kind, **defaults | more),))


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("text", "O'Neill", "two\nlines"),
        ("text", "x" * 200, "x" * 201),
        ("long_text", "two\nlines", "x" * 4001),
        ("email", "a.b@example.org", "a@b"),
        ("telephone", "+44 (0)20 7946-0958", "seven"),
    ],
)
def test_fields_take_what_is_good_and_say_what_is_not(kind: str, good: str, bad: str) -> None:
    today = date(2027, 1, 4)
    assert check(asked(kind), {"it": f" {good} "}, today).answers == {"it": good}
    assert "it" in check(asked(kind), {"it": bad}, today).faults
    assert "it" in check(asked(kind), {"it": " "}, today).faults
    assert check(asked(kind, required=False), {}, today).answers == {"it": ""}


def test_a_choice_is_one_of_its_options() -> None:
    page = asked("choice", options=("Yes", "No"))
    assert not check(page, {"it": "No"}, date(2027, 1, 4)).faults
    assert check(page, {"it": "Perhaps"}, date(2027, 1, 4)).faults


@given(
    born=st.dates(date(1900, 1, 1), date(2026, 12, 31)), today=st.dates(date(2027, 1, 1), date(2030, 12, 31))
)
def test_the_age_is_counted_in_birthdays(born: date, today: date) -> None:
    page = asked("date", minimum_age=18)
    typed = {"it-day": f"{born.day:02}", "it-month": str(born.month), "it-year": str(born.year)}
    checked = check(page, typed, today)
    assert checked.answers == {"it": born.isoformat()} and not checked.faults
    try:
        of_age = born.replace(year=born.year + 18)
    except ValueError:  # born on 29 February
        of_age = date(born.year + 18, 3, 1)
    assert checked.refused == (today < of_age)
    assert check(page, retyped(page, checked.answers), today) == checked


@pytest.mark.parametrize(
    "typed",
    [("31", "2", "1990"), ("1", "13", "1990"), ("", "2", "1990"), ("-1", "2", "1990"), ("٣", "2", "1990")],
)
def test_a_date_that_is_none_is_a_fault(typed: tuple[str, str, str]) -> None:
    raw = dict(zip(("it-day", "it-month", "it-year"), typed, strict=True))
    assert check(asked("date"), raw, date(2027, 1, 4)).faults


def test_a_date_of_birth_is_not_in_the_future() -> None:
    tomorrow = date.today() + timedelta(days=1)
    raw = {"it-day": str(tomorrow.day), "it-month": str(tomorrow.month), "it-year": str(tomorrow.year)}
    assert check(asked("date", minimum_age=0), raw, date.today()).faults
