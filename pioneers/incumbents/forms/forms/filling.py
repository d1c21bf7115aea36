"""Filling in the form: start, the paper form's sections, office, day, time, check, confirmation.

The one idea: every page is a POST, then a redirect, then a GET. What was typed waits in the session;
nobody gets to a page before those in front of it are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from forms import checks
from forms.citizens import Citizens
from forms.configuration import Configuration, Page
from forms.database import Database, Session, Taken, connect
from forms.web import Pages, Stopped, page, see, sent

_CHOICES = {"office": "Choose an office", "day": "Choose a day", "time": "Choose a time"}


class Filling(Citizens):
    """Handlers of the form's pages."""

    def __init__(
        self, configuration: Configuration, database: Path, pages: Pages, clock: Callable[[], float]
    ) -> None:
        super().__init__(configuration, database, pages, clock)
        self._sections = {section.name: section for section in configuration.pages}

    def routes(self) -> list[BaseRoute]:
        """The form's routes."""
        return [
            Route("/start", page(self.start), methods=["GET"]),
            Route("/start", sent(self.begin), methods=["POST"]),
            Route("/form/{name}", page(self.show), methods=["GET"]),
            Route("/form/{name}", sent(self.send), methods=["POST"]),
            Route("/done", page(self.done)),
            Route("/refused", page(self.refused)),
        ]

    def start(self, request: Request) -> Response:
        """The start page; it opens a session."""
        return self.opened(
            request,
            lambda _db, session: self.pages.render("start.html", self.form.service, session=session),
        )

    def begin(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Start now: an empty form."""

        def handle(_db: Database, session: Session) -> Response:
            session.data = {"flow": "form", "answers": {}}
            return see(f"/form/{self.form.sequence[0]}")

        return self.changing(request, typed, handle)

    def show(self, request: Request) -> Response:
        """One page of the form."""
        name = request.path_params["name"]
        with connect(self.path) as database:
            session = self.session(database, request)
            if (earlier := self._missing(session, name)) is not None:
                return see(earlier)
            if name in self._sections:
                return self._section(self._sections[name], session)
            if name == "check":
                return self._check(session)
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

        return self.changing(request, typed, handle)

    def done(self, request: Request) -> Response:
        """The confirmation."""
        return self.finished(request, "done", "Your form has been sent")

    def refused(self, _request: Request) -> Response:
        """For those who may not use the service."""
        return self.pages.render("message.html", "You cannot use this service", message=self.form.refusal)

    def _missing(self, session: Session, name: str) -> str | None:
        """Where the citizen has to go first: a page not answered yet, what is done already, or nowhere."""
        if name not in self.form.sequence:
            raise Stopped(404, "Page not found", "There is no such page.")
        if "done" in session.data:
            return "/done"
        if session.data.get("flow") != "form":
            return "/start"
        for earlier in self.form.sequence[: self.form.sequence.index(name)]:
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
        return self.pages.render(
            "page.html", section.title, session=session, page=section, raw=raw, faults=faults
        )

    def _take_section(self, section: Page, session: Session, typed: Mapping[str, str]) -> Response:
        checked = checks.check(section, typed, self.today())
        if checked.faults:
            raw = {
                name: typed.get(name, "")[:4000] for field in section.fields for name in checks.inputs(field)
            }
            session.data["faults"] = {"page": section.name, "raw": raw, "faults": dict(checked.faults)}
            return see(f"/form/{section.name}")
        if checked.refused:
            session.data = {}
            return see("/refused")
        session.data["answers"][section.name] = dict(checked.answers)
        return see(f"/form/{self.form.sequence[self.form.sequence.index(section.name) + 1]}")

    def _options(self, database: Database, session: Session, name: str) -> list[tuple[str, str]]:
        """What can be chosen now on a page: value and text."""
        assert self.form.diary is not None
        today = self.today().isoformat()
        if name == "office":
            free = database.offices(today)
            return [
                (office, f"{title} ({free[office]} free)")
                for office, title in self.form.diary.offices.items()
                if office in free
            ]
        if name == "day":
            return [
                (day, f"{day} ({count} free)") for day, count in database.days(session.data["office"], today)
            ]
        return [
            (str(row), start) for row, start in database.times(session.data["office"], session.data["day"])
        ]

    def _choice(self, database: Database, session: Session, name: str) -> Response:
        sequence = self.form.sequence
        return self.pages.render(
            "choose.html",
            _CHOICES[name],
            session=session,
            name=name,
            label=_CHOICES[name],
            faults=session.data.get("faults", {}),
            options=self._options(database, session, name),
            back=sequence[max(0, sequence.index(name) - 1)],
        )

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
        return see(f"/form/{self.form.sequence[self.form.sequence.index(name) + 1]}")

    def _check(self, session: Session) -> Response:
        rows = [
            (field.label, session.data["answers"][section.name][field.name])
            for section in self.form.pages
            for field in section.fields
        ]
        if self.form.diary is not None:
            rows += [
                ("Where", self.form.diary.offices[session.data["office"]]),
                ("When", f"{session.data['day']}, {session.data['start']}"),
            ]
        return self.pages.render(
            "check.html",
            "Check your answers",
            session=session,
            rows=rows,
            action="/form/check",
            button="Send this form",
        )

    def _submit(self, database: Database, session: Session) -> Response:
        answers: dict[str, str] = {}
        for section in self.form.pages:
            checked = checks.check(
                section, checks.retyped(section, session.data["answers"][section.name]), self.today()
            )
            if checked.faults or checked.refused:
                del session.data["answers"][section.name]
                return see(f"/form/{section.name}")
            answers |= checked.answers
        diary = int(session.data["time"]) if self.form.diary is not None else None
        try:
            number = database.submit(self.form.reference_prefix, answers, diary, self.clock())
        except Taken:
            session.data.pop("time")
            session.data["faults"] = {"time": "This time has just been taken. Choose another."}
            return see("/form/time")
        session.data = {"done": number}
        return see("/done")
