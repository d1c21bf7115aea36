"""How a journey ends, and what is known of it while it lasts.

The one idea: a journey's clock starts at its *intended* start and each later step's at the end of the step
before plus the citizen's think time, so that neither a slow system nor a busy generator can hide waiting.
Pure: no gevent, no Locust.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness.load.result import Invariant

if TYPE_CHECKING:
    from harness.load.schedule import Arrival

_EXAMPLE = (
    300  # characters of an example kept: enough to act on, too few to fill a ledger with a system's output
)


class Outcome(StrEnum):
    """How a journey ended (docs/method.md, "Outcomes")."""

    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"
    REFUSED = "refused"


class Refused(Exception):  # noqa: N818 - an end of a journey, not an error
    """Raised in a journey: the system said a proper "not eligible". A failure if the citizen was eligible."""


class StepFailed(Exception):  # noqa: N818 - an end of a step, not an error of the harness
    """A step failed by the system's doing. `kind` is counted ("status 500"), `detail` is one example of it.

    `unanswered`: there was no answer at all (refused, reset, closed, timed out).
    """

    def __init__(self, kind: str, detail: str = "", *, unanswered: bool = False) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind
        self.detail = detail
        self.unanswered = unanswered


@dataclass(frozen=True)
class JourneyRecord:
    """One journey as the audit sees it: `facts` is what the journey noted. Warm-up and follow-up journeys are
    included.
    """

    id: int
    journey: str
    outcome: Outcome
    in_window: bool
    facts: Mapping[str, Any]
    eligible: bool = True


@dataclass(frozen=True)
class Audit:
    """What the audit found: invariants of the whole system, and the ids of journeys whose outcome the system
    holds wrongly.
    """

    invariants: tuple[Invariant, ...] = ()
    incorrect: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StepEnd:
    """One step done: response time from its intended start, service time from its first actual send, in
    seconds.
    """

    name: str
    response: float
    service: float


@dataclass(slots=True)
class Attempt:
    """One journey in progress or ended. Moments are CLOCK_MONOTONIC seconds.

    `intended` is the intended start of the journey, `due` that of the next step. `late` is how far behind it
    the first request was sent (or the journey began, if it never sent one). `outcome` stays None while the
    journey is under way. `current` is the step under way, `broken` the last one if it did not end well;
    `steps` holds those that did, `waited` the response times of all.
    """

    arrival: Arrival
    intended: float
    due: float = 0.0
    late: float | None = None
    began: float = 0.0
    ended: float = 0.0
    waited: float = 0.0
    outcome: Outcome | None = None
    steps: list[StepEnd] = field(default_factory=list)
    current: str | None = None
    broken: str | None = None
    failure: tuple[str, str, str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.due = self.intended

    @property
    def journey_time(self) -> float:
        """Seconds waited for the system: the sum of the steps' response times, think time left out."""
        return self.waited

    @property
    def citizen_time(self) -> float:
        """Seconds from the intended start to the end, think time included."""
        return max(0.0, self.ended - self.intended)

    @property
    def lateness(self) -> float:
        """Seconds between the intended and the actual start."""
        return max(0.0, self.began - self.intended if self.late is None else self.late)

    def sent(self, moment: float) -> None:
        """A request is about to leave; only the journey's first counts, against when it was due."""
        if self.late is None:
            self.late = moment - self.due

    def step_begins(self, name: str) -> None:
        """A step is entered."""
        self.current, self.broken = name, None

    def step_ends(self, name: str, first_send: float, moment: float, *, well: bool) -> None:
        """A step ended at `moment`; the next is due from there."""
        response = max(0.0, moment - self.due)
        self.waited += response
        if well:
            self.steps.append(StepEnd(name, response, max(0.0, moment - first_send)))
        else:
            self.broken = name
        self.due, self.current = moment, None

    def end(self, outcome: Outcome, moment: float, kind: str = "", detail: str = "") -> None:
        """The journey is over; with a kind, why and at which step."""
        self.outcome, self.ended = outcome, moment
        if kind:
            step = self.broken or (self.steps[-1].name if self.steps else self.arrival.journey)
            self.failure = (step, kind, detail[:_EXAMPLE])
