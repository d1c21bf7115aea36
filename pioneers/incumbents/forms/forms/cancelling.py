"""Cancelling: find the appointment by reference and name, look at it, give it back.

The one idea: name and reference are typed again, as on the telephone; the session only carries what was
found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from forms.citizens import Citizens
from forms.database import Database, Session, connect
from forms.web import Stopped, page, see, sent


class Cancelling(Citizens):
    """Handlers of the pages for cancelling."""

    def routes(self) -> list[BaseRoute]:
        """The routes for cancelling."""
        return [
            Route("/cancel", page(self.ask), methods=["GET"]),
            Route("/cancel", sent(self.find), methods=["POST"]),
            Route("/cancel/check", page(self.check), methods=["GET"]),
            Route("/cancel/check", sent(self.cancel), methods=["POST"]),
            Route("/cancel/done", page(self.cancelled)),
        ]

    def ask(self, request: Request) -> Response:
        """Which appointment is it?"""

        def handle(_db: Database, session: Session) -> Response:
            faults = session.data.get("faults", {})
            return self.pages.render(
                "cancel.html",
                "Cancel an appointment",
                session=session,
                faults=faults,
                label=self._name_label(),
            )

        return self.opened(request, handle)

    def find(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Find the appointment by reference and name."""

        def handle(database: Database, session: Session) -> Response:
            found = database.find(
                typed.get("reference", "")[:40], self.form.name_fields[-1], typed.get("name", "")[:200]
            )
            if found is None:
                session.data = {"faults": {"reference": "There is no appointment of this reference and name"}}
                return see("/cancel")
            session.data = {"flow": "cancel", "found": found}
            return see("/cancel/check")

        return self.changing(request, typed, handle)

    def check(self, request: Request) -> Response:
        """Is it this one?"""
        with connect(self.path) as database:
            session = self.session(database, request)
            if session.data.get("flow") != "cancel":
                return see("/cancel")
            rows = self._appointment(database.shown(session.data["found"]))
            return self.pages.render(
                "check.html",
                "Cancel this appointment?",
                session=session,
                rows=rows,
                action="/cancel/check",
                button="Cancel it",
            )

    def cancel(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Cancel it."""

        def handle(database: Database, session: Session) -> Response:
            if session.data.get("flow") != "cancel":
                return see("/cancel")
            found = session.data["found"]
            if not database.cancel(found, self.clock()):
                raise Stopped(409, "This appointment is cancelled", "It was cancelled before.")
            session.data = {"cancelled": found}
            return see("/cancel/done")

        return self.changing(request, typed, handle)

    def cancelled(self, request: Request) -> Response:
        """The confirmation of a cancellation."""
        return self.finished(request, "cancelled", "Your appointment is cancelled")

    def _name_label(self) -> str:
        return next(field.label for field in self.form.fields if field.name == self.form.name_fields[-1])

    def _appointment(self, shown: Mapping[str, Any]) -> list[tuple[str, str]]:
        rows = [("Reference", shown["reference"])]
        if self.form.diary is not None and shown["office"]:
            rows += [
                ("Where", self.form.diary.offices[shown["office"]]),
                ("When", f"{shown['day']}, {shown['time']}"),
            ]
        return rows
