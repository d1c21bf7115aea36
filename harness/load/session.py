"""One citizen's HTTP session: FastHttpUser's client, made safe against what a system may answer.

The one idea: an answer is untrusted. Its size is bounded on the wire and after inflating, it cannot send the
load to another host, nothing is retried behind the measurement's back, and whatever goes wrong comes out as
one named `StepFailed`.
"""

from __future__ import annotations

import errno
import json as json_module
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urlsplit

import gevent
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from geventhttpclient.useragent import RetriesExceeded
from locust.contrib.fasthttp import (
    ErrorResponse,
    FastHttpSession,
    FastRequest,
    FastResponse,
    LocustBadStatusCode,
    LocustUserAgent,
)

from harness.load.outcome import StepFailed

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of one answer, on the wire and inflated, before it is a failure."""

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
_MAX_REDIRECTS = 10
_HEADERS = {"User-Agent": "pioneer-harness", "Accept-Encoding": "gzip, deflate"}


class NoAnswerError(OSError):
    """A request without a usable answer. An OSError, so that Locust's own listeners count it as a failed
    request.
    """

    def __init__(self, kind: str, detail: str, *, unanswered: bool) -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind, self.detail, self.unanswered = kind, detail, unanswered


class _RefusedError(Exception):
    """Something this session will not do or take, already named."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Fields(dict[str, Any]):
    """A JSON object from a system. A key that is not there is the system's failure, not a bug of the
    scenario.
    """

    def __missing__(self, key: str) -> Any:
        raise StepFailed("malformed answer", f"no {key!r} among {sorted(self)[:12]}")


class Response(FastResponse):  # type: ignore[misc]
    """A system's answer: `status_code`, `text`, `content`, `headers`, `url` (the last one, after redirects),
    `json()`.
    """

    @property
    def content(self) -> bytes:
        """The body, inflated; at most LARGEST_ANSWER bytes."""
        try:
            return self._cached_content  # type: ignore[no-any-return, has-type]
        except AttributeError:
            self._cached_content = self._body()
            return self._cached_content

    @property
    def text(self) -> str:
        """The body as text in its declared character set (UTF-8 where none is declared or known)."""
        charset = "utf-8"
        for part in str(self._header("content-type")).split(";")[1:]:
            key, _, value = part.strip().partition("=")
            if key.lower() == "charset":
                charset = value.strip("\"' ")
        try:
            return self.content.decode(charset, "replace")
        except (LookupError, ValueError):  # no such character set, or not one for text
            return self.content.decode("utf-8", "replace")

    def json(self, kind: type = object) -> Any:
        """The body as JSON; with `kind` (dict, list …) also checked to be one.

        Objects answer a missing key with a step failure. Raises StepFailed("malformed answer").
        """
        try:
            data = json_module.loads(self.content, object_hook=Fields)
        except (ValueError, RecursionError) as error:
            raise StepFailed("malformed answer", f"not JSON ({error}): {self.text[:80]!r}") from None
        if not isinstance(data, kind):
            raise StepFailed("malformed answer", f"expected a JSON {kind.__name__}; found {self.text[:80]!r}")
        return data

    def raise_for_status(self) -> None:
        """What Locust's statistics call a failure; the scenario decides for itself with `expect`."""
        if self.status_code >= 400:
            raise LocustBadStatusCode(self.url, code=self.status_code)

    def _header(self, name: str) -> str:
        values = self.headers.getlist(name)
        return str(values[0]) if values else ""

    def _body(self) -> bytes:
        encoding = self._header("content-encoding").lower()
        try:
            raw = bytes(self._response.read())
            if encoding in ("", "identity") or not raw:
                return raw
            if encoding == "gzip":
                return _inflate(raw, 16 + zlib.MAX_WBITS)
            if encoding == "deflate":
                try:
                    return _inflate(raw, zlib.MAX_WBITS)
                except zlib.error:
                    return _inflate(raw, -zlib.MAX_WBITS)
            raise _RefusedError("malformed answer", f"content-encoding {encoding!r}, which was not asked for")
        finally:
            self.release()


def _inflate(raw: bytes, window: int) -> bytes:
    inflater = zlib.decompressobj(window)
    data = inflater.decompress(raw, LARGEST_ANSWER)
    if inflater.unconsumed_tail:
        raise _RefusedError("answer too large", f"over {LARGEST_ANSWER} bytes once inflated")
    return data


class _BoundedSocket:
    """A connection that counts the bytes of the answer being read and stops at LARGEST_ANSWER, headers
    included.
    """

    __slots__ = ("_received", "_socket")

    def __init__(self, connected: Any) -> None:
        self._socket = connected
        self._received = 0

    def sendall(self, data: bytes) -> None:
        self._received = 0
        self._socket.sendall(data)

    def recv(self, size: int) -> bytes:
        data: bytes = self._socket.recv(size)
        self._received += len(data)
        if self._received > LARGEST_ANSWER:
            raise _RefusedError("answer too large", f"over {LARGEST_ANSWER} bytes")
        return data

    def fileno(self) -> int:
        return int(self._socket.fileno())

    def settimeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def close(self) -> None:
        self._socket.close()


class _Connections(HTTPClientPool):  # type: ignore[misc]
    """Connections that are bounded, resolve a name once, and never retry by themselves."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened = 0

    def get_client(self, url: Any) -> HTTPClient:
        known = self.clients.get((url.host, url.port))
        if known is not None:
            return known
        client = super().get_client(url)
        pool = client._connection_pool
        pool._create_socket = self._bounded(pool._create_socket)
        pool._resolve = _once(pool._resolve)
        pool.size = (
            -1
        )  # geventhttpclient retries `size + 1` times a request that was sent in full; that would hide resets
        return client

    def _bounded(self, create: Callable[[], Any]) -> Callable[[], _BoundedSocket]:
        def opened() -> _BoundedSocket:
            self.opened += 1
            return _BoundedSocket(create())

        return opened


def _once(resolve: Callable[[], Any]) -> Callable[[], Any]:
    found: list[Any] = []

    def resolved() -> Any:
        if not found:
            found.append(resolve())
        return found[0]

    return resolved


class _Request(FastRequest):  # type: ignore[misc]
    """A request that may be redirected within its own origin only: load is never put on a stranger."""

    def redirect(self, code: int, location: str) -> None:
        super().redirect(code, location)
        if not self._is_same_origin():
            raise _RefusedError("redirected elsewhere", f"to {self.url[:120]}")


class _Agent(LocustUserAgent):  # type: ignore[misc]
    response_type = Response
    request_type = _Request

    def _verify_status(self, status_code: int, url: Any = None) -> None:
        """Every status is an answer; what it means is the scenario's to say."""

    def _handle_error(self, e: BaseException, url: Any = None) -> BaseException:  # noqa: ARG002 - its seam
        raise e

    def _urlopen(self, request: Any) -> Response:
        opened = self.clientpool.opened
        try:
            return self._answer(request)
        except (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError):
            # A kept-alive connection may be closed by the system just as it is used again, which is nobody's
            # failure: like a browser, try a safe request once more on a fresh one (RFC 9112, 9.3.1).
            if request.method not in _IDEMPOTENT or self.clientpool.opened != opened:
                raise
            self.clientpool.close()
            return self._answer(request)

    def _answer(self, request: Any) -> Response:
        answer: Response = super()._urlopen(request)
        return answer


class Session(FastHttpSession):  # type: ignore[misc]
    """A citizen's session with one host: cookies, kept-alive connections, Locust's request event."""

    def __init__(self, host: str, request_event: Any, user: Any, timeout: float) -> None:
        super().__init__(base_url=host.rstrip("/"), request_event=request_event, user=user, insecure=False)
        self.cookiejar = CookieJar()
        self.client = _Agent(
            cookiejar=self.cookiejar,
            headers=_HEADERS,
            max_redirects=_MAX_REDIRECTS,
            max_retries=0,
            client_pool=_Connections(
                concurrency=1,
                block_size=65536,
                connection_timeout=timeout,
                network_timeout=timeout,
                ssl_context_factory=gevent.ssl.create_default_context,
            ),
        )

    def send(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        json: Any = None,
        data: str | bytes | Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        allow_redirects: bool = True,
    ) -> Response:
        """Send one request and read its answer, whatever the status.

        Raises:
            StepFailed: no usable answer; the kind says why.
            gevent.Timeout: the caller's own timer ran out.
        """
        wanted = dict(headers or {})
        body = self._body(json, data, wanted)
        if not self._own(path):
            raise StepFailed("sent elsewhere", f"a path on {self.base_url}; found {path[:120]!r}")
        limits = {} if allow_redirects else {"max_redirects": 0}
        response = self.request(method, path, name=name, data=body, headers=wanted, params=params, **limits)
        error = getattr(response, "error", None)
        if error is None:
            return response  # type: ignore[no-any-return]
        if isinstance(error, NoAnswerError):
            raise StepFailed(error.kind, error.detail, unanswered=error.unanswered)
        raise error

    def renew(self) -> None:
        """Forget everything: cookies and connections, whatever state an interrupted request left them in."""
        self.forget()
        self.client.clientpool.close()

    def forget(self) -> None:
        """Clear the cookies: the next citizen is somebody else."""
        self.cookiejar.clear()

    def _own(self, path: str) -> bool:
        if path.startswith("/"):
            return not path.startswith("//")
        own, other = urlsplit(self.base_url), urlsplit(path)
        return (own.scheme, own.netloc) == (other.scheme, other.netloc)

    def _body(self, json: Any, data: Any, headers: dict[str, str]) -> str | bytes | None:
        given = {name.lower() for name in headers}
        if data is None and json is not None:
            if "content-type" not in given:
                headers["Content-Type"] = "application/json"
            if "accept" not in given:
                headers["Accept"] = "application/json"
            return json_module.dumps(json).encode()
        if data is None or isinstance(data, str | bytes):
            return data
        if "content-type" not in given:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return urlencode(data, doseq=True).encode()

    def _send_request_safe_mode(self, method: str, url: str, **kwargs: Any) -> Response | ErrorResponse:
        """Locust's seam: an error becomes a response that carries it, so that the request event still fires.

        The body is read here, inside the same net. Everything is caught because everything here comes of what
        the system sent (geventhttpclient and http.cookiejar raise KeyError, ValueError and more on hostile
        answers).
        """
        try:
            response: Response = self.client.urlopen(url, method=method, **kwargs)
            _ = response.content
        except gevent.Timeout as timer:
            return ErrorResponse(None, timer)
        except Exception as error:  # noqa: BLE001 - see above; named and counted, never lost
            return ErrorResponse(None, _named(error))
        return response


def _named(error: Exception) -> NoAnswerError:
    """What went wrong in words that can be counted."""
    if isinstance(error, _RefusedError):
        return NoAnswerError(error.kind, str(error), unanswered=False)
    if isinstance(error, HTTPConnectionClosed) and isinstance(error.__context__, ConnectionResetError):
        error = error.__context__  # geventhttpclient calls both the same
    for kinds, name in _SILENCES:
        if isinstance(error, kinds):
            return NoAnswerError(name, str(error), unanswered=True)
    if isinstance(error, RetriesExceeded):
        return NoAnswerError("redirected too often", f"more than {_MAX_REDIRECTS} times", unanswered=False)
    if isinstance(error, HTTPParseError | zlib.error | UnicodeError):
        return NoAnswerError("malformed answer", str(error), unanswered=False)
    if isinstance(error, OSError):
        code = errno.errorcode.get(error.errno or 0, "")
        return NoAnswerError(f"network error {code}".strip(), str(error), unanswered=True)
    if isinstance(error, ValueError) and str(error).startswith("invalid "):
        return NoAnswerError("unsendable request", str(error), unanswered=False)
    return NoAnswerError("malformed answer", f"{type(error).__name__}: {error}", unanswered=False)


_SILENCES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (ConnectionRefusedError, "connection refused"),
    ((ConnectionResetError, BrokenPipeError, ConnectionAbortedError), "connection reset"),
    (HTTPConnectionClosed, "connection closed"),
    (TimeoutError, "timeout"),
    (socket.gaierror, "name not resolved"),
    (ssl.SSLError, "certificate or TLS refused"),
)
