"""What people write, as models: programme, block, body, scenario, pilot.

The one idea: every file has exactly one model here, unknown keys are refused, and a quantity carries its
unit. References between files (a body naming a block release) are resolved by the loader, not here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.workspace.bodies import Body, Channel, OpenBookLine, Prices, Range, Service, System
from harness.workspace.forms import (
    BlockRelease,
    Currency,
    Interface,
    JourneyName,
    MetricName,
    Name,
    NonNegative,
    Positive,
    Text,
    Version,
    Whole,
    YesNo,
    refusal,
)
from harness.workspace.quantities import Day, Duration, Margin, PositiveDuration, Rate, Share
from harness.workspace.running import (
    ConfigurationDelivery,
    Model,
    PinnedEnvironment,
    PrepareStep,
    ProcessRun,
    Readiness,
    Run,
)

Metric = MetricName

__all__ = [
    "Block",
    "BlockRelease",
    "Body",
    "Candidate",
    "Channel",
    "ConfigurationDelivery",
    "Criterion",
    "Demand",
    "Interface",
    "Journey",
    "Metric",
    "Model",
    "Name",
    "NonNegative",
    "OpenBookLine",
    "Pilot",
    "PinnedEnvironment",
    "Positive",
    "PrepareStep",
    "Prices",
    "ProcessRun",
    "Programme",
    "Protocol",
    "Range",
    "Readiness",
    "Release",
    "Run",
    "Scenario",
    "Service",
    "ServiceStandard",
    "System",
    "Text",
    "Version",
]


class Programme(Model):
    """`pioneers/programme.yaml`: the pioneer group."""

    programme: Text = Field(description="The name of the programme")
    illustrative: YesNo = Field(
        False, description="Whether the bodies are invented examples; marked wherever shown"
    )
    currency: Currency = Field("GBP", description="The currency of every price and cost (GBP)")


# ── commons ─────────────────────────────────────────────────────────────────────────────────────────────────


class Release(Model):
    """One version of a block."""

    folder: Text = Field(description="The folder of the release's files, relative to block.yaml")
    released: Day = Field(description="The day of the release")
    changes: Text = Field(description="What changed since the release before")
    interfaces: Annotated[list[Interface], Field(min_length=1)] = Field(description="What the release speaks")
    configuration_schema: Text | None = Field(
        None, description="JSON Schema of the configuration, relative to the release's folder"
    )
    run: Run = Field(description="How the release runs")


class Block(Model):
    """`pioneers/commons/<block>/block.yaml`: a shared component and its releases."""

    block: Name = Field(description="The block's name, which is that of its folder")
    title: Text = Field(description="The block's name for people")
    purpose: Text = Field(description="What it does for a body")
    illustrative: YesNo = Field(False, description="Whether the block is an invented example")
    releases: Annotated[dict[Version, Release], Field(min_length=1)] = Field(
        description="Every release by version"
    )


# ── scenarios ───────────────────────────────────────────────────────────────────────────────────────────────


class Journey(Model):
    """One kind of journey: its weight in the mix and what the citizen wants from it."""

    weight: Positive = Field(description="How often it is begun, relative to the others")
    goal: Text = Field(description="What the citizen wants")


class ServiceStandard(Model):
    """Absolute thresholds a service should meet, whatever it replaces."""

    journey_time_p95: PositiveDuration | None = Field(
        None, description="19 in 20 journeys wait no longer than this"
    )
    completion_rate: Share | None = Field(
        None, description="The least share of journeys that reach their end"
    )


class Scenario(Model):
    """`scenarios/<name>/scenario.yaml`: a service pattern; its journeys are in `journeys.py` beside it."""

    scenario: Name = Field(description="The scenario's name, which is that of its folder")
    title: Text = Field(description="The scenario's name for people")
    goal: Text = Field(description="What the citizen came for")
    interfaces: Annotated[list[Interface], Field(min_length=1)] = Field(
        description="What its journeys speak, best first"
    )
    journeys: Annotated[dict[JourneyName, Journey], Field(min_length=1)] = Field(
        description="The mix: each journey by the name of its method"
    )
    ineligible: Share = Field(0.0, description="Share of citizens who should be refused (0%)")
    patience: PositiveDuration = Field(10.0, description="How long a citizen waits for one step (10s)")
    journey_deadline: PositiveDuration = Field(60.0, description="How long a journey may take at all (60s)")
    parameters: dict[str, Any] = Field({}, description="What the journeys need to know")
    service_standard: ServiceStandard = Field(
        ServiceStandard(), description="What any such service should meet"
    )


# ── pilots ──────────────────────────────────────────────────────────────────────────────────────────────────


class Candidate(Model):
    """What may take the incumbent's place: a block release in the body's configuration, or another system."""

    block: BlockRelease | None = Field(None, description="A release of the commons, such as booking@1.0.0")
    system: Name | None = Field(None, description="Or another system of body.yaml")
    configuration: dict[str, Any] = Field(
        {}, description="The release's configuration, checked against its schema"
    )

    @model_validator(mode="after")
    def _one(self) -> Candidate:
        if (self.block is None) == (self.system is None):
            found = "neither block: nor system:" if self.block is None else "both block: and system:"
            raise refusal(found, "exactly one of block: and system:", "keep the one that is to be tried")
        if self.system is not None and self.configuration:
            raise refusal(
                "configuration: beside system:",
                "configuration: only beside block:",
                "write it under the system in body.yaml",
                at="configuration",
            )
        return self


class Demand(Model):
    """How many citizens come: a multiple of the service's peak hour, or a rate with the reason for it."""

    profile: Literal["peak_hour"] | None = Field(None, description="The service's busiest hour")
    multiple: Positive = Field(1.0, description="How many times the profile's demand (1)")
    rate: Rate | None = Field(None, description="Or arrivals per second, such as 8/s")
    because: Text | None = Field(None, description="Why this rate")

    @model_validator(mode="after")
    def _one(self) -> Demand:
        if (self.profile is None) == (self.rate is None):
            found = "neither profile: nor rate:" if self.profile is None else "both profile: and rate:"
            raise refusal(
                found, "exactly one of profile: and rate:", "write profile: peak_hour, or rate: 8/s"
            )
        if self.rate is not None and self.because is None:
            raise refusal("rate: without because:", "because: beside rate:", "say why this rate", at="rate")
        if self.rate is not None and "multiple" in self.model_fields_set:
            advice = "write the rate itself"
            raise refusal("multiple: beside rate:", "multiple: only beside profile:", advice, at="multiple")
        return self


class Criterion(Model):
    """A registered metric with its margin."""

    metric: Metric = Field(description="A metric, see `harness list metrics`")
    margin: Margin = Field(description="The least difference worth caring about: 10%, or 0.5pp for rates")


class Protocol(Model):
    """What was settled before the first run. Times in seconds once read."""

    rounds: Annotated[Whole, Field(ge=2, le=500)] = Field(description="Rounds: every arm once in each")
    warm_up: Duration = Field(description="Load before the window, left out of the figures")
    measure: PositiveDuration = Field(description="The window in which journeys count")
    follow_up: PositiveDuration = Field(
        10.0, description="How long journeys of the window are followed (10s)"
    )
    design: Literal["interleaved"] = Field("interleaved", description="One arm is up at a time")
    arrivals: Literal["poisson", "constant"] = Field("poisson", description="How arrivals are spread")
    primary: Criterion = Field(description="The one metric that the recommendation turns on")
    guardrails: list[Criterion] = Field([], description="What must not get worse")
    secondary: list[Criterion] = Field([], description="What is also looked at")
    alpha: Annotated[float, Field(gt=0, lt=0.5, strict=True, allow_inf_nan=False)] = Field(
        0.05, description="Two-sided error rate of the verdict (0.05)"
    )
    seed: Annotated[Whole, Field(ge=0, lt=2**63)] | None = Field(None, description="Seed of order and demand")
    concurrency: Annotated[Whole, Field(ge=1, le=10_000)] = Field(
        500, description="Most journeys in flight (500)"
    )
    repeats: Annotated[Whole, Field(ge=0, le=10)] = Field(
        3, description="Times an invalid round is repeated (3)"
    )


class Pilot(Model):
    """`pioneers/<body>/pilots/<name>.yaml`: one service of one body, incumbent against its candidates."""

    pilot: Name = Field(description="The pilot's name, which is that of its file")
    question: Text = Field(description="The question that the board wants answered")
    service: Name = Field(description="A service of body.yaml")
    scenario: Name = Field(description="The scenario whose journeys are put on every arm")
    before: Name = Field(description="The incumbent: a system of body.yaml")
    after: Annotated[list[Candidate], Field(min_length=1, max_length=8)] = Field(description="The candidates")
    demand: Demand = Field(description="How many citizens come")
    protocol: Protocol = Field(description="What is settled before the first run")
    changes: list[Text] = Field([], description="What changes for citizens and staff")
