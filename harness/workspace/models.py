"""What people write, as models: programme, block, body, scenario, pilot.

The one idea: every file has exactly one model here, unknown keys are refused, and a quantity carries its
unit. References between files (a body naming a block release) are resolved by the loader, not here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

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


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────


def _in_order(low: float, likely: float, high: float) -> None:
    if not low <= likely <= high:
        raise refusal(
            f"low {low:g}, likely {likely:g}, high {high:g}",
            "low ≤ likely ≤ high",
            "put the three amounts in order",
            at="low" if low > likely or low > high else "likely",
        )


class Range(Model):
    """An amount with its declared range, where it comes from and when it was true."""

    low: NonNegative = Field(description="The least it may be")
    likely: NonNegative = Field(description="The most likely amount")
    high: NonNegative = Field(description="The most it may be")
    source: Text = Field(description="Where the amount comes from")
    price_date: Day = Field(description="The day at whose prices it stands")
    evidence: Literal["recorded", "assumed"] = Field(
        description="From the body's books, or a stated assumption"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        _in_order(self.low, self.likely, self.high)
        return self


class Prices(Model):
    """The body's price book, in the programme's currency."""

    cpu_hour: Range = Field(description="One processor for an hour")
    gib_hour: Range = Field(description="One GiB of memory for an hour")
    gb_out: Range | None = Field(None, description="One GB sent out")
    gb_month_disk: Range | None = Field(None, description="One GB of disk for a month")


class Channel(Model):
    """One way citizens reach a service."""

    share: Share = Field(description="Its share of all contacts")
    cost: Range | None = Field(None, description="What one handled contact costs the body")


class Service(Model):
    """Something the body does for citizens."""

    title: Text = Field(description="The service's name for people")
    annual_volume: Positive = Field(description="Transactions in a year")
    peak_hour: Positive = Field(description="Arrivals in the busiest hour")
    volume_source: Text = Field(description="Where the volumes come from")
    channels: dict[Name, Channel] = Field(
        {}, description="How citizens reach the service; shares add up to 100%"
    )
    failed_journeys_turn_to: Name | None = Field(
        None, description="The channel to which citizens turn when a journey fails"
    )

    @model_validator(mode="after")
    def _channels(self) -> Service:
        total = sum(channel.share for channel in self.channels.values())
        if self.channels and abs(total - 1) > 0.005:
            raise refusal(
                f"channel shares that add up to {total * 100:g}%",
                "channel shares that add up to 100%",
                "correct the shares, or add the channel that is missing",
                at="channels",
            )
        return self


class System(Model):
    """A system that the body runs."""

    title: Text = Field(description="The system's name for people")
    interfaces: Annotated[list[Interface], Field(min_length=1)] = Field(description="What the system speaks")
    folder: Text | None = Field(None, description="The folder of its files, relative to the folder pioneers")
    configuration: dict[str, Any] = Field({}, description="Its configuration")
    configuration_schema: Text | None = Field(
        None, description="JSON Schema of the configuration, relative to the system's folder"
    )
    run: Run = Field(description="How the system runs")
    stands_for: Text | None = Field(None, description="The real system that it stands for")


class Body(Model):
    """`pioneers/<body>/body.yaml`: a public body, its services and its systems."""

    body: Name = Field(description="The body's name, which is that of its folder")
    title: Text = Field(description="The body's name for people")
    kind: Text = Field(description="What kind of body it is")
    illustrative: YesNo = Field(False, description="Whether the body is an invented example")
    population: Annotated[Whole, Field(gt=0)] | None = Field(None, description="People it serves")
    services: Annotated[dict[Name, Service], Field(min_length=1)] = Field(description="Its services by name")
    systems: Annotated[dict[Name, System], Field(min_length=1)] = Field(description="Its systems by name")
    prices: Prices | None = Field(None, description="Its price book, in the programme's currency")


class OpenBookLine(Model):
    """One line of `pioneers/<body>/open-book.csv`: what a function of a service costs.

    `system` is None where all arms share the cost; else a system of the body, a block or one release of it.
    """

    service: Name = Field(description="A service of the body")
    function: Text = Field(description="The function or process")
    system: Text | None = Field(
        None,
        description="Blank: shared by all arms; else a system, a block, or a release of it",
    )
    role: Text | None = Field(None, description="The role group that does it")
    kind: Literal["frontline", "middle", "overhead"] = Field(description="Where in the organisation")
    basis: Literal["per_year", "per_transaction"] = Field(description="What the amounts are for")
    low: NonNegative = Field(description="The least it may be")
    likely: NonNegative = Field(description="The most likely amount")
    high: NonNegative = Field(description="The most it may be")
    currency: Currency = Field(description="The programme's currency")
    price_date: Day = Field(description="The day at whose prices it stands")
    source: Text = Field(description="Where the amount comes from")
    evidence: Literal["recorded", "assumed"] = Field(
        description="From the body's books, or a stated assumption"
    )

    @model_validator(mode="after")
    def _ordered(self) -> OpenBookLine:
        _in_order(self.low, self.likely, self.high)
        return self

    def concerns(self, label: str) -> bool:
        """Whether an arm whose system is `label` (`registrar-forms`, `booking@1.0.0`) bears this line."""
        return self.system is None or self.system == label or self.system == label.partition("@")[0]


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
        2, description="Times an invalid round is repeated (2)"
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
