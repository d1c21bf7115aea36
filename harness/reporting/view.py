"""A trial as the reports look at it: its record and judgement with safe access to the document of its inputs.

The one idea: a document may come from an older version or hold anything; every reading of it goes through
here, is cleaned and has a plain fallback, so that a page is never broken by its data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.judge.histogram import Histogram
from harness.judge.results import ArmJudgement, Judgement, TrialJudgement
from harness.reporting.charts.spectrum import Series
from harness.reporting.sentences import ArmRange, Names
from harness.reporting.words import clean
from harness.store.records import ArmRecord, FullTrial, RunRecord, RunState


@dataclass(frozen=True)
class TrialView:
    """A trial with its judgement, None where it was not judged or the judgement cannot be read."""

    full: FullTrial
    judgement: TrialJudgement | None

    def text(self, *path: str, default: str = "", longest: int = 300) -> str:
        """A text of the document, cleaned; the default where there is none."""
        found = self.raw(*path)
        return (
            clean(found, longest) if isinstance(found, str | int | float) and str(found).strip() else default
        )

    def raw(self, *path: str) -> Any:
        """A value of the document by its path; None where there is none."""
        found: Any = self.full.trial.document
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def texts(self, *path: str) -> tuple[str, ...]:
        """A list of texts of the document, cleaned."""
        found = self.raw(*path)
        return tuple(clean(t, 400) for t in found) if isinstance(found, list | tuple) else ()

    def number(self, *path: str) -> float | None:
        """A finite number of the document."""
        found = self.raw(*path)
        usable = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found)
        return float(found) if usable else None

    @property
    def currency(self) -> str:
        """The programme's currency, three letters."""
        code = self.text("programme", "currency", default="GBP")
        return code if len(code) == 3 and code.isalpha() and code.isupper() else "GBP"

    @property
    def illustrative(self) -> bool:
        """Whether the body, the programme or a system is invented."""
        systems = self.raw("systems")
        flags = [self.raw("programme", "illustrative"), self.raw("body", "illustrative")]
        if isinstance(systems, Mapping):
            flags += [s.get("illustrative") for s in systems.values() if isinstance(s, Mapping)]
        return any(flag is True for flag in flags)

    @property
    def arms(self) -> tuple[ArmRecord, ...]:
        """The arms, the incumbent first."""
        return tuple(sorted(self.full.trial.arms, key=lambda a: (a.arm != "before", a.arm)))

    def label(self, arm: str) -> str:
        """The system's label of an arm: "booking@1.0.0"."""
        return next((clean(a.system, 80) for a in self.full.trial.arms if a.arm == arm), arm)

    def names(self, arm: str) -> Names:
        """What things are called in sentences about one candidate."""
        return Names(
            candidate=self.label(arm),
            incumbent=self.label("before"),
            service=self.text(
                "service", "title", default=self.text("pilot", "service", default="the service"), longest=120
            ),
            body=self.text("body", "title", default=clean(self.full.trial.body), longest=120),
        )

    def judged(self, arm: str) -> ArmJudgement | None:
        """The judgement of one candidate."""
        return next((a for a in self.judgement.arms if a.arm == arm), None) if self.judgement else None

    def runs(self, arm: str) -> tuple[tuple[int, RunRecord], ...]:
        """(round number, run) of the valid rounds of one arm."""
        return tuple((r.number, run) for r in self.full.valid_rounds for run in r.runs if run.arm == arm)

    def total(self, arm: str, *counts: str) -> int:
        """Journeys of the valid rounds of one arm, by what became of them."""
        return sum(run.counts.get(name, 0) for _, run in self.runs(arm) for name in counts)

    def merged(self, arm: str, series: str) -> Histogram:
        """A series of the valid rounds of one arm, merged; a blob that cannot be read is left out."""
        whole = Histogram()
        for _, run in self.runs(arm):
            blob = run.histograms.get(series)
            if blob is None:
                continue
            try:
                whole.merge(Histogram.from_bytes(blob))
            except ValueError:
                continue
        return whole

    def journeys(self, arm: str) -> Series:
        """One arm's journey times with those that never ended ranked slowest."""
        slower = self.total(arm, "failed", "abandoned")
        return Series(arm, self.label(arm), self.merged(arm, "journey"), slower, self.bound(arm))

    def bound(self, arm: str) -> float | None:
        """What a percentile among journeys that never ended is at least: the follow-up, or longer."""
        found = [v.value for _, run in self.runs(arm) for v in run.values.values() if v.censored]
        follow_up = self.number("protocol", "follow_up")
        return max([*found, *([follow_up] if follow_up else [])], default=None)

    def values(self, arm: str, metric: str) -> tuple[tuple[int, float, bool], ...]:
        """(round, value, censored) of one metric in the valid rounds of one arm."""
        return tuple(
            (number, run.values[metric].value, run.values[metric].censored)
            for number, run in self.runs(arm)
            if metric in run.values and math.isfinite(run.values[metric].value)
        )

    def arm_range(self, arm: str, metric: str, judged: Judgement | None) -> ArmRange:
        """One arm's figure with its range over the rounds: the judge's own figure where there is one."""
        rows = self.values(arm, metric)
        found = [value for _, value, _ in rows]
        # a run whose system never got ready has no times at all: all its journeys rank slowest
        absent = len(self.runs(arm)) - len(rows) if metric.startswith(("journey_time", "citizen_time")) else 0
        bounded = sum(censored for _, _, censored in rows) + min(absent, self.not_ready(arm))
        value, censored = centre(found), bounded > 0
        if judged is not None:
            own = judged.before if arm == "before" else judged.after
            value = own if own is not None else value
            censored = (
                censored
                or ("before" if arm == "before" else "after") in judged.censored
                or arm in judged.censored
            )
        return ArmRange(
            value, min(found, default=None), max(found, default=None), censored, len(self.runs(arm)), bounded
        )

    def steps(self) -> tuple[str, ...]:
        """Every step that any arm timed, in the order first seen."""
        found: dict[str, None] = {}
        for record in self.full.valid_rounds:
            for run in record.runs:
                for name in run.histograms:
                    if name.startswith("step/") and name.endswith("/response"):
                        found.setdefault(name.removeprefix("step/").removesuffix("/response"))
        return tuple(found)

    def broken_invariants(self, arm: str) -> tuple[str, ...]:
        """Names of the audit's invariants that a valid run of this arm violated."""
        found: dict[str, None] = {}
        for _, run in self.runs(arm):
            for check in run.audit:
                if check.violations > 0:
                    found.setdefault(clean(check.name, 120))
        return tuple(found)

    def not_ready(self, arm: str) -> int:
        """In how many valid rounds the system never got ready."""
        return sum(run.state is RunState.NOT_READY for _, run in self.runs(arm))


def centre(values: Sequence[float]) -> float | None:
    """The mean over rounds: geometric where all are above zero (it agrees with a ratio's effect), else
    arithmetic.
    """
    if not values:
        return None
    if all(v > 0 for v in values):
        return math.exp(math.fsum(math.log(v) for v in values) / len(values))
    return math.fsum(values) / len(values)


def read_judgement(full: FullTrial) -> TrialJudgement | None:
    """The trial's stored judgement; None where there is none or it has another shape (an older version's)."""
    if full.judgement is None:
        return None
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(TrialJudgement).validate_python(full.judgement)
    except ValidationError:
        return None
