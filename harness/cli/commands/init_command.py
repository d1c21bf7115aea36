"""`harness init DIR`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.places import emit, json_option, shown


@click.command(epilog="Example: harness init ~/our-pioneer-group")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@json_option
def command(directory: Path, as_json: bool) -> None:
    """Make a new workspace in DIRECTORY: an example programme to change into your own."""
    from harness.workspace.starting_set import initialise

    written = initialise(directory)
    if as_json:
        emit({"workspace": str(directory.resolve()), "files": [str(path) for path in written]})
        return
    click.echo(f"{len(written)} files in {shown(directory.resolve())}")
    click.echo(f"next: cd {directory} && harness check && harness list pilots")
