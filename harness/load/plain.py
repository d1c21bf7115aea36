"""A scenario under plain Locust: `locust -f scenarios/<name>/journeys.py --host URL`.

The one idea: an engineer can point Locust's own tools at any system with the same journeys. The system is
asked which interface it speaks, only that Citizen stays, the parameters come from the `scenario.yaml` beside
the journeys, and the system is seeded once. There is no plan, no audit, and no system configuration
(`configuration` is empty) here.
"""

from __future__ import annotations

import inspect
import random
import sys
from pathlib import Path
from typing import Any, NoReturn

from locust.event import EventHook
from locust.runners import WorkerRunner

from harness.load.citizen import Citizen
from harness.load.outcome import StepFailed
from harness.load.scenario import explain
from harness.load.session import Session
from harness.load.system import SystemUnderTest

_WITHIN = 10.0  # seconds for the system to answer who it is


def prepare(environment: Any) -> None:
    """Keep in `environment.user_classes` only the Citizens whose `recognise_path` the host answers with 200.

    Other Locust users stay. Ends the process with a message when no Citizen fits, or when the system cannot
    be seeded.
    """
    citizens = [kind for kind in environment.user_classes if issubclass(kind, Citizen)]
    if not citizens:
        return
    fitting = [k for k in citizens if k.interface and _recognised(k, environment.host or k.host)]
    if not fitting:
        tried = "\n".join(f"  {k.__name__} ({k.interface}): GET {k.recognise_path}" for k in citizens)
        _end(
            f"no interface of this scenario is spoken at {environment.host}: "
            f"none of these answered 200:\n{tried}\nStart the system first, or check --host."
        )
    environment.user_classes[:] = [k for k in environment.user_classes if k in fitting or k not in citizens]
    for kind in fitting:
        _configure(kind)
        if not isinstance(environment.runner, WorkerRunner):
            _seed(kind, environment.host or kind.host)


def _recognised(kind: type[Citizen], host: str | None) -> bool:
    if host is None:
        _end("the system's address is missing: add --host http://127.0.0.1:8000")
    session = Session(host, EventHook(), None, _WITHIN)
    try:
        return bool(session.send("GET", kind.recognise_path).status_code == 200)
    except StepFailed:
        return False
    finally:
        session.renew()


def _configure(kind: type[Citizen]) -> None:
    """What the scenario's own file says, where there is one."""
    file = Path(inspect.getfile(kind)).with_name("scenario.yaml")
    if not file.exists():
        return
    from pydantic import ValidationError
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    from harness.workspace.models import Scenario

    try:
        scenario = Scenario.model_validate(YAML(typ="safe").load(file))
    except (ValidationError, YAMLError) as error:
        _end(f"{file} is not a scenario; run `harness check`:\n{error}")
    kind.parameters = scenario.parameters
    kind.ineligible = scenario.ineligible
    kind.patience, kind.journey_deadline = scenario.patience, scenario.journey_deadline


def _seed(kind: type[Citizen], host: str) -> None:
    chance = random.Random(0)  # noqa: S311 - reproducible, no secret
    system = SystemUnderTest(host, kind.parameters, kind.configuration, chance)
    try:
        kind.seed(system)
    except Exception as error:  # noqa: BLE001 - whatever a scenario raises is told with its place
        _end(explain(error, "in seed", inspect.getfile(kind)))
    finally:
        system.close()


def _end(message: str) -> NoReturn:
    print(message, file=sys.stderr)  # noqa: T201 - Locust's own log may be off
    sys.exit(2)
