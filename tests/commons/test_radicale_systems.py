"""Northmoor's room calendar for real: both versions of Radicale under the room-booking scenario.

Each is deployed as a trial would deploy it, in its own pinned environment (fetched once a test session).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from harness.deploy.registry import deployer_for
from harness.deploy.types import DeployRequest
from harness.load.driver import Generator, Progress
from harness.load.plan import Plan
from harness.load.result import LoadResult
from harness.workspace.models import Body, Pilot, Scenario

ROOT = Path(__file__).parents[2]
SCENARIO = ROOT / "scenarios" / "room-booking"
VERSIONS = ("3.1.9", "3.9.0")

sys.path.insert(0, str(SCENARIO))

import caldav_text as ct  # noqa: E402 - found by the line above


def written(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


BODY = Body.model_validate(written(ROOT / "pioneers/northmoor/body.yaml"))
ITS = Scenario.model_validate(written(SCENARIO / "scenario.yaml"))
PILOT = Pilot.model_validate(written(ROOT / "pioneers/northmoor/pilots/room-calendar.yaml"))
SYSTEMS = {version: BODY.systems[f"room-calendar-{version}"] for version in VERSIONS}
ACCOUNT = SYSTEMS["3.1.9"].configuration


@dataclass(frozen=True)
class Calendar:
    """One version, up. `store` is where it keeps the account's calendars."""

    host: str
    store: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.host, auth=(ACCOUNT["user"], ACCOUNT["password"]), timeout=10)


Calendars = Callable[[str], AbstractContextManager[Calendar]]


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("radicale-environments")


@pytest.fixture
def calendar(environments: Path, tmp_path: Path) -> Calendars:
    """`with calendar("3.1.9") as system`: deployed as a trial would deploy it."""

    @contextmanager
    def up(version: str) -> Iterator[Calendar]:
        system = SYSTEMS[version]
        assert system.folder is not None
        deployer = deployer_for(system.run, cache=environments, state=tmp_path / "processes")
        scratch = tmp_path / f"scratch-{version}"
        folder = ROOT / "pioneers" / system.folder
        request = DeployRequest(version, system.run, folder, system.configuration, scratch, tmp_path / "logs")
        deployer.prepare(request)
        deployment = deployer.deploy(request)
        try:
            store = scratch / "collections" / "collection-root" / ACCOUNT["user"]
            yield Calendar(deployment.address, store)
        finally:
            deployment.stop()
        assert not scratch.exists()

    return up


def put_under_load(
    folder: Path,
    host: str,
    *,
    rate: float,
    measure: float,
    journeys: Mapping[str, float] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    **parameters: Any,
) -> LoadResult:
    plan = Plan(
        journeys_file=str(SCENARIO / "journeys.py"),
        interface="caldav/v1",
        host=host,
        seed=7,
        rate=rate,
        arrivals="poisson",
        warm_up=0.5,
        measure=measure,
        follow_up=10.0,
        journeys=journeys or {name: journey.weight for name, journey in ITS.journeys.items()},
        patience=ITS.patience,
        journey_deadline=ITS.journey_deadline,
        parameters={**ITS.parameters, **parameters},
        configuration=ACCOUNT,
    )
    with Generator(folder / "generator") as generator:
        return generator.run(plan, on_progress)


def violated(result: LoadResult) -> set[str]:
    return {invariant.name for invariant in result.audit if invariant.violations}


# ── the two systems differ in their version only ────────────────────────────────────────────────────────────


def test_the_version_is_the_only_difference() -> None:
    before, after = (system.model_dump(exclude={"title", "stands_for"}) for system in SYSTEMS.values())
    versions = [system["run"]["process"].pop("environment")["requirements"] for system in (before, after)]
    assert before == after
    assert versions == ["requirements-3.1.9.txt", "requirements-3.9.0.txt"]


@pytest.mark.parametrize("version", VERSIONS)
def test_requirements_are_pinned_with_hashes_and_name_no_index(version: str) -> None:
    lock = (ROOT / f"pioneers/northmoor/systems/radicale/requirements-{version}.txt").read_text()
    packages = re.findall(
        r"^([a-z0-9-]+)==[^\s]+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", lock, re.M
    )
    names = [line for line in lock.splitlines() if line and line[0] not in "# "]
    assert len(packages) == len(names) >= 6
    assert f"radicale=={version} " in lock
    assert "://" not in lock and "index" not in lock


# ── every call's answer ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", VERSIONS)
def test_every_call_is_answered_as_caldav_says(version: str, calendar: Calendars) -> None:
    """An old release among newer dependencies can start healthy and answer every call wrongly: ask each."""
    nine, ten, eleven = (datetime(2027, 1, 4, hour, tzinfo=UTC) for hour in (9, 10, 11))
    create = {"If-None-Match": "*", "Content-Type": "text/calendar"}
    room = f"/{ACCOUNT['user']}/hall/"
    with calendar(version) as system, system.client() as client:

        def put(name: str, uid: str, hour: datetime, headers: Mapping[str, str] = create) -> httpx.Response:
            return client.put(
                room + name, content=ct.calendar_text([(uid, hour, "Choir, practice")]), headers=headers
            )

        def found(*between: datetime) -> set[str]:
            answer = client.request(
                "REPORT", room, content=ct.calendar_query(*between), headers={"Depth": "1"}
            )
            assert answer.status_code == 207
            return {event.uid for event in ct.read_events(answer.content)}

        assert client.request("MKCALENDAR", room, content=ct.new_calendar("Hall & stage")).status_code == 201
        assert client.request("MKCALENDAR", room).status_code in (405, 409)
        assert "Hall &amp; stage" in client.request("PROPFIND", room, headers={"Depth": "0"}).text
        first = put("a.ics", "a", nine)
        assert (first.status_code, bool(first.headers["ETag"])) == (201, True)
        assert put("a.ics", "other", ten).status_code == 412
        assert put("b.ics", "a", ten).status_code == 409
        assert put("b.ics", "b", ten).status_code == 201
        assert (found(nine, ten), found(ten, eleven), found()) == ({"a"}, {"b"}, {"a", "b"})
        assert client.get(room + "a.ics").headers["ETag"] == first.headers["ETag"]
        assert client.delete(room + "a.ics", headers={"If-Match": '"another"'}).status_code == 412
        gone = client.delete(room + "a.ics", headers={"If-Match": first.headers["ETag"]})
        assert gone.status_code in (200, 204)
        assert client.get(room + "a.ics").status_code == 404
        assert found() == {"b"}
        assert httpx.request("REPORT", system.host + room, content=ct.calendar_query()).status_code == 401


# ── the scenario on them ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", VERSIONS)
def test_every_journey_ends_well_and_the_audit_is_clean(
    version: str, calendar: Calendars, tmp_path: Path
) -> None:
    with calendar(version) as system:
        result = put_under_load(tmp_path, system.host, rate=8, measure=3)
    assert (result.failed, result.abandoned, result.shed) == (0, 0, 0), result.failures
    assert result.completed == result.sent >= 10
    assert set(result.started_mix) == set(ITS.journeys) and all(result.started_mix.values())
    assert result.incorrect == 0 and violated(result) == set(), result.audit
    assert all(invariant.examined for invariant in result.audit)


@pytest.mark.parametrize("version", VERSIONS)
def test_citizens_who_want_the_same_hour_do_not_both_get_it(
    version: str, calendar: Calendars, tmp_path: Path
) -> None:
    """One room, few free hours and one day to look at: whoever is second is refused and looks again."""
    tight = {"rooms": ["hall"], "days": 1, "looks_ahead": 1, "bookings_per_room": 6, "think": [0.2, 0.4]}
    with calendar(version) as system:
        result = put_under_load(
            tmp_path, system.host, rate=10, measure=1.5, journeys={"book_a_room": 1.0}, **tight
        )
    assert {failure.kind for failure in result.failures} <= {"no free hour"}, result.failures
    assert result.steps["book"].response.count > result.completed, "nobody was second: tighten the test"
    assert result.incorrect == 0 and violated(result) == set(), result.audit


def test_what_happens_behind_the_systems_back_is_seen(calendar: Calendars, tmp_path: Path) -> None:
    """A booking lost, one moved, one copied under another name, an earlier one lost: each breaks its rule."""
    done: list[str] = []
    with calendar("3.1.9") as system:

        def spoil(progress: Progress) -> None:
            if progress.phase not in ("measure", "follow_up") or done:
                return
            old = time.time() - 0.3
            stored = [path for path in (system.store / "hall").glob("*.ics") if path.stat().st_mtime < old]
            new = [path for path in stored if "journey-" in path.read_text()]
            if len(new) < 3:
                return
            lost, moved, copied = new[:3]
            lost.unlink()
            moved.write_text(re.sub(r"DTSTART:\d{8}", "DTSTART:20260102", moved.read_text()))
            shutil.copy(copied, copied.with_name("copy.ics"))
            next(path for path in stored if path not in new).unlink()
            done.extend(path.stem for path in new[:3])

        result = put_under_load(
            tmp_path, system.host, rate=10, measure=3, journeys={"book_a_room": 1.0}, on_progress=spoil
        )
    assert done, "the window closed before three bookings stood in the hall"
    assert violated(result) >= {
        "every booking stands once, at its hour",
        "every booking keeps the entity tag it was given",
        "no hour of a calendar is booked twice",
        "every earlier booking is left alone",
    }
    (kept,) = (rule for rule in result.audit if rule.name == "every booking stands once, at its hour")
    assert kept.violations == 3


class Forgetful(BaseHTTPRequestHandler):
    """Passes every request on, but forgets conditions and deletes nothing: a server with two bugs."""

    behind = ""

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = {k: v for k, v in self.headers.items() if k not in ("If-None-Match", "If-Match", "Host")}
        method = "GET" if self.command == "DELETE" else self.command
        answer = httpx.request(method, self.behind + self.path, content=body, headers=kept, timeout=10)
        self.send_response(answer.status_code)
        for name in ("ETag", "Content-Type", "Location"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = do_MKCALENDAR = _pass  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_a_system_that_forgets_conditions_and_cancellations_does_not_pass(
    calendar: Calendars, tmp_path: Path
) -> None:
    with calendar("3.1.9") as system:
        handler = type("Behind", (Forgetful,), {"behind": system.host})
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        proxy.daemon_threads = True
        serving = threading.Thread(target=proxy.serve_forever, daemon=True)
        serving.start()
        try:
            host = f"http://127.0.0.1:{proxy.server_port}"
            result = put_under_load(tmp_path, host, rate=5, measure=3)
        finally:
            proxy.shutdown()
            proxy.server_close()
            serving.join()
    assert violated(result) == {"every cancelled booking is gone", "an hour taken is refused (412)"}
    assert result.incorrect


@pytest.mark.parametrize("version", ["3.9.0", pytest.param("3.1.9", marks=pytest.mark.slow)])
def test_plain_locust_runs_it(version: str, calendar: Calendars) -> None:
    journeys = str(SCENARIO / "journeys.py")
    with calendar(version) as system:
        command = ["locust", "-f", journeys, "--host", system.host, "--headless", "-u", "2", "-t", "4s"]
        ended = subprocess.run(
            [sys.executable, "-m", *command, "--only-summary"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    assert "look for free time" in ended.stderr + ended.stdout


@pytest.mark.slow
def test_both_versions_bear_the_pilots_demand(calendar: Calendars, tmp_path: Path) -> None:
    rate = PILOT.demand.rate
    assert rate is not None
    assert rate * PILOT.protocol.measure * PILOT.protocol.rounds >= 380, (
        "too few journeys for a margin of 1 pp"
    )
    for version in VERSIONS:
        with calendar(version) as system:
            result = put_under_load(tmp_path / version, system.host, rate=rate, measure=8)
        p50, p95 = (result.journey_time.percentile(percent) for percent in (50, 95))
        assert p50 is not None and p95 is not None
        print(f"{version}: p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms of {result.sent} journeys")  # noqa: T201
        assert (result.failed, result.abandoned, result.incorrect) == (0, 0, 0), result.failures
        assert violated(result) == set()
