from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.load.driver import Generator, Progress
from harness.load.plan import Plan
from harness.load.result import LoadResult

_HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("counter_server", _HERE / "counter_server.py")
assert _spec is not None and _spec.loader is not None
_counter_server = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_counter_server)

JOURNEYS = _HERE / "visits" / "journeys.py"


@pytest.fixture
def counter() -> Iterator[Any]:
    server = _counter_server.Counter()
    yield server
    server.die()


@pytest.fixture
def plan(counter: Any) -> Callable[..., Plan]:
    """A short plan against the counter; anything can be said otherwise."""

    def make(**said: Any) -> Plan:
        usual: dict[str, Any] = {
            "journeys_file": str(JOURNEYS),
            "interface": "visit/v1",
            "host": counter.host,
            "seed": 11,
            "rate": 40.0,
            "arrivals": "poisson",
            "warm_up": 0.3,
            "measure": 1.0,
            "follow_up": 2.0,
            "journeys": {"look": 1.0},
            "patience": 1.0,
            "journey_deadline": 3.0,
            "seed_deadline": 5.0,
            "audit_deadline": 5.0,
        }
        return Plan(**{**usual, **said})

    return make


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., LoadResult]:
    """Carry a plan out in a child and check what must hold of every result."""

    def carry_out(plan: Plan, on_progress: Callable[[Progress], None] | None = None) -> LoadResult:
        with Generator(tmp_path / "run") as generator:
            result = generator.run(plan, on_progress)
        check(result)
        return result

    return carry_out


def check(result: LoadResult) -> None:
    assert result.completed + result.failed + result.abandoned + result.refused == result.sent + result.shed
    assert result.journey_time.count == result.completed + result.refused
    assert result.citizen_time.count == result.completed + result.refused
    assert result.lateness.count == result.sent
    assert sum(result.started_mix.values()) == result.sent
    assert sum(result.planned_mix.values()) == result.scheduled
    assert sum(failure.count for failure in result.failures if failure.step != "audit") == (
        result.failed + result.abandoned - result.shed
    )
    for times in result.steps.values():
        assert times.response.count == times.service.count > 0
    assert sum(second.sent for second in result.timeline) <= result.sent
    assert (result.window[1] - result.window[0]) > 0
