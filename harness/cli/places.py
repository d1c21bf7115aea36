"""What every command needs first: the workspace, its ledger, pilots by name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

if TYPE_CHECKING:
    from harness.store.ledger import Ledger
    from harness.workspace.loader import Workspace


def json_option(command: _F) -> _F:
    """`--json`: machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def root() -> Path:
    """The workspace: HARNESS_WORKSPACE, or the nearest folder upwards that is one."""
    from harness.workspace.loader import find_root

    return find_root(Path.cwd(), os.environ)


def workspace() -> Workspace:
    """The workspace with its faults kept, so that a fault elsewhere does not stop this command."""
    from harness.workspace.loader import Workspace

    return Workspace.read(root())


def ledger(home: Path) -> Ledger:
    """The ledger: HARNESS_DATABASE, or SQLite in the workspace's `.harness`."""
    from harness.store.ledger import Ledger

    default = home / ".harness" / "ledger.db"
    return Ledger.open(os.environ.get("HARNESS_DATABASE") or f"sqlite:///{default}")


def emit(data: Any) -> None:
    """JSON on standard output."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def shown(path: Path) -> str:
    """A path as a person would type it from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
