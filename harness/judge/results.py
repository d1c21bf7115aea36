"""What the judge says, as plain types: interval, verdict, judgement, recommendation.

The one idea: every result carries its own reasons and warnings as data, so that a page or a terminal prints
them and never has to work them out again. Effects are signed as measured (after against before); `benefit`
intervals are signed so that positive is good, on the scale the verdict is taken on (log ratio, or
difference).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from harness.judge.metrics import Evidence, Kind


class Verdict(StrEnum):
    """What the statistics say of one metric (docs/method.md, "Verdicts")."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    NO_WORSE = "no_worse"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no_data"
    INVALID = "invalid"


class GuardrailState(StrEnum):
    """Whether a guardrail is shown to hold."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_SHOWN = "not_shown"


class Recommended(StrEnum):
    """What the published rule recommends; the decision is the board's."""

    ADOPT = "adopt"
    ITERATE = "iterate"
    STOP = "stop"
    NOT_PROVEN = "not_proven"


class Role(StrEnum):
    """What a metric is for in a protocol."""

    PRIMARY = "primary"
    GUARDRAIL = "guardrail"
    SECONDARY = "secondary"


@dataclass(frozen=True)
class Interval:
    """A closed interval at `level` (0.95 for 95%).

    An end that is open is no end: what was measured is only a bound on that side (docs/method.md, "What was
    not seen"), the truth may lie beyond the number given. `lowest` and `highest` are what a rule may rely on.
    """

    low: float
    high: float
    level: float
    low_open: bool = False
    high_open: bool = False

    @property
    def lowest(self) -> float:
        """The lower end, −∞ where it is open."""
        return -math.inf if self.low_open else self.low

    @property
    def highest(self) -> float:
        """The upper end, +∞ where it is open."""
        return math.inf if self.high_open else self.high


@dataclass(frozen=True)
class Note:
    """A warning or reason as data: a stable code and one sentence."""

    code: str
    text: str


@dataclass(frozen=True)
class Judgement:
    """One metric of one candidate against the incumbent.

    `effect` and `interval` are as measured: a ratio after/before (0.8 = 20% lower) for ratio and cost
    metrics, after − before for difference metrics. `benefit` is the same interval on the verdict's scale,
    positive good; `margin` is on that scale too (`margin_text` as written). `before`/`after` are the arms'
    own figures (geometric means over rounds for ratios), None where there is none; `censored` names arms
    whose figure is only a lower bound ("> 10 s"). `pairs` holds the (before, after) of each round judged.
    `noise_floor` is the standard deviation of the per-round effects on the verdict's scale, `mde` the least
    detectable effect at 80% power on that scale, `p_value` of the exact sign-flip permutation test (printed,
    never deciding), `spread_ratio` the ratio of the arms' own standard deviations (after/before, logs for
    ratios).
    """

    metric: str
    role: Role
    kind: Kind
    verdict: Verdict
    guardrail: GuardrailState | None
    evidence: Evidence
    margin: float
    margin_text: str
    rounds: int
    effect: float | None = None
    interval: Interval | None = None
    benefit: Interval | None = None
    before: float | None = None
    after: float | None = None
    censored: tuple[str, ...] = ()
    pairs: tuple[tuple[float, float], ...] = ()
    noise_floor: float | None = None
    mde: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    spread_ratio: float | None = None
    reasons: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Recommendation:
    """The published rule's word and the rule that matched, first match wins."""

    recommended: Recommended
    reasons: tuple[Note, ...]


@dataclass(frozen=True)
class ArmJudgement:
    """Everything judged of one candidate arm."""

    arm: str
    system: str
    primary: Judgement
    guardrails: tuple[Judgement, ...]
    secondary: tuple[Judgement, ...]
    recommendation: Recommendation

    @property
    def judgements(self) -> tuple[Judgement, ...]:
        """Primary first, then guardrails, then secondary metrics."""
        return (self.primary, *self.guardrails, *self.secondary)


@dataclass(frozen=True)
class CostFigure:
    """An amount of money per transaction or a year with its range (P2.5 to P97.5) and evidence class.

    `likely` is the expected value (the mean of the draws), so that parts add up to their total.
    """

    low: float
    likely: float
    high: float
    evidence: Evidence
    note: str = ""


@dataclass(frozen=True)
class CostPart:
    """One line of an arm's costs: money per completed journey and a year. `kind` is frontline, middle or
    overhead.
    """

    name: str
    kind: str
    per_transaction: CostFigure
    per_year: CostFigure


@dataclass(frozen=True)
class ArmCost:
    """What one arm costs, per completed journey, split by kind; money in the programme's currency.

    `frontline`, `middle`, `overhead` are the open book's; `resources` (processor, memory, network) stand
    apart, and the four add up to `per_transaction`. `per_successful_outcome` is None where it is not known (a
    warning says why). `overhead_share` is the band from overhead alone to overhead and middle together,
    resources counted as the kind they are. `parts` is every line that went in; `failures` what failed and
    abandoned journeys cost in the channel they turn to.
    """

    arm: str
    system: str
    currency: str
    frontline: CostFigure
    middle: CostFigure
    overhead: CostFigure
    resources: CostFigure
    per_transaction: CostFigure
    per_successful_outcome: CostFigure | None
    warnings: tuple[Note, ...] = ()
    parts: tuple[CostPart, ...] = ()
    failures: CostPart | None = None
    overhead_share: tuple[float, float] | None = None


@dataclass(frozen=True)
class TrialJudgement:
    """The judged trial: one entry a candidate, costs of every arm where they are known, warnings about the
    whole.
    """

    trial: str
    judged_with: str
    seed: int
    arms: tuple[ArmJudgement, ...]
    costs: tuple[ArmCost, ...] = ()
    warnings: tuple[Note, ...] = field(default=())
