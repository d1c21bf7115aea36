"""The service: routes of `booking/v1` over one book.

The one idea: a server process has one thread that writes, with a connection of its own, so writers queue
instead of fighting over SQLite's lock; reading never waits for writing (WAL) and is quick enough to be
done in the event loop.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from booking import __version__, people, requests
from booking.book import Answer, Book
from booking.configuration import Configuration, Resource, read
from booking.problems import Problem, answer_problem, invalid, unknown

_LONGEST_QUERY = 100  # days


class Service:
    """The routes of one server process."""

    def __init__(
        self, configuration: Configuration, database: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._configuration = configuration
        self._reading = Book(database, configuration, clock)
        self._writing = Book(database, configuration, clock)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._resources = [{"id": r.id, "title": r.title} for r in configuration.resources.values()]

    def close(self) -> None:
        """Finish the writes that are queued and let the database go."""
        self._writer.shutdown()
        self._writing.close()
        self._reading.close()

    async def health(self, _request: Request) -> Response:
        """Ready when the database answers."""
        self._reading.audit(0, 1)
        return JSONResponse({"status": "ok", "version": __version__})

    async def service(self, _request: Request) -> Response:
        """What is offered, by whom, to whom."""
        first, last = self._reading.window()
        c = self._configuration
        return JSONResponse(
            {
                "organisation": c.organisation,
                "service": c.service,
                "time_zone": c.zone.key,
                "slot_minutes": c.slot_seconds // 60,
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
                "people": {
                    "minimum": c.people_minimum,
                    "maximum": c.people_maximum,
                    "minimum_age": c.minimum_age,
                },
                "telephone_required": c.telephone_required,
            }
        )

    async def resources(self, _request: Request) -> Response:
        """What can be booked."""
        return JSONResponse({"resources": self._resources})

    async def days(self, request: Request) -> Response:
        """The days of one resource and how many slots are free on each."""
        resource = self._resource(request.path_params["resource"])
        return JSONResponse({"resource": resource.id, "days": self._reading.days(resource)})

    async def slots(self, request: Request) -> Response:
        """The free slots of one resource on a day, or from a day to another."""
        resource = self._resource(request.path_params["resource"])
        query = request.query_params
        first = requests.day(query.get("from", query.get("day", "")), "day")
        last = requests.day(query["to"], "to") if "to" in query else first
        if not 0 <= (last - first).days < _LONGEST_QUERY:
            raise Problem(
                422, "invalid-query", f"to: a day on or after `from`, fewer than {_LONGEST_QUERY} days later"
            )
        slots = [{"start": slot.start} for slot in self._reading.free(resource, first, last)]
        return JSONResponse({"resource": resource.id, "slots": slots})

    async def eligibility(self, request: Request) -> Response:
        """Whether these people may book; nothing is kept."""
        asked = requests.document(await requests.body(request), "people")
        today = self._reading.today()
        reasons = people.refusals(self._people(asked.get("people"), today), self._configuration, today)
        return JSONResponse({"eligible": not reasons, "reasons": reasons})

    async def hold(self, request: Request) -> Response:
        """Hold a slot."""
        raw = await requests.body(request)
        asked = requests.document(raw, "resource", "start")
        resource = self._resource(requests.text(asked.get("resource"), "resource"))
        starts_at = requests.moment(asked.get("start"))
        return await self._write(request, raw, lambda: self._writing.hold(resource, starts_at))

    async def booking(self, request: Request) -> Response:
        """One booking, for whoever was given its id."""
        return JSONResponse(self._reading.get(request.path_params["booking"]))

    async def confirm(self, request: Request) -> Response:
        """Make a hold a booking."""
        raw = await requests.body(request)
        details = self._details(requests.document(raw, "people", "contact"))
        booking = request.path_params["booking"]
        return await self._write(request, raw, lambda: self._writing.confirm(booking, details))

    async def cancel(self, request: Request) -> Response:
        """Give a slot back."""
        raw = await requests.body(request)
        requests.document(raw)
        booking = request.path_params["booking"]
        return await self._write(request, raw, lambda: self._writing.cancel(booking))

    async def search(self, request: Request) -> Response:
        """Find a booking by reference and family name (a POST, so that names stay out of logs)."""
        asked = requests.document(await requests.body(request), "reference", "family_name")
        reference = requests.text(asked.get("reference"), "reference")
        return JSONResponse(
            self._reading.search(reference, requests.text(asked.get("family_name"), "family_name"))
        )

    async def audit(self, request: Request) -> Response:
        """Every booking there ever was, a page at a time."""
        requests.require_trial_key(request, self._configuration.trial_key)
        after = requests.whole(request.query_params.get("after", "0"), "after", 0, 2**62)
        limit = requests.whole(request.query_params.get("limit", "500"), "limit", 1, 5000)
        bookings, following = self._reading.audit(after, limit)
        return JSONResponse({"bookings": bookings, "next": following})

    async def take_over(self, request: Request) -> Response:
        """Bookings made elsewhere, all or none."""
        requests.require_trial_key(request, self._configuration.trial_key)
        raw = await requests.body(request, requests.LARGEST_IMPORT)
        listed = requests.document(raw, "bookings").get("bookings")
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise invalid({"bookings": "a list of objects"})
        taken = [
            (
                self._resource(requests.text(item.get("resource"), "resource")),
                requests.moment(item.get("start")),
                requests.text(item.get("reference"), "reference", 20).upper(),
                self._details(item),
            )
            for item in listed
        ]
        return await self._write(request, raw, lambda: self._writing.take_over(taken))

    async def _write(self, request: Request, raw: bytes, action: Callable[[], Answer]) -> Response:
        key, fingerprint = requests.idempotency(request, raw)
        loop = asyncio.get_running_loop()
        status, body = await loop.run_in_executor(self._writer, self._writing.once, key, fingerprint, action)
        return JSONResponse(body, status)

    def _resource(self, name: str) -> Resource:
        resource = self._configuration.resources.get(name)
        if resource is None:
            raise unknown("resource")
        return resource

    def _people(self, value: object, today: date) -> tuple[people.Person, ...]:
        try:
            return people.read_people(value, self._configuration, today)
        except people.DetailsError as error:
            raise invalid(error.faults) from error

    def _details(self, value: dict[str, object]) -> people.Details:
        today = self._reading.today()
        try:
            details = people.read_details(value, self._configuration, today)
        except people.DetailsError as error:
            raise invalid(error.faults) from error
        if reasons := people.refusals(details.people, self._configuration, today):
            raise Problem(422, "not-eligible", "You cannot book this appointment", " ".join(reasons))
        return details


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = {404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "http")
    return Problem(error.status_code, kind, error.detail).response(error.headers)


async def _failure(_request: Request, _error: Exception) -> Response:
    return Problem(500, "failure", "The service failed", "Nothing was changed by this request.").response()


class Pages(StaticFiles):
    """The citizen's page: nothing of anybody else's, in nobody else's frame."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        """One file, with what browsers should keep to."""
        response = super().file_response(*args, **options)
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def application(
    configuration: Configuration, database: Path, clock: Callable[[], float] = time.time
) -> Starlette:
    """The service over the book at `database`, as an ASGI application."""
    service = Service(configuration, database, clock)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        service.close()

    routes = [
        Route("/health", service.health),
        Route("/v1/service", service.service),
        Route("/v1/resources", service.resources),
        Route("/v1/resources/{resource}/days", service.days),
        Route("/v1/resources/{resource}/slots", service.slots),
        Route("/v1/eligibility", service.eligibility, methods=["POST"]),
        Route("/v1/bookings", service.hold, methods=["POST"]),
        Route("/v1/bookings/search", service.search, methods=["POST"]),
        Route("/v1/bookings/{booking}", service.booking),
        Route("/v1/bookings/{booking}/confirmation", service.confirm, methods=["POST"]),
        Route("/v1/bookings/{booking}/cancellation", service.cancel, methods=["POST"]),
        Route("/v1/audit/bookings", service.audit),
        Route("/v1/import", service.take_over, methods=["POST"]),
        Mount("/", Pages(directory=Path(__file__).with_name("pages"), html=True)),
    ]
    handlers = {Problem: answer_problem, HTTPException: _http_problem, Exception: _failure}
    return Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)


def from_environment() -> Starlette:
    """The application of one server process, told by its parent where things are."""
    return application(read(Path(os.environ["BOOKING_CONFIGURATION"])), Path(os.environ["BOOKING_DATABASE"]))
