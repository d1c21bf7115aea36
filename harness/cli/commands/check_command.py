"""`harness check [PATH]`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.places import emit, json_option, root


@click.command(epilog="Example: harness check")
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@json_option
def command(path: Path | None, as_json: bool) -> int:
    """Validate every file of the workspace and every pilot's protocol; report every fault in one go.

    With PATH, report only the faults of that file or folder (the workspace is the one around it).
    """
    import os

    from harness.trial.conduct import Overrides, settled
    from harness.trial.preflight import faults
    from harness.workspace.faults import WorkspaceError
    from harness.workspace.loader import Workspace, find_root

    top = find_root(path.resolve(), os.environ) if path is not None else root()
    space = Workspace.read(top)
    found = list(space.faults)
    for name in space.pilots:
        try:
            resolved = space.pilot(name)
        except WorkspaceError:
            continue  # its faults are among the workspace's already
        found += faults(resolved, settled(resolved, Overrides()))
    if path is not None:
        wanted = path.resolve()
        found = [
            f
            for f in found
            if wanted == (top / f.path).resolve() or wanted in (top / f.path).resolve().parents
        ]
    found = sorted(set(found), key=lambda f: (str(f.path), f.line, f.column))
    if as_json:
        emit({"workspace": str(top), "faults": [fault.to_json() for fault in found]})
    else:
        for fault in found:
            click.echo(str(fault), err=True)
        kinds = (
            (len(space.blocks), "block"),
            (len(space.bodies), "body"),
            (len(space.scenarios), "scenario"),
            (len(space.pilots), "pilot"),
        )
        plurals = {"body": "bodies"}
        counted = ", ".join(f"{n} {k if n == 1 else plurals.get(k, k + 's')}" for n, k in kinds)
        verdict = f"{len(found)} fault{'s' * (len(found) != 1)}" if found else "no faults"
        click.echo(f"{counted}: {verdict}")
    return 2 if found else 0
