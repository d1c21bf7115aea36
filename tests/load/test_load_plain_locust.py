"""A scenario is a plain Locust file."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

VISITS = Path(__file__).parent / "visits"


def locust(
    tmp_path: Path, *words: str, journeys: Path = VISITS / "journeys.py"
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", str(journeys), "--headless", "-u", "3", "-r", "3"]
    return subprocess.run(
        [*command, "-t", "2s", "--csv", str(tmp_path / "stats"), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )


def test_journeys_run_by_weight_and_only_the_recognised_citizen_comes(tmp_path: Path, counter: Any) -> None:
    journeys = tmp_path / "journeys.py"
    text = (VISITS / "journeys.py").read_text()
    for left_out in ("apply", "login", "tour", "endless", "spin", "burn", "raises", "leaves"):
        text = text.replace(f"    @journey\n    def {left_out}(", f"    def {left_out}(")
    journeys.write_text(text)
    (tmp_path / "scenario.yaml").write_text((VISITS / "scenario.yaml").read_text())
    done = locust(tmp_path, "--host", counter.host, journeys=journeys)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "stats_stats.csv").open() as file:
        rows = {(row["Type"], row["Name"]): row for row in csv.DictReader(file)}
    looks, decides = (int(rows["JOURNEY", name]["Request Count"]) for name in ("look", "decide"))
    assert looks > decides > 0
    assert (
        int(rows["GET", "look"]["Request Count"]) >= looks + decides
    )  # Locust's request event, named by step
    assert int(rows["POST", "decide"]["Request Count"]) >= decides
    assert {name for _, name in rows} <= {"look", "decide", "Aggregated"}
    assert counter.hits["/nowhere"] == 1  # asked who it is, and left alone
    assert sum(int(row["Failure Count"]) for row in rows.values()) == 0


def test_a_failed_journey_is_a_failure_in_locusts_statistics(tmp_path: Path, counter: Any) -> None:
    journeys = tmp_path / "journeys.py"
    journeys.write_text(
        "from harness.load import Citizen, journey\n"
        "class Visitor(Citizen):\n"
        "    interface = 'visit/v1'\n"
        "    recognise_path = '/ok'\n"
        "    @journey\n"
        "    def look(self):\n"
        "        with self.step('look'):\n"
        "            self.expect(self.get('/error'), 200)\n"
    )
    done = locust(tmp_path, "--host", counter.host, journeys=journeys)
    assert done.returncode == 1  # Locust's own: some requests failed
    assert "look: status 500" in done.stdout + done.stderr


def test_a_host_that_speaks_none_of_the_interfaces_is_told(tmp_path: Path, counter: Any) -> None:
    counter.die()
    done = locust(tmp_path, "--host", counter.host)
    assert done.returncode == 2
    assert "no interface of this scenario is spoken at" in done.stderr
    assert "Visitor (visit/v1): GET /ok" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_host_is_told(tmp_path: Path) -> None:
    done = locust(tmp_path)
    assert done.returncode == 2
    assert "add --host" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_seed_that_fails_is_told(tmp_path: Path, counter: Any) -> None:
    journeys = tmp_path / "journeys.py"
    journeys.write_text((VISITS / "journeys.py").read_text())
    scenario = (VISITS / "scenario.yaml").read_text()
    (tmp_path / "scenario.yaml").write_text(scenario.replace("path: /ok", "seed_path: /error"))
    done = locust(tmp_path, "--host", counter.host, journeys=journeys)
    assert done.returncode == 2
    assert "in seed" in done.stderr and "status 500" in done.stderr
    (tmp_path / "scenario.yaml").write_text(scenario.replace("patience: 2s", "patience: 2"))
    done = locust(tmp_path, "--host", counter.host, journeys=journeys)
    assert done.returncode == 2
    assert "run `harness check`" in done.stderr
