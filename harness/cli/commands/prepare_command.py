"""`harness prepare [PILOT…]`."""

from __future__ import annotations

import click

from harness.cli.places import root, workspace


@click.command(epilog="Example: harness prepare --all")
@click.argument("pilots", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every pilot of the workspace.")
def command(pilots: tuple[str, ...], every: bool) -> None:
    """Build the environments that PILOTS need (fetching what is not cached), so that runs fetch nothing."""
    from harness.trial.conduct import prepare
    from harness.trial.run import Places

    if bool(pilots) == every:
        raise click.UsageError("name pilots, or --all")
    space = workspace()
    for name in tuple(space.pilots) if every else pilots:
        resolved = space.pilot(name)
        click.echo(f"{resolved.id}: {', '.join(arm.system.label for arm in resolved.arms)} …", nl=False)
        prepare(resolved, Places(root()))
        click.echo(" ready")
