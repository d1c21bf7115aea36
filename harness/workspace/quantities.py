"""Quantities as people write them (`5s`, `10%`, `0.5pp`, `8/s`), parsed once into numbers with a stated unit.

The one idea: a number in a pilot's file always carries its unit, so that nothing is guessed; the parsed
value is a plain float in base units (seconds, arrivals per second, fraction) that the rest of the harness
uses.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import core_schema

_NUMBER = r"(?P<number>[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:e[+-]?[0-9]{1,4})?)"
_DURATION = re.compile(_NUMBER + r"\s*(?P<unit>us|ms|s|min|h)", re.IGNORECASE)
_RATE = re.compile(_NUMBER + r"\s*/\s*(?P<unit>s|min|h)", re.IGNORECASE)
_MARGIN = re.compile(_NUMBER + r"\s*(?P<unit>%|pp)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def _parse(value: Any, pattern: re.Pattern[str], what: str, example: str) -> tuple[float, str]:
    match = pattern.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{what} with its unit, such as {example}")
    return float(match["number"]), match["unit"].lower()


def _finite(number: float, what: str, example: str) -> float:
    if not math.isfinite(number):
        raise ValueError(f"a finite {what}, such as {example}")
    return number


def _duration(value: Any) -> float:
    number, unit = _parse(value, _DURATION, "a duration", "5s or 250ms")
    if number < 0:
        raise ValueError("a duration of zero or more, such as 5s or 250ms")
    return _finite(number * _SECONDS[unit], "duration", "5s or 250ms")


def _positive_duration(value: Any) -> float:
    seconds = _duration(value)
    if seconds <= 0:
        raise ValueError("a duration above zero, such as 5s")
    return seconds


def _rate(value: Any) -> float:
    number, unit = _parse(value, _RATE, "a rate", "8/s or 480/h")
    per_second = _finite(number / _SECONDS[unit], "rate", "8/s or 480/h")
    if per_second <= 0:
        raise ValueError("a rate above zero, such as 8/s")
    return per_second


def _share(value: Any) -> float:
    number, unit = _parse(value, _MARGIN, "a percentage", "95%")
    if unit != "%" or not 0 <= number <= 100:
        raise ValueError("a percentage from 0% to 100%, such as 95%")
    return number / 100


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("a day that the calendar has, such as 2026-04-01") from None
    raise ValueError("a day as year-month-day, such as 2026-04-01")


_DURATION_SCHEMA = {
    "type": "string",
    "pattern": r"^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?\s*(us|ms|s|min|h)$",
    "examples": ["5s", "250ms", "2min"],
}

Duration = Annotated[float, BeforeValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, zero or more."""

PositiveDuration = Annotated[float, BeforeValidator(_positive_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, above zero."""

Rate = Annotated[
    float,
    BeforeValidator(_rate),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?\s*/\s*(s|min|h)$",
            "examples": ["8/s", "480/h"],
        }
    ),
]
"""Arrivals per second, above zero."""

Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*%$", "examples": ["95%"]}),
]
"""A fraction from 0 to 1, written as a percentage."""

Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A calendar day, written as year-month-day."""


@dataclass(frozen=True)
class Margin:
    """The least difference worth caring about, as written.

    `value` is a fraction: 10% is 0.10 relative, 0.5pp is 0.005 absolute. `unit` is `percent` for metrics that
    are compared as ratios and `pp` (percentage points) for metrics that are compared as differences.
    """

    value: float
    unit: Literal["percent", "pp"]

    def __str__(self) -> str:
        return f"{self.value * 100:g}{'%' if self.unit == 'percent' else 'pp'}"

    @classmethod
    def parse(cls, value: Any) -> Margin:
        """Read `10%` or `0.5pp`.

        Raises:
            ValueError: not of that form, zero, or over 100.
        """
        if isinstance(value, Margin):
            return value
        number, unit = _parse(value, _MARGIN, "a margin", "10% or 0.5pp")
        if not 0 < number <= 100:
            raise ValueError("a margin above 0 and at most 100, such as 10% or 0.5pp")
        return cls(number / 100, "percent" if unit == "%" else "pp")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?\s*(%|pp)$", "examples": ["10%", "0.5pp"]}
