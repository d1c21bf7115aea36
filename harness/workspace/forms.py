"""The forms that names, numbers and texts take, each with the words in which faults speak of it.

The one idea: a pattern stands here once, with its meaning for people beside it, so that a fault never
shows a regular expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_core import PydanticCustomError

_VERSION = r"[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""The name of a block, body, service, system, scenario or pilot: lower case, digits, dots and hyphens."""

Version = Annotated[str, StringConstraints(pattern=rf"^{_VERSION}$")]
Interface = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+/v[0-9]+$")]
"""What a system speaks and a scenario can drive: `booking/v1`."""

BlockRelease = Annotated[str, StringConstraints(pattern=rf"^[a-z0-9][a-z0-9.-]*@{_VERSION}$")]
JourneyName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
"""The name of a journey, which is that of its method in journeys.py."""

MetricName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
PythonVersion = Annotated[str, StringConstraints(pattern=r"^3\.[0-9]{1,2}$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/")]
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
UserName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]*$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]

NonNegative = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
YesNo = Annotated[bool, Field(strict=True)]

WORDS: Mapping[str, str] = {
    r"^[a-z0-9][a-z0-9.-]{0,62}$": "a name of lower-case letters, digits, dots and hyphens",
    rf"^{_VERSION}$": "a version such as 1.0.0",
    r"^[a-z0-9-]+/v[0-9]+$": "an interface such as booking/v1",
    rf"^[a-z0-9][a-z0-9.-]*@{_VERSION}$": "a block release such as booking@1.0.0",
    r"^[a-z_][a-z0-9_]*$": "the name of a method in journeys.py, such as book_an_appointment",
    r"^[a-z0-9_]+$": "the name of a metric, such as journey_time_p95",
    r"^[A-Z]{3}$": "a currency code of three capitals, such as GBP",
    r"^3\.[0-9]{1,2}$": "a Python version in quotes, such as '3.11'",
    r"^/": "a path that begins with /",
    r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$": "the name of a file, without folders",
    r"^[A-Z][A-Z0-9_]*$": "a prefix in capitals, such as BOOKING_",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable",
    r"^[a-z_][a-z0-9_-]*$": "the name of a user of this machine",
}
"""What each pattern above means, for people."""


def refusal(found: str, expected: str, advice: str, at: str = "") -> PydanticCustomError:
    """The error that a model's own validator raises; `at` is the key at which the fault is placed."""
    context = {"found": found, "expected": expected, "advice": advice, "at": at}
    return PydanticCustomError("refused", "{found}; expected {expected}; {advice}", context)
