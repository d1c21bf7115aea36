"""One run, inside the child: seed, warm-up, window, follow-up, audit, result.

The one idea: whatever the system does is a result; only a bug of the scenario, or a system that cannot be
seeded or audited, ends the run with an error, and an audit that fails still leaves everything measured.
"""

from __future__ import annotations

import json
import random
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import locust
from locust.env import Environment

from harness.load.citizen import Citizen
from harness.load.clock import Clock
from harness.load.dispatcher import Dispatcher, ScenarioBug
from harness.load.health import Watch, tame_collections
from harness.load.outcome import Audit, StepFailed
from harness.load.plan import Plan
from harness.load.progress import ErrorKind, Phase, Progress
from harness.load.recorder import Recorder
from harness.load.result import FailureCount
from harness.load.scenario import ScenarioError, explain, load_citizen
from harness.load.schedule import schedule
from harness.load.system import SystemUnderTest

_LEAD = 0.1  # seconds between announcing the window and the start of the warm-up: time to schedule the meters
_SETTLE = (
    0.5  # seconds for journeys outside the window to end by themselves, so that the audit sees few halves
)
_TICK = 0.25

Say = Callable[[dict[str, Any]], None]
"""Sends one message to the driver."""


class RunError(Exception):
    """The run cannot go on; `kind` and message are for the driver. `has_result`: everything measured was
    written.
    """

    def __init__(self, kind: ErrorKind, message: str, *, has_result: bool = False) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.has_result = has_result


class Run:
    """One plan carried out once; the result goes to `result_file`."""

    def __init__(self, plan: Plan, result_file: Path, say: Say) -> None:
        self._plan, self._result_file, self._say = plan, result_file, say
        self._phase: Phase = "seed"
        self._recorder: Recorder | None = None
        self._dispatcher: Dispatcher | None = None

    def carry_out(self) -> None:
        """Do everything.

        Raises:
            RunError: see `progress.ErrorKind`.
        """
        plan = self._plan
        try:
            kind = load_citizen(plan)
        except ScenarioError as error:
            raise RunError("scenario", str(error)) from error
        arrivals = schedule(plan)
        chance = random.Random(f"{plan.seed}/system")  # noqa: S311 - reproducible, no secret
        system = SystemUnderTest(plan.host, plan.parameters, plan.configuration, chance)
        ticker = gevent.spawn(self._tick)
        self._enter("seed")
        self._seed(kind, system)

        environment = Environment(user_classes=[kind], host=plan.host, events=locust.events)
        clock, watch = Clock(), Watch()
        tame_collections()
        start = time.monotonic() + _LEAD
        recorder = self._recorder = Recorder(plan, arrivals, start)
        dispatcher = self._dispatcher = Dispatcher(plan, arrivals, kind, environment, clock, recorder, start)
        try:
            self._load(dispatcher, recorder, watch)
        except ScenarioBug as bug:
            traceback.print_exception(bug.error)
            where = explain(bug.error, f"in journey {bug.journey}", plan.journeys_file)
            raise RunError("scenario", where) from bug.error

        self._enter("audit")
        audit, missing, trouble = self._audit(kind, system, recorder)
        lateness = recorder.inside.lateness
        health = watch.health(lateness.percentile(99) or 0.0, lateness.maximum or 0.0)
        self._write(recorder.result(health, audit, missing).to_json())
        ticker.kill()
        if trouble is not None:
            raise trouble

    def _load(self, dispatcher: Dispatcher, recorder: Recorder, watch: Watch) -> None:
        opens, closes = recorder.window
        self._enter("warm_up")
        dispatcher.begin()
        dispatcher.wait_until(opens)
        watch.open()
        self._enter("measure")
        dispatcher.wait_until(closes)
        watch.close()
        self._enter("follow_up")
        dispatcher.follow(closes + self._plan.follow_up)
        dispatcher.settle(time.monotonic() + _SETTLE)
        dispatcher.end()

    def _seed(self, kind: type[Citizen], system: SystemUnderTest) -> None:
        deadline = gevent.Timeout(self._plan.seed_deadline)
        deadline.start()
        try:
            kind.seed(system)
        except gevent.Timeout as timer:
            raise RunError("seed", self._slow("seed", self._plan.seed_deadline)) from timer
        except StepFailed as failure:
            if failure.unanswered:
                raise RunError(
                    "system_gone", f"the system did not answer while seeded: {failure}"
                ) from failure
            raise RunError("seed", explain(failure, "in seed", self._plan.journeys_file)) from failure
        except BaseException as error:
            traceback.print_exc()
            raise RunError("scenario", explain(error, "in seed", self._plan.journeys_file)) from error
        finally:
            deadline.close()
            system.close()

    def _audit(
        self, kind: type[Citizen], system: SystemUnderTest, recorder: Recorder
    ) -> tuple[Audit | None, tuple[FailureCount, ...], RunError | None]:
        """The audit, or why there is none: a system that no longer answers is a result, anything else an
        error.
        """
        deadline = gevent.Timeout(self._plan.audit_deadline)
        deadline.start()
        try:
            audit = kind.audit(system, recorder.journeys())
            if audit is not None and not isinstance(audit, Audit):
                raise TypeError(f"audit returns an Audit or None; found {type(audit).__name__}")
            return audit, (), None
        except gevent.Timeout:
            message = self._slow("audit", self._plan.audit_deadline)
        except StepFailed as failure:
            if failure.unanswered:
                return None, (FailureCount("audit", failure.kind, 1, failure.detail[:300]),), None
            message = explain(failure, "in audit", self._plan.journeys_file)
        except BaseException as error:  # noqa: BLE001 - whatever a scenario raises is told with its place
            traceback.print_exc()
            where = explain(error, "in audit", self._plan.journeys_file)
            return None, (), RunError("scenario", where, has_result=True)
        finally:
            deadline.close()
            system.close()
        return None, (), RunError("audit", message, has_result=True)

    def _slow(self, what: str, seconds: float) -> str:
        file = self._plan.journeys_file
        return f"{file}: {what} took longer than {seconds:g} s; do less there, or raise its deadline"

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._say({"event": "progress", "progress": self._progress().to_json()})

    def _tick(self) -> None:
        while True:
            gevent.sleep(_TICK)
            self._say({"event": "progress", "progress": self._progress().to_json()})

    def _progress(self) -> Progress:
        recorder, dispatcher = self._recorder, self._dispatcher
        if recorder is None or dispatcher is None:
            return Progress(self._phase, None, 0, 0, 0, 0, None, 0.0)
        tally = recorder.before if self._phase == "warm_up" else recorder.inside
        return Progress(
            phase=self._phase,
            window=recorder.window,
            sent=tally.sent,
            completed=tally.completed,
            failed=tally.failed,
            in_flight=dispatcher.in_flight,
            p95=tally.journey_time.percentile(95, slower=tally.failed),
            lateness_p99=tally.lateness.percentile(99) or 0.0,
        )

    def _write(self, data: dict[str, Any]) -> None:
        part = self._result_file.with_suffix(".part")
        part.write_text(json.dumps(data, separators=(",", ":")))
        part.replace(self._result_file)
