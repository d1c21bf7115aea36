"""The form as one body has set it up: pages, fields, checks, diary.

The one idea: nothing of any service is in the code; a body's configuration file makes this *its* system
for *its* service. Defaults are those of `configuration.schema.json` and written nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SCHEMA = Path(__file__).resolve().parent.parent / "configuration.schema.json"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says which key and why."""


@dataclass(frozen=True)
class Field:
    """One question."""

    name: str
    label: str
    kind: str
    required: bool
    options: tuple[str, ...]
    same_as: str | None
    minimum_age: int | None


@dataclass(frozen=True)
class Page:
    """One section of the paper form."""

    name: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Diary:
    """When and where appointments are: `hours` by weekday (Monday 0), minutes since midnight."""

    opens_after_days: int
    open_for_days: int
    slot_minutes: int
    closed: frozenset[date]
    hours: Mapping[int, tuple[tuple[int, int], ...]]
    offices: Mapping[str, str]

    def days(self, today: date) -> list[date]:
        """The days that may be in the diary on `today`."""
        first = today + timedelta(days=self.opens_after_days)
        return [first + timedelta(days=number) for number in range(self.open_for_days)]

    def times(self, day: date) -> list[str]:
        """Local times at which appointments start on a day."""
        if day in self.closed:
            return []
        starts = [
            start
            for opens, closes in self.hours.get(day.weekday(), ())
            for start in range(opens, closes - self.slot_minutes + 1, self.slot_minutes)
        ]
        return [f"{start // 60:02}:{start % 60:02}" for start in starts]


@dataclass(frozen=True)
class Configuration:
    """The whole form."""

    organisation: str
    service: str
    introduction: tuple[str, ...]
    zone: ZoneInfo
    reference_prefix: str
    pages: tuple[Page, ...]
    name_fields: tuple[str, ...]
    refusal: str
    diary: Diary | None
    session_seconds: float
    trial_key: str
    workers: int

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, in the order they are asked."""
        return tuple(field for page in self.pages for field in page.fields)

    @property
    def sequence(self) -> tuple[str, ...]:
        """Names of the form's pages from first to last."""
        appointment = ("office", "day", "time") if self.diary else ()
        return (*(page.name for page in self.pages), *appointment, "check")


def _minutes(value: str) -> int:
    read = time.fromisoformat(value)
    return read.hour * 60 + read.minute


def _diary(value: Mapping[str, Any], defaults: Mapping[str, Any]) -> Diary:
    filled = {key: part["default"] for key, part in defaults.items() if "default" in part} | dict(value)
    hours: dict[int, tuple[tuple[int, int], ...]] = {}
    for name, intervals in filled["hours"].items():
        read = tuple(sorted((_minutes(opens), _minutes(closes)) for opens, closes in intervals))
        if any(opens >= closes for opens, closes in read):
            raise ConfigurationError(f"diary.hours.{name}: each interval opens before it closes")
        if any(first[1] > second[0] for first, second in zip(read, read[1:], strict=False)):
            raise ConfigurationError(f"diary.hours.{name}: intervals overlap")
        hours[WEEKDAYS.index(name)] = read
    return Diary(
        opens_after_days=int(filled["opens_after_days"]),
        open_for_days=int(filled["open_for_days"]),
        slot_minutes=int(filled["slot_minutes"]),
        closed=frozenset(date.fromisoformat(day) for day in filled["closed_dates"]),
        hours=hours,
        offices={office["id"]: office["title"] for office in filled["offices"]},
    )


def configure(document: Mapping[str, Any]) -> Configuration:
    """The configuration from a JSON document. Raises ConfigurationError."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    properties, parts = schema["properties"], schema["$defs"]
    if unknown := sorted(set(document) - set(properties)):
        raise ConfigurationError(f"unknown key {unknown[0]!r}; known: {', '.join(properties)}")
    filled = {key: part["default"] for key, part in properties.items() if "default" in part} | dict(document)
    try:
        pages = tuple(
            Page(
                page["name"],
                page["title"],
                tuple(
                    Field(
                        name=field["name"],
                        label=field["label"],
                        kind=field["kind"],
                        required=bool(field.get("required", True)),
                        options=tuple(field.get("options", ())),
                        same_as=field.get("same_as"),
                        minimum_age=field.get("minimum_age"),
                    )
                    for field in page["fields"]
                ),
            )
            for page in filled["pages"]
        )
        diary = filled.get("diary")
        configuration = Configuration(
            organisation=filled["organisation"],
            service=filled["service"],
            introduction=tuple(filled["introduction"]),
            zone=ZoneInfo(filled["time_zone"]),
            reference_prefix=filled["reference_prefix"],
            pages=pages,
            name_fields=tuple(filled["name_fields"]),
            refusal=filled["refusal"],
            diary=_diary(diary, parts["diary"]["properties"]) if diary else None,
            session_seconds=float(filled["session_minutes"]) * 60,
            trial_key=filled["trial_key"],
            workers=int(filled["workers"]),
        )
    except KeyError as error:
        raise ConfigurationError(f"missing key {error}") from error
    except ZoneInfoNotFoundError as error:
        raise ConfigurationError(f"time_zone: {filled['time_zone']!r} is not an IANA time zone") from error
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error)) from error
    names = [field.name for field in configuration.fields]
    if len(set(names)) != len(names) or len(set(configuration.sequence)) != len(configuration.sequence):
        raise ConfigurationError("pages: two pages or two fields of one name")
    for page in pages:
        for field in page.fields:
            if field.same_as is not None and field.same_as not in {other.name for other in page.fields}:
                raise ConfigurationError(
                    f"pages.{page.name}.{field.name}: same_as names no field of this page"
                )
            if field.kind == "choice" and not field.options:
                raise ConfigurationError(f"pages.{page.name}.{field.name}: a choice needs options")
    if missing := [name for name in configuration.name_fields if name not in names]:
        raise ConfigurationError(f"name_fields: no field is called {missing[0]!r}")
    return configuration


def read(path: Path) -> Configuration:
    """The configuration from a JSON file. Raises ConfigurationError."""
    try:
        return configure(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
