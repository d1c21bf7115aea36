"""A fresh ledger, sample records, and child processes that work on the same file."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.store.ledger import Ledger

CHILD = Path(__file__).with_name("ledger_child.py")


@pytest.fixture(scope="session")
def samples() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(CHILD)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "programme" / ".harness" / "ledger.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as opened:
        yield opened


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `ledger_child.py`; whatever is left of it is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
