"""Errors as clients see them: RFC 9457 problem details, one type for each thing that can be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

_BASE = "urn:booking:problem:"


class Problem(Exception):  # noqa: N818 (it is RFC 9457's word)
    """A request that is not carried out: status, type and what the client can do."""

    def __init__(self, status: int, kind: str, title: str, detail: str = "", **more: Any) -> None:
        super().__init__(f"{kind}: {detail or title}")
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail
        self.more = more

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """The problem as an answer."""
        body = {"type": _BASE + self.kind, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        return JSONResponse(body | self.more, self.status, headers, media_type="application/problem+json")


def slot_taken() -> Problem:
    """Someone else has the slot."""
    return Problem(409, "slot-taken", "This time has been taken", "Choose another time.")


def not_a_slot() -> Problem:
    """No slot starts then."""
    return Problem(
        422,
        "not-a-slot",
        "No appointment starts then",
        "Ask for the slots of the day and choose one of them.",
    )


def unknown(what: str) -> Problem:
    """The thing named in the address is not there."""
    return Problem(404, f"no-such-{what}", f"No such {what}")


def invalid(faults: Mapping[str, str]) -> Problem:
    """Details that cannot be used, every one of them listed."""
    listed = [{"place": place, "expected": expected} for place, expected in faults.items()]
    return Problem(422, "invalid-details", "Some details cannot be used", faults=listed)


async def answer_problem(_request: Request, problem: Exception) -> JSONResponse:
    """Starlette's exception handler for Problem."""
    assert isinstance(problem, Problem)
    return problem.response({"Retry-After": "1"} if problem.status == 503 else None)
