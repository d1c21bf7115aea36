"""The open workload: each arrival sets out at its own time, however the ones before it fare.

The one idea: one greenlet walks the schedule and never waits for a journey; each arrival gets a greenlet of
its own and an idle citizen's session. Only the concurrency cap can turn an arrival away, and that is counted,
never hidden.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gevent
from gevent.event import Event

from harness.load.citizen import Citizen
from harness.load.clock import Clock
from harness.load.outcome import Attempt, Outcome
from harness.load.plan import Plan
from harness.load.recorder import Recorder
from harness.load.schedule import Arrival

_KILL_WITHIN = (
    1.0  # seconds for greenlets to die; a journey that catches everything is left to the process's own end
)


class ScenarioBug(Exception):  # noqa: N818 - says whose it is
    """A journey raised what is none of ours. `error` is it, `journey` where."""

    def __init__(self, journey: str, error: BaseException) -> None:
        super().__init__(journey)
        self.journey, self.error = journey, error


class Dispatcher:
    """Sends the citizens of one schedule to one system, from the moment `start` on."""

    def __init__(
        self,
        plan: Plan,
        arrivals: Sequence[Arrival],
        kind: type[Citizen],
        environment: Any,
        clock: Clock,
        recorder: Recorder,
        start: float,
    ) -> None:
        self._plan, self._arrivals, self._kind, self._environment = plan, arrivals, kind, environment
        self._clock, self._recorder, self._start = clock, recorder, start
        self._idle: list[Citizen] = []
        self._under_way: dict[Any, tuple[Citizen, Arrival, float]] = {}
        self._changed = Event()
        self._bug: ScenarioBug | None = None
        self._ended = False
        self._walker: Any = None

    @property
    def in_flight(self) -> int:
        """Journeys under way."""
        return len(self._under_way)

    def begin(self) -> None:
        """Start walking the schedule."""
        self._walker = gevent.spawn(self._walk)

    def wait_until(self, moment: float) -> None:
        """Return at `moment`.

        Raises:
            ScenarioBug: a journey raised meanwhile.
        """
        self._wait(moment, lambda: False)

    def follow(self, until: float) -> None:
        """Return when every journey of the window has ended, at the latest at `until`. Raises ScenarioBug."""
        self._wait(until, lambda: self._recorder.window_under_way == 0)

    def settle(self, until: float) -> None:
        """Let nobody else set out and those under way end by themselves, at the latest at `until`. Raises
        ScenarioBug.
        """
        self._walker.kill()
        self._wait(until, lambda: not self._under_way)

    def end(self) -> None:
        """End what is still under way: those journeys count as abandoned, unfinished."""
        self._walker.kill()
        now = time.monotonic()
        self._ended = True
        left = list(self._under_way.items())
        gevent.killall([greenlet for greenlet, _ in left], timeout=_KILL_WITHIN)
        for _, (citizen, arrival, intended) in left:
            attempt = citizen.attempt
            if attempt is None or attempt.arrival is not arrival:  # it had not come to its turn yet
                attempt = Attempt(arrival, intended, began=now)
            if attempt.outcome is None:
                attempt.end(Outcome.ABANDONED, now, "unfinished", "when the follow-up ended")
                self._recorder.ended(attempt)

    def _wait(self, until: float, enough: Any) -> None:
        while not enough():
            if self._bug is not None:
                raise self._bug
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.clear()
            self._changed.wait(left)
        if self._bug is not None:
            raise self._bug

    def _walk(self) -> None:
        for arrival in self._arrivals:
            intended = self._start + arrival.at
            self._clock.sleep_until(intended)
            if len(self._under_way) >= self._plan.concurrency:
                self._recorder.shed(arrival)
                continue
            try:
                citizen = self._idle.pop() if self._idle else self._new_citizen()
            except Exception as error:  # noqa: BLE001 - whatever a scenario raises ends the run with its place named
                self._bug = ScenarioBug(arrival.journey, error)
                self._changed.set()
                return
            self._recorder.sent(arrival, time.monotonic())
            greenlet = gevent.spawn(self._undertake, citizen, arrival, intended)
            self._under_way[greenlet] = (citizen, arrival, intended)

    def _new_citizen(self) -> Citizen:
        citizen = self._kind(self._environment)
        citizen.sleep_until = self._clock.sleep_until
        return citizen

    def _undertake(self, citizen: Citizen, arrival: Arrival, intended: float) -> None:
        try:
            attempt = citizen.undertake(arrival, intended)
        except gevent.GreenletExit:
            return
        except BaseException as error:  # noqa: BLE001 - whatever a scenario raises ends the run with its place named
            self._bug = self._bug or ScenarioBug(arrival.journey, error)
            self._changed.set()
            return
        finally:
            del self._under_way[gevent.getcurrent()]
        if self._ended:
            return  # it outlived its end, where it was counted as unfinished
        self._idle.append(citizen)
        self._recorder.ended(attempt)
        self._changed.set()
