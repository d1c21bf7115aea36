"""docs/first-pilot.md, followed as a stranger would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "first-pilot.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", re.DOTALL)


def harness(root: Path, *words: str, timeout: float = 100) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "harness", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture
def our_group(tmp_path: Path) -> Path:
    made = harness(tmp_path, "init", "our-group")
    assert made.returncode == 0, made.stderr
    root = tmp_path / "our-group"
    files = FILE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(files) == 2
    for name, text in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_the_pages_files_have_no_faults_and_the_dry_run_says_what_it_would_do(our_group: Path) -> None:
    checked = harness(our_group, "check")
    assert checked.returncode == 0, checked.stderr
    assert "3 pilots: no faults" in checked.stdout
    dry = harness(our_group, "run", "notice-appointments", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "8 journeys/s" in dry.stdout
    registered = harness(our_group, "register", "notice-appointments")
    assert registered.returncode == 0, registered.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_quick_look_ends_in_a_report(our_group: Path) -> None:
    words = ("run", "notice-appointments", "--rounds", "2", "--measure", "5s", "--allow-busy")
    done = harness(our_group, *words, timeout=280)
    assert done.returncode in (0, 3, 4), done.stderr
    page = our_group / done.stdout.strip().splitlines()[-1].removeprefix("report: ")
    text = page.read_text(encoding="utf-8")
    assert "Eastvale District Council" in text
    assert "exploratory" in text
    assert "illustrative" in text
