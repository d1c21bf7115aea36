"""What a cost is worked out from: amounts with ranges, open-book lines, prices, and what each run of an arm
used.

The one idea: every amount carries its range and its evidence class, so that a cost can neither be more
certain nor better founded than what went into it. Money is in one currency, the programme's; nothing here
converts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.judge.metrics import Evidence
from harness.judge.results import ArmCost, Note

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CostKind(StrEnum):
    """Where in the body the money is spent."""

    FRONTLINE = "frontline"
    MIDDLE = "middle"
    OVERHEAD = "overhead"


class Basis(StrEnum):
    """What an open-book amount is paid for."""

    PER_YEAR = "per_year"
    PER_TRANSACTION = "per_transaction"


@dataclass(frozen=True)
class Triangle:
    """An amount known as low – likely – high, zero or more, read as a triangular distribution.

    Raises:
        ValueError: not finite, negative, or not in order.
    """

    low: float
    likely: float
    high: float
    evidence: Evidence
    source: str = ""

    def __post_init__(self) -> None:
        ends = (self.low, self.likely, self.high)
        if not all(math.isfinite(end) for end in ends) or not 0 <= self.low <= self.likely <= self.high:
            raise ValueError(
                f"0 ≤ low ≤ likely ≤ high, all finite; found {self.low}, {self.likely}, {self.high}"
            )

    @classmethod
    def exactly(cls, amount: float, evidence: Evidence, source: str = "") -> Triangle:
        """An amount without a range."""
        return cls(amount, amount, amount, evidence, source)

    @property
    def expected(self) -> float:
        """The mean of the triangular distribution, (low + likely + high) / 3."""
        return (self.low + self.likely + self.high) / 3


@dataclass(frozen=True)
class CostLine:
    """One line of the open book: money a year, or money per completed journey.

    `system` says whose line it is: an arm's key (`before`), a system's label (`booking@1.0.0`) or a block's
    name without the version (`booking`); blank means that every arm pays it.
    """

    name: str
    kind: CostKind
    basis: Basis
    amount: Triangle
    system: str = ""


@dataclass(frozen=True)
class PriceBook:
    """What the body pays for resources.

    `cpu_hour` money per processor-hour used, `gib_hour` per GiB (2³⁰ bytes) of memory held for an hour,
    `gb_out` per GB (10⁹ bytes) sent, `gb_month_disk` per GB kept for a month.
    """

    cpu_hour: Triangle
    gib_hour: Triangle
    gb_out: Triangle | None = None
    gb_month_disk: Triangle | None = None


@dataclass(frozen=True)
class RunUse:
    """What one run of one arm did and used in its window.

    `started` journeys of the window (those shed included), `completed` with proper refusals counted in,
    `correct` of the completed (None: not audited). `cpu_seconds` of the window, `memory_mean` and `disk_kept`
    in bytes, `bytes_out` sent in the window; None where it is not known. A system that never got ready has
    `completed` 0 and no figures.

    Raises:
        ValueError: counts that cannot be, or a figure that is negative or not finite.
    """

    round: int
    started: int
    completed: int
    correct: int | None
    cpu_seconds: float | None
    memory_mean: float | None
    bytes_out: float | None = None
    disk_kept: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.completed <= self.started:
            raise ValueError(f"0 ≤ completed ≤ started; found {self.completed} of {self.started}")
        if self.correct is not None and not 0 <= self.correct <= self.completed:
            raise ValueError(f"0 ≤ correct ≤ completed; found {self.correct} of {self.completed}")
        for figure in (self.cpu_seconds, self.memory_mean, self.bytes_out, self.disk_kept):
            if figure is not None and not (math.isfinite(figure) and figure >= 0):
                raise ValueError(f"a finite figure of zero or more; found {figure}")


@dataclass(frozen=True)
class ArmRuns:
    """The valid runs of one arm. `arm` is its key (`before`, `after` …), `system` its label."""

    arm: str
    system: str
    runs: tuple[RunUse, ...]


@dataclass(frozen=True)
class CostInputs:
    """Everything an annual cost is worked out from.

    `volume` journeys started a year. `own_demand`: the runs were at the body's own demand; otherwise what was
    measured (failure rates, processor time, memory, traffic) enters as `assumed`. Journeys that fail or are
    abandoned turn to `other_channel` at `other_channel_cost` each; None when the body names none. `draws` of
    the Monte Carlo, seeded by `seed`.

    Raises:
        ValueError: no volume, or fewer than 100 draws, or two arms of one key.
    """

    currency: str
    volume: Triangle
    prices: PriceBook | None
    arms: tuple[ArmRuns, ...]
    lines: tuple[CostLine, ...] = ()
    other_channel: str | None = None
    other_channel_cost: Triangle | None = None
    own_demand: bool = False
    seed: int = 0
    draws: int = 10_000
    resource_kind: CostKind = CostKind.OVERHEAD

    def __post_init__(self) -> None:
        if self.volume.low <= 0:
            raise ValueError(f"an annual volume above zero; found {self.volume.low}")
        if self.draws < 100:
            raise ValueError(f"at least 100 draws; found {self.draws}")
        if len({arm.arm for arm in self.arms}) != len(self.arms):
            raise ValueError(f"every arm once; found {[arm.arm for arm in self.arms]}")


@dataclass(frozen=True)
class CostOutcome:
    """Costs of the arms for which they are known, in the order of the inputs.

    The draws (arrays of `CostInputs.draws` amounts, by arm) belong together: the same place in two arms'
    arrays was drawn with the same prices, volumes and rounds. An arm that is missing has no known cost;
    `warnings` say why.
    """

    arms: tuple[ArmCost, ...]
    per_transaction: Mapping[str, NDArray[np.float64]]
    per_successful_outcome: Mapping[str, NDArray[np.float64]]
    warnings: tuple[Note, ...] = field(default=())
