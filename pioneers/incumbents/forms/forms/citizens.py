"""What all pages of a citizen share: session, cookie, the token in each form, one transaction a page.

The one idea: a form that is sent is handled inside one transaction that begins before its session is
read, so what the page decides on is still true when it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from forms.configuration import Configuration
from forms.database import Database, Session, connect
from forms.web import Pages, Stopped, same, see

_COOKIE = "form"


class Citizens:
    """Base of the citizen's pages."""

    def __init__(
        self, configuration: Configuration, database: Path, pages: Pages, clock: Callable[[], float]
    ) -> None:
        self.form = configuration
        self.path = database
        self.pages = pages
        self.clock = clock

    def today(self) -> date:
        """The local date."""
        return datetime.fromtimestamp(self.clock(), self.form.zone).date()

    def session(self, database: Database, request: Request) -> Session:
        """The citizen's session. Raises Stopped without one."""
        token = request.cookies.get(_COOKIE, "")
        session = database.session(token, self.clock(), self.form.session_seconds) if token else None
        if session is None:
            raise Stopped(
                403,
                "Please start again",
                "The form was left alone for too long, or your browser keeps no cookies.",
            )
        return session

    def opened(self, request: Request, handle: Callable[[Database, Session], Response]) -> Response:
        """Handle a page that anyone may open; it opens a session."""
        with connect(self.path) as database:
            token = request.cookies.get(_COOKIE, "")
            session = database.session(token, self.clock(), self.form.session_seconds) if token else None
            if session is not None:
                return handle(database, session)
            with database.changing():
                session = database.open_session(self.clock(), self.form.session_seconds)
            response = handle(database, session)
            response.set_cookie(_COOKIE, session.token, httponly=True, samesite="lax")
            return response

    def changing(
        self, request: Request, typed: Mapping[str, str], handle: Callable[[Database, Session], Response]
    ) -> Response:
        """Handle a form that was sent, in one transaction. Raises Stopped for a wrong token."""
        with connect(self.path) as database, database.changing():
            session = self.session(database, request)
            if not same(typed.get("token"), session.csrf):
                raise Stopped(
                    403, "This form cannot be accepted", "It did not come from our page. Please start again."
                )
            response = handle(database, session)
            database.save(session, self.clock())
            return response

    def finished(self, request: Request, key: str, title: str) -> Response:
        """A confirmation: the submission that the session keeps under `key`."""
        with connect(self.path) as database:
            session = self.session(database, request)
            if key not in session.data:
                return see("/start")
            return self.pages.render("done.html", title, shown=database.shown(session.data[key]))
