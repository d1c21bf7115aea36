"""What arrives from outside, made safe to use: its size, kind and shape are checked before it is read."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from datetime import date, datetime
from typing import Any

from starlette.requests import Request

from booking.problems import Problem

LARGEST = 16 * 1024
LARGEST_IMPORT = 8 * 1024 * 1024
_KEY = re.compile(r"[!-~]{8,100}")


def _too_large(largest: int) -> Problem:
    return Problem(413, "too-large", "The request is too large", f"At most {largest // 1024} KiB.")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _no_constants(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


async def body(request: Request, largest: int = LARGEST) -> bytes:
    """The request's body. Raises Problem 415 (not JSON), 413 (too large; reading stops there)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "not-json", "Send application/json")
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > largest:
        raise _too_large(largest)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise _too_large(largest)
        parts.append(part)
    return b"".join(parts)


def document(raw: bytes, *keys: str) -> dict[str, Any]:
    """The JSON object in a body; it may have these keys and no other. Raises Problem 400 or 422."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_repeats, parse_constant=_no_constants)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "unreadable", "The body is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise Problem(422, "not-an-object", "Send a JSON object")
    if extra := sorted(set(value) - set(keys)):
        raise Problem(
            422,
            "unknown-key",
            "The body has a key unknown here",
            f"Known: {', '.join(keys) or 'none'}.",
            keys=extra[:10],
        )
    return value


def text(value: Any, name: str, most: int = 200) -> str:
    """A string that is not empty. Raises Problem 422."""
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise Problem(
            422,
            "invalid-details",
            "Some details cannot be used",
            faults=[{"place": name, "expected": f"1 to {most} characters"}],
        )
    return value


def moment(value: Any) -> int:
    """Seconds since 1970 of an ISO 8601 time with its offset. Raises Problem 422."""
    try:
        read = datetime.fromisoformat(value)
        if read.tzinfo is None or read.microsecond:
            raise ValueError
        return int(read.timestamp())
    except (TypeError, ValueError, OverflowError) as error:
        faults = [{"place": "start", "expected": "a time with its offset, such as 2027-01-04T09:00:00+00:00"}]
        raise Problem(422, "invalid-details", "Some details cannot be used", faults=faults) from error


def day(value: str, name: str) -> date:
    """A day in a query. Raises Problem 422."""
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Problem(422, "invalid-query", f"{name}: a day such as 2027-01-04") from error


def whole(value: str, name: str, least: int, most: int) -> int:
    """A whole number in a query. Raises Problem 422."""
    if value.isascii() and value.isdigit() and len(value) <= 18 and least <= int(value) <= most:
        return int(value)
    raise Problem(422, "invalid-query", f"{name}: a whole number from {least} to {most}")


def idempotency(request: Request, raw: bytes) -> tuple[str, str]:
    """The write's key and a fingerprint of what it asks for. Raises Problem 400 without a usable key."""
    key = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise Problem(
            400,
            "key-missing",
            "Send an Idempotency-Key of 8 to 100 visible characters",
            "A new one for each thing you want done.",
        )
    asked = b"\0".join((request.method.encode(), request.url.path.encode(), raw))
    return key, hashlib.sha256(asked).hexdigest()


def require_trial_key(request: Request, trial_key: str) -> None:
    """Let only holders of the trial key pass. Raises Problem: 404 when there is none, 401 for a wrong one."""
    if not trial_key:
        raise Problem(404, "not-found", "Not found")
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {trial_key}".encode()):
        raise Problem(401, "key-needed", "Send the trial key as a bearer token")
