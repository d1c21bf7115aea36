"""Who asks for a booking: the details a citizen gives, their checks, and whether they may have one.

The one idea: a detail that cannot be read is a fault (the citizen mends it), a rule that is not met is a
refusal (mending nothing would help); the two never share an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from booking.configuration import Configuration

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_TELEPHONE = re.compile(r"\+?[0-9 ()-]{7,24}")
_NAME_LENGTH = 100


class DetailsError(Exception):
    """Details that cannot be used. `faults`: place (`people.0.date_of_birth`) to what is expected there."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{place}: {expected}" for place, expected in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True)
class Person:
    """One person named in a booking."""

    given_name: str
    family_name: str
    date_of_birth: date


@dataclass(frozen=True)
class Details:
    """What a booking is made for: the people and how to reach the first of them."""

    people: tuple[Person, ...]
    email: str
    telephone: str

    def people_as_json(self) -> str:
        """The people as they are kept."""
        people = [
            asdict(person) | {"date_of_birth": person.date_of_birth.isoformat()} for person in self.people
        ]
        return json.dumps(people)


def _text(value: Any, place: str, faults: dict[str, str]) -> str:
    if isinstance(value, str) and 0 < len(value.strip()) <= _NAME_LENGTH and value.isprintable():
        return value.strip()
    faults[place] = f"a name of 1 to {_NAME_LENGTH} characters"
    return ""


def _person(value: Any, place: str, today: date, faults: dict[str, str]) -> Person:
    if not isinstance(value, dict):
        faults[place] = "an object with given_name, family_name and date_of_birth"
        value = {}
    born = date.min
    try:
        born = date.fromisoformat(value.get("date_of_birth", ""))
    except (TypeError, ValueError):
        faults[f"{place}.date_of_birth"] = "a date such as 1990-05-31"
    else:
        if not date(1890, 1, 1) <= born <= today:
            faults[f"{place}.date_of_birth"] = "a date between 1890 and today"
    return Person(
        _text(value.get("given_name"), f"{place}.given_name", faults),
        _text(value.get("family_name"), f"{place}.family_name", faults),
        born,
    )


def read_people(value: Any, configuration: Configuration, today: date) -> tuple[Person, ...]:
    """The people of a request. Raises DetailsError with every fault at once."""
    faults: dict[str, str] = {}
    least, most = configuration.people_minimum, configuration.people_maximum
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise DetailsError(
            {"people": f"a list of {least} people" if least == most else f"{least} to {most} people"}
        )
    people = tuple(_person(item, f"people.{number}", today, faults) for number, item in enumerate(value))
    if faults:
        raise DetailsError(faults)
    return people


def read_details(value: Any, configuration: Configuration, today: date) -> Details:
    """People and contact of a request. Raises DetailsError with every fault at once."""
    faults: dict[str, str] = {}
    people: tuple[Person, ...] = ()
    try:
        people = read_people(value.get("people"), configuration, today)
    except DetailsError as error:
        faults |= error.faults
    contact = value.get("contact")
    if not isinstance(contact, dict):
        contact = {}
    email, telephone = contact.get("email"), contact.get("telephone") or ""
    if not isinstance(email, str) or len(email) > 254 or not _EMAIL.fullmatch(email):
        faults["contact.email"] = "an email address such as name@example.org"
    if not isinstance(telephone, str) or (telephone and not _TELEPHONE.fullmatch(telephone)):
        faults["contact.telephone"] = "a telephone number such as 020 7946 0958"
    elif not telephone and configuration.telephone_required:
        faults["contact.telephone"] = "a telephone number"
    if faults or not isinstance(email, str):
        raise DetailsError(faults)
    return Details(people, email, telephone)


def age_on(born: date, day: date) -> int:
    """Whole years; someone born on 29 February comes of age on 1 March of a common year."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def refusals(people: tuple[Person, ...], configuration: Configuration, today: date) -> tuple[str, ...]:
    """Why these people may not book; empty if they may."""
    least = configuration.minimum_age
    return tuple(
        f"Person {number} must be {least} or over."
        for number, person in enumerate(people, 1)
        if age_on(person.date_of_birth, today) < least
    )
