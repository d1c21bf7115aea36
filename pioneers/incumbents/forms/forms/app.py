"""The citizen's pages: start, the paper form's sections, office, day, time, check, confirmation, and cancelling.

The one idea: every page is a POST, then a redirect, then a GET. What was typed waits in the session; nobody gets to a page
before those in front of it are answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from forms import checks
from forms.configuration import Configuration, Page
from forms.database import Database, Session, Taken, connect
from forms.staff import Staff
from forms.web import Pages, Stopped, page, same, see, sent

_COOKIE = "form"
_CHOICES = {"office": "Choose an office", "day": "Choose a day", "time": "Choose a time"}


class Citizens:
    """Handlers of the citizen's pages."""

    def __init__(self, configuration: Configuration, database: Path, pages: Pages, clock: Callable[[], float]) -> None:
        self._form = configuration
        self._path = database
        self._pages = pages
        self._clock = clock
        self._sections = {section.name: section for section in configuration.pages}

    # ── booking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, request: Request) -> Response:
        """The start page; it opens a session."""
        return self._opened(request, lambda _db, session: self._pages.render("start.html", self._form.service, session=session))

    def begin(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Start now: an empty form."""

        def handle(_db: Database, session: Session) -> Response:
            session.data = {"flow": "form", "answers": {}}
            return see(f"/form/{self._form.sequence[0]}")

        return self._changing(request, typed, handle)

    def show(self, request: Request) -> Response:
        """One page of the form."""
        name = request.path_params["name"]
        with connect(self._path) as database:
            session = self._session(database, request)
            if (earlier := self._missing(session, name)) is not None:
                return see(earlier)
            if name in self._sections:
                return self._section(self._sections[name], session)
            if name == "check":
                return self._check(database, session)
            return self._choice(database, session, name)

    def send(self, request: Request, typed: Mapping[str, str]) -> Response:
        """One page of the form, filled in."""
        name = request.path_params["name"]

        def handle(database: Database, session: Session) -> Response:
            if (earlier := self._missing(session, name)) is not None:
                return see(earlier)
            session.data.pop("faults", None)
            if name in self._sections:
                return self._take_section(self._sections[name], session, typed)
            if name == "check":
                return self._submit(database, session)
            return self._take_choice(database, session, name, typed.get(name, ""))

        return self._changing(request, typed, handle)

    def done(self, request: Request) -> Response:
        """The confirmation."""
        return self._finished(request, "done", "Your form has been sent")

    def refused(self, _request: Request) -> Response:
        """For those who may not use the service."""
        return self._pages.render("message.html", "You cannot use this service", message=self._form.refusal)

    # ── cancelling ───────────────────────────────────────────────────────────────────────────────────────────────────

    def ask_cancel(self, request: Request) -> Response:
        """Which appointment is it?"""

        def handle(_db: Database, session: Session) -> Response:
            faults = session.data.get("faults", {})
            return self._pages.render("cancel.html", "Cancel an appointment", session=session, faults=faults, label=self._name_label())

        return self._opened(request, handle)

    def find(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Find the appointment by reference and name."""

        def handle(database: Database, session: Session) -> Response:
            found = database.find(typed.get("reference", "")[:40], self._form.name_fields[-1], typed.get("name", "")[:200])
            if found is None:
                session.data = {"faults": {"reference": "There is no appointment of this reference and name"}}
                return see("/cancel")
            session.data = {"flow": "cancel", "found": found}
            return see("/cancel/check")

        return self._changing(request, typed, handle)

    def check_cancel(self, request: Request) -> Response:
        """Is it this one?"""
        with connect(self._path) as database:
            session = self._session(database, request)
            if session.data.get("flow") != "cancel":
                return see("/cancel")
            rows = self._appointment(database.shown(session.data["found"]))
            return self._pages.render(
                "check.html", "Cancel this appointment?", session=session, rows=rows, action="/cancel/check", button="Cancel it"
            )

    def cancel(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Cancel it."""

        def handle(database: Database, session: Session) -> Response:
            if session.data.get("flow") != "cancel":
                return see("/cancel")
            found = session.data["found"]
            if not database.cancel(found, self._clock()):
                raise Stopped(409, "This appointment is cancelled", "It was cancelled before.")
            session.data = {"cancelled": found}
            return see("/cancel/done")

        return self._changing(request, typed, handle)

    def cancelled(self, request: Request) -> Response:
        """The confirmation of a cancellation."""
        return self._finished(request, "cancelled", "Your appointment is cancelled")

    # ── within ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), self._form.zone).date()

    def _session(self, database: Database, request: Request) -> Session:
        token = request.cookies.get(_COOKIE, "")
        session = database.session(token, self._clock(), self._form.session_seconds) if token else None
        if session is None:
            raise Stopped(403, "Please start again", "The form was left alone for too long, or your browser keeps no cookies.")
        return session

    def _opened(self, request: Request, handle: Callable[[Database, Session], Response]) -> Response:
        with connect(self._path) as database:
            token = request.cookies.get(_COOKIE, "")
            session = database.session(token, self._clock(), self._form.session_seconds) if token else None
            if session is not None:
                return handle(database, session)
            with database.changing():
                session = database.open_session(self._clock(), self._form.session_seconds)
            response = handle(database, session)
            response.set_cookie(_COOKIE, session.token, httponly=True, samesite="lax")
            return response

    def _changing(
        self, request: Request, typed: Mapping[str, str], handle: Callable[[Database, Session], Response]
    ) -> Response:
        with connect(self._path) as database, database.changing():
            session = self._session(database, request)
            if not same(typed.get("token"), session.csrf):
                raise Stopped(403, "This form cannot be accepted", "It did not come from our page. Please start again.")
            response = handle(database, session)
            database.save(session, self._clock())
            return response

    def _finished(self, request: Request, key: str, title: str) -> Response:
        with connect(self._path) as database:
            session = self._session(database, request)
            if key not in session.data:
                return see("/start")
            return self._pages.render("done.html", title, shown=database.shown(session.data[key]))

    def _missing(self, session: Session, name: str) -> str | None:
        """Where the citizen has to go first: the first page not answered yet, the confirmation of what is done, or None."""
        if name not in self._form.sequence:
            raise Stopped(404, "Page not found", "There is no such page.")
        if "done" in session.data:
            return "/done"
        if session.data.get("flow") != "form":
            return "/start"
        for earlier in self._form.sequence[: self._form.sequence.index(name)]:
            answered = session.data["answers"] if earlier in self._sections else session.data
            if earlier not in answered:
                return f"/form/{earlier}"
        return None

    def _section(self, section: Page, session: Session) -> Response:
        raw = checks.retyped(section, session.data["answers"].get(section.name, {}))
        faults: Mapping[str, str] = {}
        kept = session.data.get("faults")
        if kept and kept["page"] == section.name:
            raw, faults = kept["raw"], kept["faults"]
        return self._pages.render("page.html", section.title, session=session, page=section, raw=raw, faults=faults)

    def _take_section(self, section: Page, session: Session, typed: Mapping[str, str]) -> Response:
        checked = checks.check(section, typed, self._today())
        if checked.faults:
            raw = {name: typed.get(name, "")[:4000] for field in section.fields for name in checks.inputs(field)}
            session.data["faults"] = {"page": section.name, "raw": raw, "faults": dict(checked.faults)}
            return see(f"/form/{section.name}")
        if checked.refused:
            session.data = {}
            return see("/refused")
        session.data["answers"][section.name] = dict(checked.answers)
        return see(f"/form/{self._form.sequence[self._form.sequence.index(section.name) + 1]}")

    def _options(self, database: Database, session: Session, name: str) -> list[tuple[str, str]]:
        """What can be chosen now on a page: value and text."""
        assert self._form.diary is not None
        today = self._today().isoformat()
        if name == "office":
            free = database.offices(today)
            return [(office, f"{title} ({free[office]} free)") for office, title in self._form.diary.offices.items() if office in free]
        if name == "day":
            return [(day, f"{day} ({count} free)") for day, count in database.days(session.data["office"], today)]
        return [(str(row), start) for row, start in database.times(session.data["office"], session.data["day"])]

    def _choice(self, database: Database, session: Session, name: str) -> Response:
        sequence = self._form.sequence
        return self._pages.render(
            "choose.html", _CHOICES[name], session=session, name=name, label=_CHOICES[name], faults=session.data.get("faults", {}),
            options=self._options(database, session, name), back=sequence[max(0, sequence.index(name) - 1)],
        )  # fmt: skip

    def _take_choice(self, database: Database, session: Session, name: str, chosen: str) -> Response:
        options = dict(self._options(database, session, name))
        if chosen not in options:
            session.data["faults"] = {name: "This is not free any more. Choose another."}
            return see(f"/form/{name}")
        for later in {"office": ("day", "time"), "day": ("time",)}.get(name, ()):
            session.data.pop(later, None)
        session.data[name] = chosen
        if name == "time":
            session.data["start"] = options[chosen]
        return see(f"/form/{self._form.sequence[self._form.sequence.index(name) + 1]}")

    def _check(self, database: Database, session: Session) -> Response:
        rows = [
            (field.label, session.data["answers"][section.name][field.name]) for section in self._form.pages for field in section.fields
        ]
        if self._form.diary is not None:
            rows += [
                ("Where", self._form.diary.offices[session.data["office"]]),
                ("When", f"{session.data['day']}, {session.data['start']}"),
            ]
        return self._pages.render(
            "check.html", "Check your answers", session=session, rows=rows, action="/form/check", button="Send this form"
        )

    def _submit(self, database: Database, session: Session) -> Response:
        answers: dict[str, str] = {}
        for section in self._form.pages:
            checked = checks.check(section, checks.retyped(section, session.data["answers"][section.name]), self._today())
            if checked.faults or checked.refused:
                del session.data["answers"][section.name]
                return see(f"/form/{section.name}")
            answers |= checked.answers
        diary = int(session.data["time"]) if self._form.diary is not None else None
        try:
            number = database.submit(self._form.reference_prefix, answers, diary, self._clock())
        except Taken:
            session.data.pop("time")
            session.data["faults"] = {"time": "This time has just been taken. Choose another."}
            return see("/form/time")
        session.data = {"done": number}
        return see("/done")

    def _name_label(self) -> str:
        return next(field.label for field in self._form.fields if field.name == self._form.name_fields[-1])

    def _appointment(self, shown: Mapping[str, Any]) -> list[tuple[str, str]]:
        rows = [("Reference", shown["reference"])]
        if self._form.diary is not None and shown["office"]:
            rows += [("Where", self._form.diary.offices[shown["office"]]), ("When", f"{shown['day']}, {shown['time']}")]
        return rows


async def _style(_request: Request) -> Response:
    return FileResponse(Path(__file__).with_name("static.css"), media_type="text/css")


def application(configuration: Configuration, database: Path, clock: Callable[[], float] = time.time) -> Starlette:
    """The form system over the database at `database`, as an ASGI application."""
    pages = Pages(configuration)
    citizens = Citizens(configuration, database, pages, clock)
    staff = Staff(configuration, database, pages, clock)

    async def stopped(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Stopped)
        return pages.render("message.html", error.title, error.status, message=error.message)

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return pages.render("message.html", "Sorry, that did not work", error.status_code, message=error.detail)

    async def failed(_request: Request, _error: Exception) -> Response:
        return pages.render("message.html", "Sorry, there is a problem", 500, message="Nothing was sent. Try again later.")

    routes = [
        Route("/start", page(citizens.start), methods=["GET"]),
        Route("/start", sent(citizens.begin), methods=["POST"]),
        Route("/form/{name}", page(citizens.show), methods=["GET"]),
        Route("/form/{name}", sent(citizens.send), methods=["POST"]),
        Route("/done", page(citizens.done)),
        Route("/refused", page(citizens.refused)),
        Route("/static.css", _style),
        *staff.routes(),
    ]
    if configuration.diary is not None:
        routes += [
            Route("/cancel", page(citizens.ask_cancel), methods=["GET"]),
            Route("/cancel", sent(citizens.find), methods=["POST"]),
            Route("/cancel/check", page(citizens.check_cancel), methods=["GET"]),
            Route("/cancel/check", sent(citizens.cancel), methods=["POST"]),
            Route("/cancel/done", page(citizens.cancelled)),
        ]
    return Starlette(routes=routes, exception_handlers={Stopped: stopped, HTTPException: http_error, Exception: failed})
