"""What a body writes of itself, as models: services, systems, prices, the lines of its open book.

The one idea: every amount carries its range, its source, its date and whether it was recorded or assumed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.workspace.forms import (
    Currency,
    Interface,
    Name,
    NonNegative,
    Positive,
    Text,
    Whole,
    YesNo,
    refusal,
)
from harness.workspace.quantities import Day, Share
from harness.workspace.running import Model, Run


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
