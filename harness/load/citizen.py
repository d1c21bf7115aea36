"""`Citizen`: what a scenario's author writes journeys with.

The one idea: a citizen is a Locust FastHttpUser whose journeys are told when to start. Under the harness a
generator calls `undertake` at each arrival of its schedule; under plain `locust -f journeys.py` the same
journeys are ordinary Locust tasks, chosen by their weight.
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, ClassVar, TypeVar, overload

import gevent
from locust import FastHttpUser, events

from harness.load.outcome import Attempt, Audit, JourneyRecord, Outcome, Refused, StepFailed
from harness.load.schedule import Arrival
from harness.load.session import Response, Session
from harness.load.system import Requests, SystemUnderTest

_Journey = TypeVar("_Journey", bound=Callable[..., None])
_numbers = itertools.count()


@overload
def journey(method: _Journey) -> _Journey: ...
@overload
def journey(*, weight: int = 1) -> Callable[[_Journey], _Journey]: ...
def journey(method: _Journey | None = None, *, weight: int = 1) -> _Journey | Callable[[_Journey], _Journey]:
    """Mark a Citizen's method as a journey of that name. `weight` is its share of a plain Locust run (a plan
    has its own).

    Raises:
        ValueError: a weight below 1 or not whole.
    """
    if not isinstance(weight, int) or weight < 1:
        raise ValueError(f"@journey(weight=…): a whole number from 1; found {weight!r}")

    def mark(function: _Journey) -> _Journey:
        function.journey_weight = weight  # type: ignore[attr-defined]  # a mark on the function
        return function

    return mark if method is None else mark(method)


class _Step:
    """One page or request of a journey while it lasts (see `Citizen.step`)."""

    __slots__ = ("_attempt", "_name", "_patience", "first_send", "timer")

    def __init__(self, attempt: Attempt, name: str, patience: float) -> None:
        self._attempt, self._name, self._patience = attempt, name, patience
        self.first_send: float | None = None

    def __enter__(self) -> None:
        attempt = self._attempt
        if attempt.current is not None:
            raise RuntimeError(
                f"step {self._name!r} inside step {attempt.current!r}: end one before the next"
            )
        attempt.step_begins(self._name)
        waited = time.monotonic() - attempt.due
        self.timer = gevent.Timeout(max(self._patience - waited, 0.001))
        self.timer.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.timer.close()
        now = time.monotonic()
        sent = now if self.first_send is None else self.first_send
        self._attempt.step_ends(self._name, sent, now, well=kind is None or kind is Refused)


class Citizen(Requests, FastHttpUser):  # type: ignore[misc]  # Locust comes without types
    """A citizen with a goal. Subclass it once an interface and decorate its journeys with `@journey`.

    In a journey: `random` (seeded for this citizen), `eligible` (whether the system should accept them),
    `citizen` (their number, unique in the run), `parameters` (the scenario's) and `configuration` (the
    system's).
    """

    abstract = True
    interface: ClassVar[str] = ""
    """What the system speaks: `booking/v1`."""

    recognise_path: ClassVar[str] = "/"
    """A path that answers GET with 200 only on systems of this interface."""

    journeys: ClassVar[Mapping[str, int]] = {}
    """Every journey's weight by name; filled in by `@journey`."""

    parameters: Mapping[str, Any] = {}
    configuration: Mapping[str, Any] = {}
    patience: float = 10.0
    journey_deadline: float = 60.0
    ineligible: float = 0.0

    random: random.Random
    eligible: bool
    citizen: int

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        found: dict[str, int] = {}
        for base in reversed(cls.__mro__):
            for name, member in vars(base).items():
                weight = getattr(member, "journey_weight", None)
                if weight is not None:
                    found[name] = weight
        cls.journeys = found
        cls.tasks = [_task(name) for name, weight in found.items() for _ in range(weight)]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client = Session(self.host, environment.events.request, self, self.journey_deadline + 1)
        self.__attempt: Attempt | None = None
        self.__step: _Step | None = None
        self.sleep_until: Callable[[float], None] = _sleep_until

    # ── what a scenario says before and after ───────────────────────────────────────────────────────────────

    @classmethod
    def seed(cls, system: SystemUnderTest) -> None:
        """Fill the system before the warm-up. Override where the journeys need something to be there."""

    @classmethod
    def audit(
        cls,
        system: SystemUnderTest,  # noqa: ARG003 - for scenarios that audit
        journeys: Sequence[JourneyRecord],  # noqa: ARG003 - likewise
    ) -> Audit | None:
        """Examine the system after the window against what the journeys noted. None: this scenario has no
        audit.
        """
        return None

    # ── what a journey is written with ──────────────────────────────────────────────────────────────────────

    def step(self, name: str, patience: float | None = None) -> _Step:
        """`with self.step("choose a slot"):` one page or request of the journey, of one or more HTTP
        requests.

        Timed from its intended start. `patience` in seconds replaces the plan's: a step that outlasts it ends
        the journey as abandoned.
        """
        self.__step = _Step(self.__under_way, name, self.patience if patience is None else patience)
        return self.__step

    def think(self, low: float, high: float | None = None) -> None:
        """Let the citizen think for `low` to `high` seconds (seeded, uniform) between steps; not counted as
        waiting.
        """
        attempt = self.__under_way
        if attempt.current is not None:
            raise RuntimeError(f"think inside step {attempt.current!r}: think between steps")
        seconds = low if high is None else self.random.uniform(low, high)
        attempt.due += seconds
        self.sleep_until(attempt.due)

    def note(self, **facts: Any) -> None:
        """Keep facts for the audit (`reference="…"`)."""
        self.__under_way.facts.update(facts)

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Send one request of the current step; see `Requests` for the options.

        Whatever the status, the answer is returned; no usable answer ends the step as a counted failure.
        """
        attempt, now = self.__under_way, time.monotonic()
        attempt.sent(now)
        step = self.__step
        if step is not None and step.first_send is None:
            step.first_send = now
        return self.client.send(method, path, name=attempt.current or attempt.arrival.journey, **options)

    # ── how a journey is run ────────────────────────────────────────────────────────────────────────────────

    def undertake(self, arrival: Arrival, intended: float) -> Attempt:
        """Try the arrival's journey, whose intended start is the CLOCK_MONOTONIC moment `intended`, to its
        end.

        The attempt says how it ended. Anything raised that is none of ours (a bug of the scenario) passes
        through.
        """
        attempt = self.__attempt = Attempt(arrival, intended, began=time.monotonic())
        self.__step = None
        self.random = random.Random(arrival.seed)  # noqa: S311 - a reproducible citizen, no secret
        self.eligible, self.citizen = arrival.eligible, arrival.citizen
        deadline = gevent.Timeout(max(intended + self.journey_deadline - attempt.began, 0.001))
        deadline.start()
        try:
            getattr(self, arrival.journey)()
        except Refused as refusal:
            self.__refused(attempt, str(refusal))
        except StepFailed as failure:
            attempt.end(Outcome.FAILED, time.monotonic(), failure.kind, failure.detail)
        except gevent.Timeout as timer:
            self.__ran_out(attempt, timer, deadline)
        else:
            attempt.end(Outcome.COMPLETED, time.monotonic())
        finally:
            deadline.close()
            if attempt.outcome is Outcome.COMPLETED or attempt.outcome is Outcome.REFUSED:
                self.client.forget()
            else:
                self.client.renew()
        return attempt

    @property
    def attempt(self) -> Attempt | None:
        """The journey under way, or the last one."""
        return self.__attempt

    @property
    def __under_way(self) -> Attempt:
        if self.__attempt is None:
            raise RuntimeError("step, think, note and requests belong inside a journey")
        return self.__attempt

    def __refused(self, attempt: Attempt, reason: str) -> None:
        if self.eligible:
            attempt.end(Outcome.FAILED, time.monotonic(), "refused although eligible", reason)
        else:
            attempt.end(Outcome.REFUSED, time.monotonic())

    def __ran_out(self, attempt: Attempt, timer: gevent.Timeout, deadline: gevent.Timeout) -> None:
        now = time.monotonic()
        if timer is deadline:
            attempt.end(
                Outcome.ABANDONED, now, "journey deadline", f"longer than {self.journey_deadline:g} s"
            )
        elif self.__step is not None and timer is self.__step.timer:
            attempt.end(Outcome.ABANDONED, now, "patience", f"longer than {timer.seconds:.3g} s")
        else:
            raise timer


def _sleep_until(moment: float) -> None:
    gevent.sleep(max(0.0, moment - time.monotonic()))


def _task(name: str) -> Callable[[Citizen], None]:
    """The journey as Locust's own loop runs it: this citizen arrives now."""

    def task(user: Citizen) -> None:
        number = next(_numbers)
        chance = random.Random(number)  # noqa: S311 - a reproducible citizen, no secret
        now = time.monotonic()
        attempt = user.undertake(
            Arrival(0.0, name, number, chance.getrandbits(63), chance.random() >= user.ineligible), now
        )
        failed = attempt.outcome in (Outcome.FAILED, Outcome.ABANDONED)
        step, kind, detail = attempt.failure or ("", "", "")
        user.environment.events.request.fire(
            request_type="JOURNEY",
            name=name,
            response_time=attempt.journey_time * 1000,
            response_length=0,
            context={},
            exception=StepFailed(f"{step}: {kind}", detail) if failed else None,
        )

    task.__name__ = task.__qualname__ = name
    return task


@events.init.add_listener  # type: ignore[untyped-decorator]
def _under_plain_locust(environment: Any, **_: Any) -> None:
    """Only `locust -f` fires this; the generator makes its own arrangements."""
    from harness.load import plain

    plain.prepare(environment)
