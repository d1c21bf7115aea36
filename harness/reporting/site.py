"""Builds the site: an index of every pilot, and a page and its data for each.

The one idea: the site only ever adds or replaces files of its own, each whole (written aside, then
renamed), and a name from the ledger becomes a folder only after it was checked again here.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from harness.reporting import rows
from harness.reporting.errors import ReportError
from harness.reporting.model import IndexRow
from harness.reporting.pages import index_page, index_row, pilot_page, told
from harness.reporting.render import MARKER, Renderer
from harness.reporting.view import TrialView, read_judgement
from harness.store.records import FindingRecord, FullTrial, TrialRecord

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


class Source(Protocol):
    """What the site reads of a ledger; `harness.store.ledger.Ledger` is one."""

    def pilots(self) -> tuple[str, ...]:
        """The pilots that have a trial."""

    def trials(self, pilot: str | None = None) -> tuple[TrialRecord, ...]:
        """Trials in the order they began."""

    def load(self, trial_uid: str) -> FullTrial:
        """A trial with its rounds and judgement."""

    def findings(self, pilot: str) -> tuple[FindingRecord, ...]:
        """A pilot's findings."""


def build(ledger: Source, out: Path, templates: Path, theme: Path) -> Path:
    """Build the site of every pilot in the ledger under `out`; returns the path of its index page.

    Beside each pilot's page stand `data.json` and `data.csv`, the values of every run. Files that are
    already as they should be are left alone; nothing is ever deleted.

    Raises:
        ReportError: a template or the theme is at fault; a file that is not the harness's own is in the
            way; `out` cannot be
            written; a pilot's name is no name.
    """
    renderer = Renderer(templates, theme)
    found: list[IndexRow] = []
    programme = "Pioneer programme"
    for pilot in ledger.pilots():
        body, name = split(pilot)
        trials = ledger.trials(pilot)
        chosen = told(trials)
        if chosen is None:
            continue
        full = replace(ledger.load(chosen.uid), findings=ledger.findings(pilot))
        view = TrialView(full, read_judgement(full))
        page = pilot_page(view, trials)
        programme = page.programme
        values = rows.rows(view)
        folder = _folder(out, body, name)
        _write(folder / "index.html", renderer.pilot(page))
        _write(folder / "data.json", rows.as_json(view, values))
        _write(folder / "data.csv", rows.as_csv(values))
        found.append(index_row(view, trials, f"{body}/{name}/index.html"))
    index = _folder(out) / "index.html"
    _write(index, renderer.index(index_page(found, programme)))
    return index


def split(pilot: str) -> tuple[str, str]:
    """A pilot's id as body and name, both safe as the name of a folder.

    Raises:
        ReportError: not of the form body/pilot with lower-case names.
    """
    parts = pilot.split("/")
    if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
        raise ReportError(
            f"the ledger holds a pilot named {pilot!r}; expected body/pilot in lower case, digits, "
            f"dots and hyphens, "
            "so no page was made for it"
        )
    return parts[0], parts[1]


def _folder(out: Path, *names: str) -> Path:
    """A folder under `out`, made if need be, that really is under it."""
    folder = out.joinpath(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        inside = folder.resolve().is_relative_to(out.resolve())
    except OSError as error:
        raise ReportError(
            f"{folder}: cannot be made ({error.strerror}); choose a folder that can be written"
        ) from error
    if not inside:
        raise ReportError(f"{folder}: leads out of {out}; take the link away or choose another folder")
    return folder


def _write(path: Path, text: str) -> None:
    """Write a file whole, unless it is so already or somebody else's."""
    content = text.encode()
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise ReportError(f"{path}: is no plain file; move it away, then build the report again")
        if path.exists():
            if path.read_bytes() == content:
                return
            if not _ours(path):
                raise ReportError(
                    f"{path}: was not made by the harness and is left alone; move it away or choose "
                    f"another folder"
                )
        aside = path.with_name(f".{path.name}.{os.getpid()}.new")
        try:
            aside.write_bytes(content)
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"{path}: cannot be written ({error.strerror}); choose a folder that can be written"
        ) from error


def _ours(path: Path) -> bool:
    """Whether a file is a former build's: pages and JSON say so themselves, a CSV by its head row."""
    with path.open("rb") as file:
        head = file.read(4096).decode("utf-8", "replace")
    if path.suffix == ".html":
        return MARKER in head
    if path.suffix == ".json":
        return f'"generator": "{rows.GENERATOR}"' in head
    return head.startswith(rows.HEAD)
