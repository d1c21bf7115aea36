"""What a run would do, before it does anything: `run --dry-run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from harness.store.ledger import Ledger
from harness.trial.conduct import Overrides, standing
from harness.workspace.loader import ResolvedPilot
from harness.workspace.models import PinnedEnvironment, Protocol

_AROUND_A_RUN = 3.0
"""Seconds a run usually takes beyond warm-up and window: deploy, seed, follow-up, audit, stop (docs/performance.md)."""


@dataclass(frozen=True)
class ArmForecast:
    """One system that would be deployed."""

    arm: str
    system: str
    interface: str
    environment: str


@dataclass(frozen=True)
class Forecast:
    """What would be deployed, how many journeys, how long (seconds, without repeated rounds)."""

    pilot: str
    kind: str
    because: str
    arms: tuple[ArmForecast, ...]
    rounds: int
    demand: str
    rate: float
    journeys_an_arm: int
    seconds_least: float
    seconds_most: float

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self)


def forecast(resolved: ResolvedPilot, protocol: Protocol, ledger: Ledger, overrides: Overrides) -> Forecast:
    """The forecast of a run of this protocol."""
    registered, because = standing(ledger, resolved, overrides)
    load = protocol.warm_up + protocol.measure
    slowest = [
        arm.system.run.process.ready.deadline + sum(step.deadline for step in arm.system.run.process.prepare)
        for arm in resolved.arms
    ]
    arms = tuple(
        ArmForecast(
            arm.arm,
            arm.system.label,
            arm.interface,
            arm.system.run.process.environment.requirements
            if isinstance(arm.system.run.process.environment, PinnedEnvironment)
            else "the harness's own",
        )
        for arm in resolved.arms
    )
    return Forecast(
        pilot=resolved.id,
        kind="registered" if registered else "exploratory",
        because="; ".join(because),
        arms=arms,
        rounds=protocol.rounds,
        demand=resolved.demand_text,
        rate=resolved.rate,
        journeys_an_arm=int(resolved.rate * protocol.measure * protocol.rounds),
        seconds_least=protocol.rounds * len(arms) * (load + _AROUND_A_RUN),
        seconds_most=protocol.rounds
        * (len(arms) * (load + protocol.follow_up + _AROUND_A_RUN) + sum(slowest)),
    )
