"""From the wire to a page's handler and back: forms read with limits, pages rendered, one kind of redirect.

The one idea: every page is handled in a worker thread with a database connection of its own, from start
to end, as such systems do; nothing is shared between pages but the database.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from forms.configuration import Configuration

LARGEST_FORM = 64 * 1024
LARGEST_IMPORT = 8 * 1024 * 1024
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Stopped(Exception):  # noqa: N818
    """A request that goes no further: its status and what the citizen is told."""

    def __init__(self, status: int, title: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.message = message


def _long_day(value: str) -> str:
    day = date.fromisoformat(value)
    return f"{day:%A} {day.day} {day:%B %Y}"


class Pages:
    """The templates of one form."""

    def __init__(self, configuration: Configuration) -> None:
        templates = FileSystemLoader(Path(__file__).with_name("templates"))
        self._environment = Environment(
            loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.filters["longday"] = _long_day
        self._environment.globals["form"] = configuration

    def render(self, template: str, title: str, status: int = 200, **values: Any) -> HTMLResponse:
        """One page."""
        text = self._environment.get_template(template).render(title=title, **values)
        return HTMLResponse(text, status, _HEADERS)


def see(path: str) -> RedirectResponse:
    """Go on with a GET."""
    return RedirectResponse(path, 303, _HEADERS)


async def read(request: Request, kind: str, largest: int) -> bytes:
    """A body of one kind, up to a size. Raises Stopped 415, 413."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise Stopped(415, "This cannot be read", f"Send {kind}.")
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Stopped(413, "This is too large", f"At most {largest // 1024} KiB can be sent.")
        parts.append(part)
    return b"".join(parts)


async def typed(request: Request) -> dict[str, str]:
    """What was typed into a form; of a name given twice, the last. Raises Stopped."""
    raw = await read(request, "application/x-www-form-urlencoded", LARGEST_FORM)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=300)
    except ValueError as error:
        raise Stopped(
            400, "This cannot be read", "The form did not arrive whole. Go back and send it again."
        ) from error
    return dict(pairs)


def same(given: str | None, kept: str) -> bool:
    """Whether a secret was given, compared in constant time."""
    return hmac.compare_digest((given or "").encode(), kept.encode())


def page(handler: Callable[[Request], Response]) -> Callable[[Request], Any]:
    """A GET page handled in a thread."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request)

    return endpoint


def sent(handler: Callable[[Request, Mapping[str, str]], Response]) -> Callable[[Request], Any]:
    """A POSTed form handled in a thread."""

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(handler, request, await typed(request))

    return endpoint
