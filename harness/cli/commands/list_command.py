"""`harness list KIND`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.cli.places import emit, json_option, ledger, root, workspace

if TYPE_CHECKING:
    from harness.workspace.loader import Workspace

_KINDS = ("blocks", "bodies", "scenarios", "pilots", "trials", "metrics")


@click.command(epilog="Example: harness list pilots")
@click.argument("kind", type=click.Choice(_KINDS))
@json_option
def command(kind: str, as_json: bool) -> None:
    """List what there is of one KIND."""
    rows = _trials() if kind == "trials" else _metrics() if kind == "metrics" else _written(workspace(), kind)
    if as_json:
        emit(rows)
        return
    if not rows:
        click.echo(f"no {kind} yet", err=True)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column == next(iter(rows[0])))
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    Console().print(table)


def _written(space: Workspace, kind: str) -> list[dict[str, Any]]:
    if kind == "blocks":
        return [
            {
                "block": f"{name}@{version}",
                "title": block.title,
                "released": release.released.isoformat(),
                "changes": release.changes,
            }
            for name, block in space.blocks.items()
            for version, release in block.releases.items()
        ]
    if kind == "bodies":
        return [
            {
                "body": name,
                "title": body.title,
                "kind": body.kind,
                "services": len(body.services),
                "systems": len(body.systems),
            }
            for name, body in space.bodies.items()
        ]
    if kind == "scenarios":
        return [
            {"scenario": name, "title": scenario.title, "interfaces": ", ".join(scenario.interfaces)}
            for name, scenario in space.scenarios.items()
        ]
    return [
        {
            "pilot": name,
            "before": pilot.before,
            "after": ", ".join(str(c.block or c.system) for c in pilot.after),
            "question": pilot.question,
        }
        for name, pilot in space.pilots.items()
    ]


def _trials() -> list[dict[str, Any]]:
    with ledger(root()) as book:
        return [
            {
                "trial": trial.uid,
                "pilot": trial.pilot,
                "kind": "registered" if trial.registered else "exploratory",
                "state": trial.state.value,
                "started": f"{trial.started_at:%Y-%m-%d %H:%M} UTC",
                "reason": trial.state_reason,
            }
            for trial in book.trials()
        ]


def _metrics() -> list[dict[str, Any]]:
    from harness.judge.metrics import METRICS

    return [
        {
            "metric": m.name,
            "unit": m.unit,
            "better": m.direction.value,
            "kind": m.kind.value,
            "evidence": m.evidence.value,
            "meaning": m.meaning,
        }
        for m in METRICS.values()
    ]
