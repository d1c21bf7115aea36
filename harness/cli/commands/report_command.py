"""`harness report [--open]`."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.places import emit, json_option, ledger, root, shown


def build(home: Path, book: object | None = None) -> Path:
    """Build the pages of the workspace at `home`; the index's path."""
    from harness.reporting.site import build as build_site
    from harness.store.ledger import Ledger

    folders = home / "reports"
    if isinstance(book, Ledger):
        return build_site(book, folders / "site", folders / "templates", folders / "theme")
    with ledger(home) as opened:
        return build_site(opened, folders / "site", folders / "templates", folders / "theme")


@click.command(epilog="Example: harness report --open")
@click.option("--open", "open_it", is_flag=True, help="Open the index in a browser.")
@json_option
def command(open_it: bool, as_json: bool) -> None:
    """Build a page per pilot from the ledger and print where they are."""
    home = root()
    index = build(home)
    pages = sorted(index.parent.glob("*/*/index.html"))
    if as_json:
        emit({"index": str(index), "pages": [str(page) for page in pages]})
    else:
        for page in pages:
            click.echo(shown(page))
        click.echo(shown(index))
    if open_it:
        import webbrowser

        webbrowser.open(index.as_uri())
