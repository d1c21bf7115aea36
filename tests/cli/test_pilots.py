"""Every example pilot, run for real from a new workspace; the radicale difference that is there is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def harness(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=580, check=False)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pilots") / "group"
    made = harness(root.parent, "init", "group")
    assert made.returncode == 0, made.stderr
    return root


def judged(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, object]]:
    (row,) = json.loads(done.stdout)
    (arm,) = row["judgement"]["arms"]
    return {j["metric"]: j for j in (arm["primary"], *arm["guardrails"], *arm["secondary"])}


def test_booking_is_measured_against_the_forms(workspace: Path) -> None:
    words = ("run", "registrar-appointments", "--rounds", "3", "--measure", "5s", "--allow-busy", "--json")
    found = judged(harness(workspace, *words))
    assert found["journey_time_p50"]["effect"] < 0.8
    assert found["completion_rate"]["before"] == found["completion_rate"]["after"] == 1.0
    assert found["correctness"]["after"] == 1.0


def test_the_newer_radicale_is_found_to_cost_more_and_page_one_says_so(workspace: Path) -> None:
    words = ("run", "room-calendar", "--rounds", "6", "--measure", "8s", "--allow-busy", "--json")
    done = harness(workspace, *words)
    found = judged(done)
    assert found["completion_rate"]["after"] == 1.0
    assert found["cpu_per_journey"]["effect"] > 1.0
    assert found["journey_time_p50"]["effect"] > 1.0
    (row,) = json.loads(done.stdout)
    page = Path(row["report"]).read_text(encoding="utf-8")
    one, _ = page.split("For engineers", 1)
    assert "room-calendar-3.9.0" in one
    assert "higher" in one
