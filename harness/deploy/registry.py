"""Which deployer brings up which kind of `run:`; one line each."""

from __future__ import annotations

from pathlib import Path

from harness.deploy.process import ProcessDeployer
from harness.deploy.types import Deployer
from harness.workspace.models import Run


def deployer_for(run: Run, *, cache: Path, state: Path) -> Deployer:
    """The deployer of this run.

    Args:
        run: A system's `run:`.
        cache: Where built environments are kept (`.harness/environments`).
        state: Where running processes are recorded for the reaper (`.harness/processes`).
    """
    makers = {
        "process": lambda: ProcessDeployer(cache=cache, state=state),
    }
    (kind,) = (name for name in type(run).model_fields if getattr(run, name) is not None)
    return makers[kind]()
