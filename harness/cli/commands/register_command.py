"""`harness register PILOT`."""

from __future__ import annotations

import click

from harness.cli.places import emit, json_option, ledger, root, workspace


@click.command(epilog="Example: harness register registrar-appointments")
@click.argument("pilot")
@json_option
def command(pilot: str, as_json: bool) -> None:
    """Freeze PILOT's protocol: hash and time, before its first registered run.

    A later change of the protocol, the scenario, a system or its configuration makes runs exploratory until it is registered again;
    every registration is kept.
    """
    from harness.trial.conduct import Overrides, check

    resolved = workspace().pilot(pilot)
    check(resolved, Overrides())
    with ledger(root()) as book:
        already = book.registration(resolved.id)
        fresh = already is None or already.protocol_hash != resolved.protocol_hash
        registration = (
            book.register(resolved.id, resolved.protocol_hash, resolved.protocol_document())
            if fresh or already is None
            else already
        )
        before = [t for t in book.trials(resolved.id) if not t.registered]
    if as_json:
        emit(
            {
                "pilot": registration.pilot,
                "protocol_hash": registration.protocol_hash,
                "registered_at": registration.registered_at.isoformat(),
                "new": fresh,
                "exploratory_trials_before": len(before),
            }
        )
        return
    word = "registered" if fresh else "already registered, unchanged,"
    click.echo(
        f"{registration.pilot} {word} {registration.registered_at:%d %B %Y, %H:%M} UTC, "
        f"protocol {registration.protocol_hash[:12]}; {len(before)} exploratory trials before it"
    )
