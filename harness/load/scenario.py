"""Reading a scenario's `journeys.py` in the child, and saying where it went wrong.

The one idea: what a scenario's author got wrong is told as `file:line`, the exception's type and its message,
never as a traceback of the harness.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.load.citizen import Citizen
from harness.load.plan import Plan

_MODULE = "journeys_of_scenario"


class ScenarioError(Exception):
    """A scenario that cannot be run; the message is for its author."""


def load_citizen(plan: Plan) -> type[Citizen]:
    """The scenario's Citizen for the plan's interface, given the plan's host, parameters, configuration and
    limits.

    Raises: ScenarioError: the file cannot be imported, has no such Citizen or more than one, or lacks a
    journey of the plan.
    """
    module = _imported(Path(plan.journeys_file))
    citizens = [member for member in vars(module).values() if _is_citizen(member)]
    suitable = {citizen for citizen in citizens if citizen.interface == plan.interface}
    if len(suitable) != 1:
        found = ", ".join(f"{c.__name__} ({c.interface or 'no interface'})" for c in citizens) or "none"
        count = "no" if not suitable else "more than one"
        raise ScenarioError(
            f"{plan.journeys_file}: {count} Citizen for the interface {plan.interface!r}; "
            f"found {found}. Write one class with interface = {plan.interface!r}."
        )
    citizen: type[Citizen] = suitable.pop()
    missing = sorted(set(plan.journeys) - set(citizen.journeys))
    if missing:
        raise ScenarioError(
            f"{plan.journeys_file}: {citizen.__name__} has no journey {', '.join(missing)}; "
            f"found {', '.join(sorted(citizen.journeys)) or 'none'}. "
            "Mark the method of that name with @journey."
        )
    citizen.host = plan.host
    citizen.parameters, citizen.configuration = plan.parameters, plan.configuration
    citizen.patience, citizen.journey_deadline = plan.patience, plan.journey_deadline
    citizen.ineligible = plan.ineligible
    return citizen


def explain(error: BaseException, doing: str, file: str) -> str:
    """`journeys.py:31: in journey book: KeyError: 'slot'`: the last place in the scenario's own folder."""
    folder = Path(file).resolve().parent
    kind, text = type(error).__name__, str(error)[:500]
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}: {doing}: {kind}: {error.msg}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).resolve().is_relative_to(folder):
            return f"{frame.filename}:{frame.lineno}: {doing}: {kind}: {text}"
    return f"{file}: {doing}: {kind}: {text}"


def _is_citizen(member: Any) -> bool:
    return inspect.isclass(member) and issubclass(member, Citizen) and not member.abstract


def _imported(file: Path) -> ModuleType:
    sys.path.insert(
        0, str(file.parent)
    )  # a scenario may have modules beside its journeys, as under `locust -f`
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None or spec.loader is None:
        raise ScenarioError(f"{file}: a Python file was expected here")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        traceback.print_exc()
        raise ScenarioError(explain(error, "while it was imported", str(file))) from error
    return module
