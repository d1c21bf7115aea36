"""Options of the test suite: `--full` adds the slow tests, `--strict-outcomes` makes a skip or an expected failure a failure."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_OUTCOMES = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the slow tests too")
    parser.addoption(
        "--strict-outcomes", action="store_true", help="a skip or an expected failure is a failure"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_OUTCOMES] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    slow = [item for item in items if item.get_closest_marker("slow")]
    items[:] = [item for item in items if not item.get_closest_marker("slow")]
    config.hook.pytest_deselected(items=slow)


def pytest_deselected(items: list[pytest.Item]) -> None:
    if items:
        outcomes = items[0].config.stash[_OUTCOMES]
        outcomes["deselected"] = outcomes.get("deselected", 0) + len(items)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = (yield).get_result()
    if report.skipped or hasattr(report, "wasxfail"):
        outcomes = item.config.stash[_OUTCOMES]
        outcomes["skipped or expected to fail"] = outcomes.get("skipped or expected to fail", 0) + 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if not config.getoption("--strict-outcomes"):
        return
    found = dict(config.stash[_OUTCOMES])
    if not config.getoption("--full"):
        found.pop("deselected", None)
    if found and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        config.get_terminal_writer().line(
            f"\n--strict-outcomes: {found}: each of these is a failure here", red=True
        )


_REPOSITORY = Path(__file__).parent.parent
_TINY = _REPOSITORY / "tests" / "data" / "tiny"


class Tiny:
    """A small workspace of its own with a front desk that does real work; its files can be changed text by text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(_TINY, root, dirs_exist_ok=True)
        shutil.copytree(_REPOSITORY / "reports" / "templates", root / "reports" / "templates")
        shutil.copytree(_REPOSITORY / "reports" / "theme", root / "reports" / "theme")

    @property
    def pilot(self) -> Path:
        return self.root / "pioneers/town/pilots/desk.yaml"

    @property
    def body(self) -> Path:
        return self.root / "pioneers/town/body.yaml"

    @property
    def journeys(self) -> Path:
        return self.root / "scenarios/desk/journeys.py"

    def change(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new))

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "harness", *words]

    def harness(self, *words: str, timeout: float = 110) -> subprocess.CompletedProcess[str]:
        """Run the command in this workspace."""
        return subprocess.run(
            self.command(*words), cwd=self.root, capture_output=True, text=True, timeout=timeout, check=False
        )


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path / "tiny")
