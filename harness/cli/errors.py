"""Every way a command can end, as a message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click


def run(app: click.Command) -> NoReturn:
    """Run the group and exit with the contract's code; a person's mistake never shows a traceback."""
    sys.exit(_code(app))


def _code(app: click.Command) -> int:
    try:
        result = app.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2 if isinstance(error, click.UsageError) else error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo(
            "\ninterrupted: what was committed is kept; `harness run … --resume` goes on with a trial",
            err=True,
        )
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0  # whoever read had read enough; a trial does not print before it is concluded
    except Exception as error:  # noqa: BLE001 - the last line of defence: told as a fault of the harness, raised with HARNESS_DEBUG
        return known(error)
    return result if isinstance(result, int) else 0


def known(error: Exception) -> int:
    """Tell an error as people can use it; its exit code. Raises it again with HARNESS_DEBUG set."""
    from harness.reporting.errors import ReportError
    from harness.store.errors import StoreError
    from harness.trial.errors import TrialError
    from harness.workspace.faults import WorkspaceError

    if isinstance(error, WorkspaceError):
        for fault in error.faults:
            click.echo(str(fault), err=True)
        count = len(error.faults)
        click.echo(
            click.style(f"{count} fault{'s' * (count != 1)}; nothing was deployed", fg="red"), err=True
        )
        return 2
    if isinstance(error, TrialError):
        complain(str(error), error.advice, error.log)
        return int(error.code)
    if isinstance(error, StoreError | ReportError):
        complain(str(error))
        return 1
    if isinstance(error, OSError):
        complain(str(error), "check the path, its permissions and the space on the disk")
        return 1
    if os.environ.get("HARNESS_DEBUG"):
        raise error
    complain(
        f"the harness failed: {type(error).__name__}: {error}",
        "this is a fault of the harness; HARNESS_DEBUG=1 shows where, please report it",
    )
    return 1


def complain(message: str, advice: str = "", log: str = "") -> None:
    """One error on standard error: what was found, the log's end, what to do."""
    click.echo(click.style("error: ", fg="red", bold=True) + message, err=True)
    for line in log.strip().splitlines()[-15:]:
        click.echo(f"  | {line}", err=True)
    if advice:
        click.echo(f"  → {advice}", err=True)
