"""`harness schema [KIND]`."""

from __future__ import annotations

import click

from harness.cli.places import emit

_KINDS = ("programme", "block", "body", "scenario", "pilot")


@click.command(epilog="Example: harness schema pilot > pilot.schema.json")
@click.argument("kind", type=click.Choice(_KINDS), required=False)
def command(kind: str | None) -> None:
    """Print the JSON Schema of one KIND of file, or of all by name."""
    from harness.workspace.schema import json_schema

    emit(json_schema(kind) if kind else {name: json_schema(name) for name in _KINDS})
