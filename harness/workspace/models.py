"""What people write, as models: programme, block, body, scenario, pilot.

The one idea: every file has exactly one model here, unknown keys are refused, and a quantity carries its unit. References
between files (a body naming a block release) are resolved by the loader, not here.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from harness.workspace.quantities import Duration, Margin, PositiveDuration, Rate, Share

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}$")]
"""The name of a block, body, service, system, scenario or pilot: lower case, digits, dots and hyphens."""

Version = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$")]
Interface = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+/v[0-9]+$")]
"""What a system speaks and a scenario can drive: `booking/v1`."""

BlockRelease = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]*@[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.-]+)?$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Model(BaseModel):
    """Base of all: strict about keys, immutable once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Programme(Model):
    """`pioneers/programme.yaml`: the pioneer group."""

    programme: Text
    illustrative: bool = False
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "GBP"


# ── how a system runs ────────────────────────────────────────────────────────────────────────────────────────────────


class PinnedEnvironment(Model):
    """An isolated Python environment made from pinned requirements with hashes.

    `exclude_newer` is the date ceiling: no distribution published after it is considered.
    """

    requirements: Text
    exclude_newer: date | None = None
    python: Annotated[str, StringConstraints(pattern=r"^3\.[0-9]{1,2}$")] | None = None


class PrepareStep(Model):
    """One command run before the system starts (initialise, migrate), with a log and a deadline of its own."""

    name: Name
    command: Annotated[list[Text], Field(min_length=1)]
    deadline: PositiveDuration = 30.0


class Readiness(Model):
    """When the system counts as ready: GET `path` answers `status` before `deadline` has passed."""

    path: Annotated[str, StringConstraints(pattern=r"^/")] = "/"
    status: Annotated[int, Field(ge=100, le=599)] = 200
    deadline: PositiveDuration = 20.0


class ConfigurationDelivery(Model):
    """How the validated configuration reaches the system; any of the three, together or none.

    `file`: written as JSON to this name in the run's scratch folder (`{configuration}` in a command is its path).
    `environment`: each top-level key as PREFIX + KEY in upper case. `arguments`: `--key value` appended to the command.
    """

    file: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$")] | None = None
    environment: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")] | None = None
    arguments: bool = False


class ProcessRun(Model):
    """`run: {process: …}`: a command in an environment of its own.

    Placeholders in `command`, `prepare` and `variables`: `{port}`, `{scratch}`, `{folder}`, `{configuration}`, `{python}`
    (the environment's interpreter), `{bin}` (its scripts folder). No shell is involved.
    """

    environment: Literal["harness"] | PinnedEnvironment = "harness"
    prepare: list[PrepareStep] = []
    command: Annotated[list[Text], Field(min_length=1)]
    variables: dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str] = {}
    configuration: ConfigurationDelivery = ConfigurationDelivery()
    ready: Readiness = Readiness()
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    run_as: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_-]*$")] | None = None
    stop_within: PositiveDuration = 5.0


class Run(Model):
    """Where a system runs: exactly one deployer."""

    process: ProcessRun


# ── commons ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Release(Model):
    """One version of a block. `folder` holds its files, relative to the block's folder; `schema` its configuration schema."""

    folder: Text
    released: date
    changes: Text
    interfaces: Annotated[list[Interface], Field(min_length=1)]
    configuration_schema: Text | None = None
    run: Run


class Block(Model):
    """`pioneers/commons/<block>/block.yaml`."""

    block: Name
    title: Text
    purpose: Text
    illustrative: bool = False
    releases: Annotated[dict[Version, Release], Field(min_length=1)]


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Range(Model):
    """An amount with its declared range, where it comes from and when it was true."""

    low: NonNegative
    likely: NonNegative
    high: NonNegative
    source: Text
    price_date: date
    evidence: Literal["recorded", "assumed"]

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low ≤ likely ≤ high; found {self.low} , {self.likely} , {self.high}")
        return self


class Prices(Model):
    """The body's price book, in the programme's currency."""

    cpu_hour: Range
    gib_hour: Range
    gb_out: Range | None = None
    gb_month_disk: Range | None = None


class Channel(Model):
    """One way citizens reach a service: its share of contacts and what one handled contact costs the body."""

    share: Share
    cost: Range | None = None


class Service(Model):
    """Something the body does for citizens. `peak_hour` is arrivals in its busiest hour."""

    title: Text
    annual_volume: Positive
    peak_hour: Positive
    volume_source: Text
    channels: dict[Name, Channel] = {}
    failed_journeys_turn_to: Name | None = None

    @model_validator(mode="after")
    def _channels(self) -> Service:
        if self.channels and abs(sum(c.share for c in self.channels.values()) - 1) > 0.005:
            raise ValueError("channel shares that add up to 100%")
        return self


class System(Model):
    """A system the body runs. `folder` holds its files, relative to the workspace's `pioneers` folder (or none)."""

    title: Text
    interfaces: Annotated[list[Interface], Field(min_length=1)]
    folder: Text | None = None
    configuration: dict[str, Any] = {}
    configuration_schema: Text | None = None
    run: Run
    stands_for: Text | None = None


class Body(Model):
    """`pioneers/<body>/body.yaml`."""

    body: Name
    title: Text
    kind: Text
    illustrative: bool = False
    population: Annotated[int, Field(gt=0)] | None = None
    services: Annotated[dict[Name, Service], Field(min_length=1)]
    systems: Annotated[dict[Name, System], Field(min_length=1)]
    prices: Prices | None = None


# ── scenarios ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Journey(Model):
    """One kind of journey: its weight in the mix and what the citizen wants from it."""

    weight: Positive
    goal: Text


class ServiceStandard(Model):
    """Absolute thresholds a service should meet, whatever it replaces."""

    journey_time_p95: PositiveDuration | None = None
    completion_rate: Share | None = None


class Scenario(Model):
    """`scenarios/<name>/scenario.yaml`; its journeys are in `journeys.py` beside it."""

    scenario: Name
    title: Text
    goal: Text
    interfaces: Annotated[list[Interface], Field(min_length=1)]
    journeys: Annotated[dict[str, Journey], Field(min_length=1)]
    ineligible: Share = 0.0
    patience: PositiveDuration = 10.0
    journey_deadline: PositiveDuration = 60.0
    parameters: dict[str, Any] = {}
    service_standard: ServiceStandard = ServiceStandard()


# ── pilots ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Candidate(Model):
    """A system that may take the incumbent's place: a block release in the body's configuration, or another system."""

    block: BlockRelease | None = None
    system: Name | None = None
    configuration: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one(self) -> Candidate:
        if (self.block is None) == (self.system is None):
            raise ValueError("exactly one of block: and system:")
        if self.system is not None and self.configuration:
            raise ValueError("configuration: only beside block: (a system carries its own in body.yaml)")
        return self


class Demand(Model):
    """How many citizens come: a multiple of the service's peak hour, or a rate with the reason for it."""

    profile: Literal["peak_hour"] | None = None
    multiple: Positive = 1.0
    rate: Rate | None = None
    because: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> Demand:
        if (self.profile is None) == (self.rate is None):
            raise ValueError("exactly one of profile: and rate:")
        if self.rate is not None and self.because is None:
            raise ValueError("because: beside rate: (why this rate)")
        if self.rate is not None and self.multiple != 1.0:
            raise ValueError("multiple: only beside profile:")
        return self


Metric = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]


class Criterion(Model):
    """A registered metric with its margin."""

    metric: Metric
    margin: Margin


class Protocol(Model):
    """What was settled before the first run. Times in seconds; `alpha` is the two-sided error rate of the verdict."""

    rounds: Annotated[int, Field(ge=2, le=500)]
    warm_up: Duration
    measure: PositiveDuration
    follow_up: PositiveDuration = 10.0
    design: Literal["interleaved"] = "interleaved"
    arrivals: Literal["poisson", "constant"] = "poisson"
    primary: Criterion
    guardrails: list[Criterion] = []
    secondary: list[Criterion] = []
    alpha: Annotated[float, Field(gt=0, lt=0.5, allow_inf_nan=False)] = 0.05
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = 500
    repeats: Annotated[int, Field(ge=0, le=10)] = 2


class Pilot(Model):
    """`pioneers/<body>/pilots/<name>.yaml`: one service of one body, incumbent against one or more candidates."""

    pilot: Name
    question: Text
    service: Name
    scenario: Name
    before: Name
    after: Annotated[list[Candidate], Field(min_length=1, max_length=8)]
    demand: Demand
    protocol: Protocol
    changes: list[Text] = []
