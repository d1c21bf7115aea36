"""The systems as importable packages, their configurations as Northmoor has them, and servers of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).parent))

from commons_places import FOLDERS, ROOT, SCENARIO

sys.path[:0] = [str(folder) for folder in (*FOLDERS.values(), SCENARIO)]


def _yaml(path: str) -> Any:
    return YAML(typ="safe").load((ROOT / path).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def northmoor() -> dict[str, dict[str, Any]]:
    """Northmoor's configuration of each system."""
    pilot = _yaml("pioneers/northmoor/pilots/registrar-appointments.yaml")
    body = _yaml("pioneers/northmoor/body.yaml")
    return {
        "booking": pilot["after"][0]["configuration"],
        "forms": body["systems"]["registrar-forms"]["configuration"],
    }


class Server:
    """One system as a process of its own."""

    def __init__(self, name: str, host: str, database: Path, configuration: dict[str, Any]) -> None:
        self.name, self.host, self.database, self.configuration = name, host, database, configuration


@pytest.fixture
def serve(tmp_path: Path, northmoor: dict[str, dict[str, Any]]) -> Callable[..., Any]:
    """Runs a system in Northmoor's configuration: `with serve("booking", workers=2) as server`."""

    @contextmanager
    def run(name: str, **changes: Any) -> Iterator[Server]:
        configuration = northmoor[name] | changes
        file, database = tmp_path / f"{name}.json", tmp_path / f"{name}.sqlite"
        file.write_text(json.dumps(configuration))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(FOLDERS[name]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-m", name]
        options = ["--configuration", str(file), "--database", str(database)]
        subprocess.run([*command, "initialise", *options], env=environment, check=True)
        with (tmp_path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "serve", *options, "--port", str(port)], env=environment, stdout=log, stderr=log
            )
        try:
            host = f"http://127.0.0.1:{port}"
            _wait(host + {"booking": "/health", "forms": "/start"}[name], process)
            yield Server(name, host, database, configuration)
        finally:
            process.terminate()
            process.wait(timeout=10)

    return run


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the system ended before it was ready"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.05)
    raise AssertionError("the system did not get ready")
