"""The form system put together: its pages, its errors, and its application for a server process."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from forms.cancelling import Cancelling
from forms.configuration import Configuration, read
from forms.filling import Filling
from forms.staff import Staff
from forms.web import Pages, Stopped


async def _style(_request: Request) -> Response:
    return FileResponse(Path(__file__).with_name("static.css"), media_type="text/css")


def application(
    configuration: Configuration, database: Path, clock: Callable[[], float] = time.time
) -> Starlette:
    """The form system over the database at `database`, as an ASGI application."""
    pages = Pages(configuration)

    async def stopped(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Stopped)
        return pages.render("message.html", error.title, error.status, message=error.message)

    async def http_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return pages.render(
            "message.html", "Sorry, that did not work", error.status_code, message=error.detail
        )

    async def busy(_request: Request, _error: Exception) -> Response:
        return pages.render("message.html", "The service is busy", 503, message="Go back and try again.")

    async def failed(_request: Request, _error: Exception) -> Response:
        return pages.render(
            "message.html", "Sorry, there is a problem", 500, message="Nothing was sent. Try again later."
        )

    routes = [*Filling(configuration, database, pages, clock).routes(), Route("/static.css", _style)]
    routes += Staff(configuration, database, pages, clock).routes()
    if configuration.diary is not None:
        routes += Cancelling(configuration, database, pages, clock).routes()
    handlers = {
        Stopped: stopped,
        HTTPException: http_error,
        sqlite3.OperationalError: busy,
        Exception: failed,
    }
    return Starlette(routes=routes, exception_handlers=handlers)


def from_environment() -> Starlette:
    """The application of one server process, told by its parent where things are."""
    return application(read(Path(os.environ["FORMS_CONFIGURATION"])), Path(os.environ["FORMS_DATABASE"]))
