"""The system under test, as a scenario's `seed` and `audit` see it: its own API, outside of any journey.

The one idea: the calls are those of a journey, but nothing is timed, and a request without an answer raises.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, NoReturn

from locust.event import EventHook

from harness.load.outcome import StepFailed
from harness.load.session import Response, Session


class Requests:
    """HTTP calls shared by a citizen and the system under test.

    Options of all: `json=`, `data=` (text, bytes, or form fields as a mapping or pairs), `headers=`,
    `params=`, `allow_redirects=True`. Paths are the system's own ("/slots"); another host is refused.
    """

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Send any method (REPORT, MKCALENDAR …)."""
        raise NotImplementedError

    def get(self, path: str, **options: Any) -> Response:
        """Send a GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Send a POST."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """Send a PUT."""
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """Send a DELETE."""
        return self.request("DELETE", path, **options)

    def expect(self, response: Response, *statuses: int) -> Response:
        """The response again if its status is one of these.

        Raises:
            StepFailed: "status 500", with the beginning of the answer.
        """
        if response.status_code not in statuses:
            wanted = " or ".join(map(str, statuses))
            detail = f"expected {wanted} of {response.url}; found {response.text[:120]!r}"
            raise StepFailed(f"status {response.status_code}", detail)
        return response

    def fail(self, kind: str, detail: str = "") -> NoReturn:
        """The answer is wrong in a way only the scenario knows.

        Raises:
            StepFailed: always.
        """
        raise StepFailed(kind, detail)


class SystemUnderTest(Requests):
    """The system, to be seeded and audited.

    `host` is its base URL, `parameters` the scenario's, `configuration` the system's, `random` seeded by the
    plan.
    """

    def __init__(
        self,
        host: str,
        parameters: Mapping[str, Any],
        configuration: Mapping[str, Any],
        chance: random.Random,
        *,
        timeout: float = 30.0,
    ) -> None:
        self.host = host
        self.parameters = parameters
        self.configuration = configuration
        self.random = chance
        self._session = Session(host, EventHook(), None, timeout)

    def request(self, method: str, path: str, **options: Any) -> Response:
        """Send one request and return its answer, whatever the status.

        Raises:
            StepFailed: no usable answer within 30 seconds.
        """
        return self._session.send(method, path, **options)

    def close(self) -> None:
        """Close its connections."""
        self._session.renew()
