"""Checks of what was typed: from a page's raw fields to answers, faults and refusals.

The one idea: the same check runs when a page is sent and again when the whole form is, as clerks re-key
and re-check a paper form; the session is never trusted to hold what was checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from forms.configuration import Field, Page

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_TELEPHONE = re.compile(r"\+?[0-9 ()-]{7,24}")
_LONGEST = {"long_text": 4000, "email": 254, "telephone": 24}


@dataclass(frozen=True)
class Checked:
    """A page's answers as text (dates as 1990-05-31), what must be mended, whether the citizen is refused."""

    answers: Mapping[str, str]
    faults: Mapping[str, str]
    refused: bool


def inputs(field: Field) -> tuple[str, ...]:
    """Names of a field's inputs on the page: a date has three."""
    return (
        tuple(f"{field.name}-{part}" for part in ("day", "month", "year"))
        if field.kind == "date"
        else (field.name,)
    )


def _date(field: Field, raw: Mapping[str, str]) -> date | None:
    day, month, year = (raw.get(name, "").strip() for name in inputs(field))
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in (day, month, year)):
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _fault(field: Field, value: str, answers: Mapping[str, str]) -> str | None:
    """What has to be mended about a value that was typed, or None."""
    longest = _LONGEST.get(field.kind, 200)
    if len(value) > longest:
        return f"{field.label} must be {longest} characters or fewer"
    if field.kind != "long_text" and not value.isprintable():
        return f"{field.label} must be on one line"
    if field.kind == "email" and not _EMAIL.fullmatch(value):
        return f"{field.label} must look like name@example.org"
    if field.kind == "telephone" and not _TELEPHONE.fullmatch(value):
        return f"{field.label} must look like 020 7946 0958"
    if field.kind == "choice" and value not in field.options:
        return f"{field.label}: choose one"
    if field.same_as is not None and value != answers.get(field.same_as, ""):
        return f"{field.label}: this is not the same"
    return None


def check(page: Page, raw: Mapping[str, str], today: date) -> Checked:
    """Check what was typed on one page."""
    answers: dict[str, str] = {}
    faults: dict[str, str] = {}
    refused = False
    for field in page.fields:
        typed = any(raw.get(name, "").strip() for name in inputs(field))
        if not typed:
            answers[field.name] = ""
            if field.required:
                faults[field.name] = f"Enter {field.label[0].lower()}{field.label[1:]}"
        elif field.kind == "date":
            value = _date(field, raw)
            if value is None:
                faults[field.name] = f"{field.label} must be a real date"
            elif field.minimum_age is not None and not date(1890, 1, 1) <= value <= today:
                faults[field.name] = f"{field.label} must be in the past"
            else:
                answers[field.name] = value.isoformat()
                refused |= field.minimum_age is not None and age_on(value, today) < field.minimum_age
        else:
            value_typed = raw[field.name].strip()
            fault = _fault(field, value_typed, answers)
            if fault is None:
                answers[field.name] = value_typed
            else:
                faults[field.name] = fault
    return Checked(answers, faults, refused and not faults)


def retyped(page: Page, answers: Mapping[str, str]) -> dict[str, str]:
    """A page's raw fields as they would be typed to give these answers."""
    raw: dict[str, str] = {}
    for field in page.fields:
        value = answers.get(field.name, "")
        if field.kind == "date":
            year, month, day = value.split("-") if value else ("", "", "")
            raw |= dict(zip(inputs(field), (day, month, year), strict=True))
        else:
            raw[field.name] = value
    return raw


def age_on(born: date, day: date) -> int:
    """Whole years; someone born on 29 February comes of age on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
