"""The staff's side: the report of the nightly job, exports and the import, as CSV.

The one idea: staff see what the tables hold, row by row and unchanged; that makes the exports fit for an
audit.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from forms.configuration import Configuration
from forms.database import ImportRefused, Taken, connect
from forms.web import LARGEST_IMPORT, Pages, Stopped, page, read, same

_APPOINTMENT = ("reference", "state", "office", "day", "time")


def _cell(value: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Response:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return Response(text.getvalue(), media_type="text/csv")


class Staff:
    """Handlers of the staff's pages; all ask for the trial key."""

    def __init__(
        self, configuration: Configuration, database: Path, pages: Pages, clock: Callable[[], float]
    ) -> None:
        self._form = configuration
        self._path = database
        self._pages = pages
        self._clock = clock
        self._fields = tuple(field.name for field in configuration.fields)

    def routes(self) -> list[BaseRoute]:
        """The staff's routes."""
        return [
            Route("/staff/report", page(self.report)),
            Route("/staff/export.csv", page(self.export)),
            Route("/staff/diary.csv", page(self.diary)),
            Route("/staff/nightly", self.nightly, methods=["POST"]),
            Route("/staff/import", self.take_over, methods=["POST"]),
        ]

    def report(self, request: Request) -> Response:
        """The report, as the nightly job left it."""
        self._allowed(request)
        with connect(self._path) as database:
            run, table = database.report()
            return self._pages.render("report.html", "Appointments by day", run=run, table=table)

    def export(self, request: Request) -> Response:
        """Every submission, a row each."""
        self._allowed(request)
        with connect(self._path) as database:
            listed = database.all_submissions()
        header = (*_APPOINTMENT, *self._fields)
        return _csv(header, ([row.get(name, "") for name in header] for row in listed))

    def diary(self, request: Request) -> Response:
        """Every appointment there is, a row each."""
        self._allowed(request)
        with connect(self._path) as database:
            return _csv(("office", "day", "time", "reference"), database.whole_diary())

    async def nightly(self, request: Request) -> Response:
        """Run the nightly job now."""
        self._allowed(request)

        def run() -> None:
            now = self._clock()
            with connect(self._path) as database, database.changing():
                database.extend_diary(self._form, datetime.fromtimestamp(now, self._form.zone).date())
                database.nightly(now)

        await run_in_threadpool(run)
        return Response(status_code=204)

    async def take_over(self, request: Request) -> Response:
        """Bookings made elsewhere, as the export writes them; all or none."""
        self._allowed(request)
        raw = await read(request, "text/csv", LARGEST_IMPORT)

        def run() -> int:
            try:
                rows = csv.DictReader(io.StringIO(raw.decode("utf-8")), strict=True)
                with connect(self._path) as database, database.changing():
                    return database.take_over(rows, self._fields, self._clock())
            except Taken as error:
                raise Stopped(422, "The import was refused", "An appointment is given already.") from error
            except (ImportRefused, csv.Error, UnicodeDecodeError) as error:
                raise Stopped(422, "The import was refused", str(error)) from error

        return Response(f"{await run_in_threadpool(run)}\n", 201, media_type="text/plain")

    def _allowed(self, request: Request) -> None:
        if not self._form.trial_key:
            raise Stopped(404, "Page not found", "There is no such page.")
        if not same(request.headers.get("authorization"), f"Bearer {self._form.trial_key}"):
            raise Stopped(401, "Staff only", "Send the trial key.")
