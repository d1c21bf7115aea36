"""The inputs of a trial as they were read, kept with it: the ledger alone can then tell, judge and cost the trial.

The one idea: a report or a re-judgement years later must not depend on files that have changed since.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import harness
from harness.store.records import ArmRecord
from harness.workspace.loader import ResolvedPilot
from harness.workspace.models import Protocol

MEASURE_VERSION = 1
"""Raised when a change of the harness makes new figures not comparable with old ones."""


def document(
    resolved: ResolvedPilot, protocol: Protocol, rate: float, exploratory_because: tuple[str, ...]
) -> dict[str, Any]:
    """Everything a report needs of the pilot's files, JSON-ready. `rate` is arrivals per second."""
    pilot, body, service = resolved.pilot, resolved.body, resolved.service
    multiple = pilot.demand.multiple if pilot.demand.profile else None
    peak_rate = service.peak_hour / 3600
    return {
        "pilot": pilot.model_dump(
            mode="json", include={"pilot", "question", "service", "scenario", "before", "changes"}
        ),
        "protocol": protocol.model_dump(mode="json"),
        "programme": resolved.programme.model_dump(mode="json"),
        "body": {
            "name": body.body,
            **body.model_dump(mode="json", include={"title", "kind", "illustrative", "population"}),
        },
        "service": {"name": pilot.service, **service.model_dump(mode="json")},
        "scenario": resolved.scenario.model_dump(mode="json"),
        "demand": {
            "rate": rate,
            "text": resolved.demand_text,
            "because": pilot.demand.because,
            "peak_hour_multiple": multiple,
            "own": rate <= peak_rate * 1.001,
        },
        "systems": {
            arm.arm: {
                "label": arm.system.label,
                "title": arm.system.title,
                "illustrative": arm.system.illustrative,
            }
            for arm in resolved.arms
        },
        "prices": body.prices.model_dump(mode="json") if body.prices else None,
        "open_book": [line.model_dump(mode="json") for line in resolved.open_book],
        "versions": {
            "harness": harness.__version__,
            "measure_version": MEASURE_VERSION,
            "locust": version("locust"),
            "python": platform.python_version(),
        },
        "exploratory_because": list(exploratory_because),
    }


def arm_records(resolved: ResolvedPilot) -> tuple[ArmRecord, ...]:
    """The arms as the ledger keeps them."""
    return tuple(
        ArmRecord(
            arm=arm.arm,
            system=arm.system.label,
            title=arm.system.title,
            interface=arm.interface,
            content_hash=arm.system.content_hash,
            configuration=arm.system.public_configuration,
        )
        for arm in resolved.arms
    )
