"""The face: parse, call, print. No logic.

The one idea: a command's module, and all that it needs, is imported only when that command runs, so `harness --help` is instant;
every error a person can cause becomes one clear message and the exit code of the contract, never a traceback.
"""

from __future__ import annotations


def main() -> None:
    """The `harness` command."""
    from harness.cli.app import app
    from harness.cli.errors import run

    run(app)
