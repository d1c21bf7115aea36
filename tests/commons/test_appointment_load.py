"""The scenario under the real generator against both systems, and against systems with a bug."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commons_places import ROOT, SCENARIO
from ruamel.yaml import YAML

from harness.deploy.registry import deployer_for
from harness.deploy.types import DeployRequest
from harness.load.driver import Generator
from harness.load.plan import Plan
from harness.load.result import LoadResult
from harness.workspace.loader import Workspace
from harness.workspace.models import Scenario

ITS = Scenario.model_validate(YAML(typ="safe").load((SCENARIO / "scenario.yaml").read_text()))


def put_under_load(
    folder: Path, interface: str, host: str, configuration: Any, *, rate: float, measure: float
) -> LoadResult:
    plan = Plan(
        journeys_file=str(SCENARIO / "journeys.py"),
        interface=interface,
        host=host,
        seed=11,
        rate=rate,
        arrivals="poisson",
        warm_up=0.5,
        measure=measure,
        follow_up=10.0,
        journeys={name: journey.weight for name, journey in ITS.journeys.items()},
        ineligible=0.25,
        patience=ITS.patience,
        journey_deadline=ITS.journey_deadline,
        parameters=ITS.parameters,
        configuration=configuration,
    )
    with Generator(folder / "generator") as generator:
        return generator.run(plan)


def violated(result: LoadResult) -> list[str]:
    return [invariant.name for invariant in result.audit if invariant.violations]


@pytest.mark.parametrize("name", ["booking", "forms"])
def test_every_journey_ends_well_and_the_audit_is_clean(name: str, serve: Any, tmp_path: Path) -> None:
    with serve(name) as server:
        result = put_under_load(tmp_path, f"{name}/v1", server.host, server.configuration, rate=8, measure=3)
    assert (result.failed, result.abandoned, result.shed) == (0, 0, 0), result.failures
    assert result.completed + result.refused == result.sent >= 10
    assert result.incorrect == 0 and violated(result) == []
    assert all(invariant.examined for invariant in result.audit if "refused" not in invariant.name)
    assert result.refused > 0


FREED = "DROP TRIGGER no_overlap_on_insert; DROP TRIGGER no_overlap_on_update; DROP INDEX one_live_booking;"
BUGS = {
    ("booking", "loses appointments"): (
        "CREATE TRIGGER bug AFTER INSERT ON bookings WHEN NEW.reference NOT LIKE 'EARLIER%' BEGIN"
        " DELETE FROM bookings WHERE state = 'confirmed' AND reference NOT LIKE 'EARLIER%'; END",
        "every appointment made is kept once, at its time, in its name",
    ),
    ("booking", "gives a slot twice"): (
        FREED + "CREATE TRIGGER bug AFTER UPDATE ON bookings WHEN NEW.state = 'confirmed' BEGIN"
        " UPDATE bookings SET resource = NEW.resource, starts_at = NEW.starts_at, ends_at = NEW.ends_at"
        " WHERE reference = 'EARLIER002999'; END",
        "no slot is booked twice",
    ),
    ("booking", "keeps what is cancelled"): (
        FREED + "CREATE TRIGGER bug AFTER INSERT ON bookings BEGIN"
        " UPDATE bookings SET state = 'confirmed' WHERE state = 'cancelled'; END",
        "every appointment cancelled is gone and its slot free",
    ),
    ("forms", "loses appointments"): (
        "CREATE TRIGGER bug AFTER INSERT ON submissions WHEN NEW.reference NOT LIKE 'EARLIER%' BEGIN"
        " DELETE FROM submissions WHERE id < NEW.id - 4 AND reference NOT LIKE 'EARLIER%'; END",
        "every appointment made is kept once, at its time, in its name",
    ),
    ("forms", "gives a slot twice"): (
        "CREATE TRIGGER bug AFTER INSERT ON submissions WHEN NEW.reference NOT LIKE 'EARLIER%' BEGIN"
        " UPDATE submissions SET diary = NEW.diary WHERE reference = 'EARLIER002999'; END",
        "no slot is booked twice",
    ),
    ("forms", "keeps what is cancelled"): (
        "CREATE TRIGGER bug BEFORE UPDATE ON diary WHEN NEW.submission IS NULL"
        " BEGIN SELECT RAISE(IGNORE); END",
        "every appointment cancelled is gone and its slot free",
    ),
}


@pytest.mark.parametrize(
    ("name", "bug"),
    [key if "twice" in key[1] else pytest.param(*key, marks=pytest.mark.slow) for key in BUGS],
)
def test_a_system_with_a_bug_in_its_database_does_not_pass(
    name: str, bug: str, serve: Any, tmp_path: Path
) -> None:
    statements, invariant = BUGS[name, bug]
    with serve(name) as server:
        connection = sqlite3.connect(server.database)
        connection.executescript(statements)
        connection.close()
        result = put_under_load(
            tmp_path, f"{name}/v1", server.host, server.configuration, rate=12, measure=1.5
        )
    assert invariant in violated(result), result.audit
    if "twice" not in bug:  # there it is the last booking's slot, which need not be one of the window
        assert result.incorrect


@pytest.mark.parametrize("name", ["booking", "forms"])
def test_plain_locust_runs_it(name: str, serve: Any) -> None:
    with serve(name) as server:
        command = [
            "locust",
            "-f",
            str(SCENARIO / "journeys.py"),
            "--host",
            server.host,
            "--headless",
            "-u",
            "2",
            "-t",
            "4s",
        ]
        ended = subprocess.run(
            [sys.executable, "-m", *command, "--only-summary"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert "check and send" in ended.stderr + ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize("arm", [0, 1], ids=["before", "after"])
def test_the_pilot_as_it_is_written_deploys_and_carries_its_demand(arm: int, tmp_path: Path) -> None:
    pilot = Workspace.open(ROOT).pilot("northmoor/registrar-appointments")
    system = pilot.arms[arm].system
    deployer = deployer_for(system.run, cache=tmp_path / "environments", state=tmp_path / "processes")
    request = DeployRequest(
        system.label, system.run, system.folder, system.configuration, tmp_path / "scratch", tmp_path / "logs"
    )
    deployer.prepare(request)
    deployment = deployer.deploy(request)
    try:
        result = put_under_load(
            tmp_path,
            pilot.arms[arm].interface,
            deployment.address,
            system.configuration,
            rate=pilot.rate,
            measure=5,
        )
    finally:
        deployment.stop()
    assert (result.failed, result.abandoned, result.incorrect) == (0, 0, 0), result.failures
    assert pilot.rate >= 8.0 and not violated(result)
