"""Counting what became of every arrival.

The one idea: a journey belongs to the window if it was *intended* to start there, whenever it ends; the ones
before and after are followed but counted apart. Pure: moments come in as arguments.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from harness.judge.histogram import Histogram
from harness.load.outcome import Attempt, Audit, JourneyRecord, Outcome
from harness.load.plan import Plan
from harness.load.result import FailureCount, GeneratorHealth, LoadResult, Second, StepTimes
from harness.load.schedule import Arrival, in_window, planned_mix, schedule_hash

_KINDS = 200  # distinct (step, kind) pairs kept; a kind made from a system's answers must not fill the memory
_ENDED_WELL = (Outcome.COMPLETED, Outcome.REFUSED)


@dataclass
class Tally:
    """Journeys intended to start in one stretch of the run: sent, shed, and how they ended."""

    sent: int = 0
    shed: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    journey_time: Histogram = field(default_factory=Histogram)
    citizen_time: Histogram = field(default_factory=Histogram)
    lateness: Histogram = field(default_factory=Histogram)
    steps: dict[str, StepTimes] = field(default_factory=dict)
    failures: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    mix: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Journeys that ended, in whatever way (those shed never began)."""
        return sum(self.outcomes.values())

    @property
    def completed(self) -> int:
        """Journeys that reached their end, a proper refusal included."""
        return self.outcomes[Outcome.COMPLETED] + self.outcomes[Outcome.REFUSED]

    @property
    def failed(self) -> int:
        """Journeys that failed or were abandoned, shed ones included."""
        return self.outcomes[Outcome.FAILED] + self.outcomes[Outcome.ABANDONED] + self.shed

    def add(self, attempt: Attempt) -> None:
        """Count one journey that ended."""
        assert attempt.outcome is not None
        self.outcomes[attempt.outcome] += 1
        self.lateness.record(attempt.lateness)
        for step in attempt.steps:
            times = self.steps.get(step.name)
            if times is None:
                times = self.steps[step.name] = StepTimes(Histogram(), Histogram())
            times.response.record(step.response)
            times.service.record(step.service)
        if attempt.outcome in _ENDED_WELL:
            self.journey_time.record(attempt.journey_time)
            self.citizen_time.record(attempt.citizen_time)
        elif attempt.failure is not None:
            self._fail(*attempt.failure)

    def _fail(self, step: str, kind: str, example: str) -> None:
        key = (step, kind)
        if key not in self.failures and len(self.failures) >= _KINDS:
            key = (step, "other") if (step, "other") in self.failures else ("", "other")
        count, first = self.failures.get(key, (0, example))
        self.failures[key] = (count + 1, first)


@dataclass
class _Moment:
    sent: int = 0
    completed: int = 0
    failed: int = 0
    times: Histogram = field(default_factory=Histogram)


class Recorder:
    """Everything one run yields. `start` is the CLOCK_MONOTONIC moment at which the warm-up begins."""

    def __init__(self, plan: Plan, arrivals: Sequence[Arrival], start: float) -> None:
        self._plan, self._arrivals = plan, arrivals
        opens, closes = plan.window
        self.window = (start + opens, start + closes)
        self.before, self.inside, self.after = Tally(), Tally(), Tally()
        self._seconds = [_Moment() for _ in range(math.ceil(plan.measure))]
        self._journeys: list[tuple[Attempt, bool]] = []

    def sent(self, arrival: Arrival, moment: float) -> None:
        """A citizen set out."""
        tally = self._tally(arrival)
        tally.sent += 1
        tally.mix[arrival.journey] = tally.mix.get(arrival.journey, 0) + 1
        second = self._second(moment)
        if second is not None:
            second.sent += 1

    def shed(self, arrival: Arrival) -> None:
        """A citizen was turned away at the concurrency cap."""
        self._tally(arrival).shed += 1

    def ended(self, attempt: Attempt) -> None:
        """A journey ended; its outcome says how."""
        tally = self._tally(attempt.arrival)
        tally.add(attempt)
        self._journeys.append((attempt, tally is self.inside))
        second = self._second(attempt.ended)
        if second is None:
            return
        if attempt.outcome in _ENDED_WELL:
            second.completed += 1
            second.times.record(attempt.journey_time)
        else:
            second.failed += 1

    @property
    def window_under_way(self) -> int:
        """Journeys of the window that set out and have not ended."""
        return self.inside.sent - self.inside.ended

    def journeys(self) -> tuple[JourneyRecord, ...]:
        """Every journey that ended, in the order of arrival, for the audit."""
        records = (
            JourneyRecord(
                id=attempt.arrival.citizen,
                journey=attempt.arrival.journey,
                outcome=attempt.outcome or Outcome.ABANDONED,
                in_window=inside,
                facts=attempt.facts,
                eligible=attempt.arrival.eligible,
            )
            for attempt, inside in self._journeys
        )
        return tuple(sorted(records, key=lambda record: record.id))

    def result(
        self, health: GeneratorHealth, audit: Audit | None, also: Iterable[FailureCount] = ()
    ) -> LoadResult:
        """The run's result. `also` are failures outside of journeys (an audit that got no answer)."""
        tally = self.inside
        failures = [
            FailureCount(step, kind, n, example) for (step, kind), (n, example) in tally.failures.items()
        ]
        return LoadResult(
            schedule_hash=schedule_hash(self._arrivals),
            scheduled=sum(in_window(self._plan, arrival) for arrival in self._arrivals),
            sent=tally.sent,
            shed=tally.shed,
            completed=tally.outcomes[Outcome.COMPLETED],
            failed=tally.outcomes[Outcome.FAILED],
            abandoned=tally.outcomes[Outcome.ABANDONED] + tally.shed,
            refused=tally.outcomes[Outcome.REFUSED],
            incorrect=None if audit is None else self._incorrect(audit),
            started_mix={name: tally.mix.get(name, 0) for name in sorted(self._plan.journeys)},
            planned_mix=planned_mix(self._plan, self._arrivals),
            journey_time=tally.journey_time,
            citizen_time=tally.citizen_time,
            lateness=tally.lateness,
            steps=tally.steps,
            failures=(*sorted(failures, key=lambda f: -f.count), *also),
            audit=() if audit is None else audit.invariants,
            timeline=tuple(_second(number, moment) for number, moment in enumerate(self._seconds)),
            health=health,
            window=self.window,
            bound=max(self._plan.follow_up, tally.journey_time.maximum or 0.0),
        )

    def _incorrect(self, audit: Audit) -> int:
        return sum(
            inside and attempt.outcome is Outcome.COMPLETED and attempt.arrival.citizen in audit.incorrect
            for attempt, inside in self._journeys
        )

    def _tally(self, arrival: Arrival) -> Tally:
        opens, closes = self._plan.window
        if arrival.at < opens:
            return self.before
        return self.inside if arrival.at < closes else self.after

    def _second(self, moment: float) -> _Moment | None:
        opens, closes = self.window
        return self._seconds[int(moment - opens)] if opens <= moment < closes else None


def _second(number: int, moment: _Moment) -> Second:
    return Second(
        second=number,
        sent=moment.sent,
        completed=moment.completed,
        failed=moment.failed,
        p50=moment.times.percentile(50),
        p95=moment.times.percentile(95),
    )
