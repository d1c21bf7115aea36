"""A body's configuration, read once at start.

The one idea: `configuration.schema.json` is the only place where a default is written; what is missing
from the file is filled in from there, so documentation and behaviour cannot part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SCHEMA = Path(__file__).resolve().parent.parent / "configuration.schema.json"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Hours = Mapping[int, tuple[tuple[time, time], ...]]
"""Opening hours by weekday, Monday 0: pairs of local opening and closing time."""


class ConfigurationError(Exception):
    """The configuration cannot be used; the message says which key and why."""


@dataclass(frozen=True)
class Resource:
    """Something that takes one booking at a time."""

    id: str
    title: str
    hours: Hours


@dataclass(frozen=True)
class Configuration:
    """What the body decided. Lengths in seconds, days counted from today in `zone`."""

    organisation: str
    service: str
    zone: ZoneInfo
    reference_prefix: str
    slot_seconds: int
    hold_seconds: float
    opens_after_days: int
    open_for_days: int
    closed: frozenset[date]
    resources: Mapping[str, Resource]
    people_minimum: int
    people_maximum: int
    minimum_age: int
    telephone_required: bool
    trial_key: str
    workers: int
    durability: str


def _filled(value: Any, schema: Mapping[str, Any]) -> Any:
    """`value` with the schema's defaults filled in, objects within objects included."""
    if not isinstance(value, dict):
        return value
    properties: Mapping[str, Any] = schema.get("properties", {})
    unknown = sorted(set(value) - set(properties)) if properties else []
    if unknown:
        raise ConfigurationError(f"unknown key {unknown[0]!r}; known: {', '.join(properties)}")
    filled = dict(value)
    for key, part in properties.items():
        if key not in filled and "default" in part:
            filled[key] = part["default"]
        if key in filled:
            filled[key] = _filled(filled[key], part)
    return filled


def _hours(value: Mapping[str, Any], key: str) -> Hours:
    hours: dict[int, tuple[tuple[time, time], ...]] = {}
    for name, intervals in value.items():
        if name not in WEEKDAYS:
            raise ConfigurationError(f"{key}: unknown weekday {name!r}; known: {', '.join(WEEKDAYS)}")
        read = tuple(
            sorted((time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in intervals)
        )
        if any(opens >= closes for opens, closes in read):
            raise ConfigurationError(f"{key}.{name}: each interval opens before it closes")
        if any(first[1] > second[0] for first, second in zip(read, read[1:], strict=False)):
            raise ConfigurationError(f"{key}.{name}: intervals overlap")
        hours[WEEKDAYS.index(name)] = read
    return hours


def configure(document: Mapping[str, Any]) -> Configuration:
    """The configuration from a JSON document.

    Raises:
        ConfigurationError: unknown or missing key, unknown time zone, hours that make no sense, two resources
            of one id.
    """
    filled = _filled(dict(document), json.loads(SCHEMA.read_text(encoding="utf-8")))
    try:
        zone = ZoneInfo(filled["time_zone"])
        default_hours = _hours(filled["opening_hours"], "opening_hours")
        resources = {
            item["id"]: Resource(
                item["id"],
                item["title"],
                _hours(item["opening_hours"], f"resources.{item['id']}")
                if "opening_hours" in item
                else default_hours,
            )
            for item in filled["resources"]
        }
        people, window = filled["people"], filled["window"]
        if len(resources) != len(filled["resources"]):
            raise ConfigurationError("resources: two of one id")
        if people["minimum"] > people["maximum"]:
            raise ConfigurationError("people: minimum above maximum")
        return Configuration(
            organisation=filled["organisation"],
            service=filled["service"],
            zone=zone,
            reference_prefix=filled["reference_prefix"],
            slot_seconds=int(filled["slot_minutes"]) * 60,
            hold_seconds=float(filled["hold_minutes"]) * 60,
            opens_after_days=int(window["opens_after_days"]),
            open_for_days=int(window["open_for_days"]),
            closed=frozenset(date.fromisoformat(day) for day in filled["closed_dates"]),
            resources=resources,
            people_minimum=int(people["minimum"]),
            people_maximum=int(people["maximum"]),
            minimum_age=int(people["minimum_age"]),
            telephone_required=bool(filled["telephone_required"]),
            trial_key=filled["trial_key"],
            workers=int(filled["workers"]),
            durability=filled["durability"],
        )
    except KeyError as error:
        raise ConfigurationError(f"missing key {error}") from error
    except ZoneInfoNotFoundError as error:
        raise ConfigurationError(f"time_zone: {filled['time_zone']!r} is not an IANA time zone") from error
    except (TypeError, ValueError) as error:
        raise ConfigurationError(str(error)) from error


def read(path: Path) -> Configuration:
    """The configuration from a JSON file. Raises ConfigurationError."""
    try:
        return configure(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{path.name}: {error}") from error
