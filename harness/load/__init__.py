"""Load: citizens put on a system by Locust, in a child process, after a schedule fixed beforehand.

The one idea: importing this package costs nothing and patches nothing. What a scenario's `journeys.py` needs
(`Citizen`, `journey` …) is fetched on first use, because importing Locust patches the process with gevent:
that may happen in a generator's child process or under `locust -f`, never in the harness's own process, which
uses `driver`, `plan`, `result` and `schedule` only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.load.citizen import Citizen, journey
    from harness.load.outcome import Audit, JourneyRecord, Outcome, Refused, StepFailed
    from harness.load.result import Invariant
    from harness.load.session import Response
    from harness.load.system import SystemUnderTest

__all__ = [
    "Audit",
    "Citizen",
    "Invariant",
    "JourneyRecord",
    "Outcome",
    "Refused",
    "Response",
    "StepFailed",
    "SystemUnderTest",
    "journey",
]

_HOMES = {
    "Audit": "outcome",
    "Citizen": "citizen",
    "Invariant": "result",
    "JourneyRecord": "outcome",
    "Outcome": "outcome",
    "Refused": "outcome",
    "Response": "session",
    "StepFailed": "outcome",
    "SystemUnderTest": "system",
    "journey": "citizen",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
