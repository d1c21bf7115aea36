"""Asking a system over HTTP whether it is ready, until it is, ends, or the deadline passes.

The one idea: between two questions we wait on the leader's process handle, not on a clock, so an early exit
is seen at once.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.deploy.processes import wait_readable
from harness.workspace.models import Readiness

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.1
_ANSWER_WITHIN = 5.0


@dataclass(frozen=True)
class Answer:
    """How the wait ended: `ready_at` (time.monotonic) if healthy, else None with the last thing seen."""

    ready_at: float | None
    last: str
    exited: bool = False


def wait_ready(
    port: int, readiness: Readiness, leader: int, exited: Callable[[], bool], *, host: str = "127.0.0.1"
) -> Answer:
    """Poll `readiness.path` until it answers `readiness.status`, at most `readiness.deadline` seconds.

    Args:
        port: Where the system should listen.
        readiness: Path, status, deadline.
        leader: The process to watch meanwhile.
        exited: Whether the leader has ended (it may be a zombie still).
        host: The address, without port.
    """
    until = time.monotonic() + readiness.deadline
    pause, last = _FIRST_PAUSE, "nothing was asked yet"
    with contextlib.ExitStack() as stack:
        handle = -1
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(leader)
            stack.callback(os.close, handle)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return Answer(None, last)
            status, last = _ask(host, port, readiness.path, min(left, _ANSWER_WITHIN))
            at = time.monotonic()
            if exited():
                return Answer(None, last, exited=True)
            if status == readiness.status and at <= until:
                return Answer(at, last)
            wait_readable(handle, min(pause, max(0.0, until - at)))
            if exited():
                return Answer(None, last, exited=True)
            pause = min(pause * 1.3, _LONGEST_PAUSE)


def _ask(host: str, port: int, path: str, within: float) -> tuple[int | None, str]:
    connection = http.client.HTTPConnection(host, port, timeout=within)
    try:
        connection.request("GET", path, headers={"Connection": "close", "User-Agent": "harness readiness"})
        response = connection.getresponse()
        response.read(65_536)
    except TimeoutError:
        return None, f"GET {path} was not answered within {within:.3g} s"
    except ConnectionRefusedError:
        return None, f"nothing listened on port {port}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return None, f"GET {path} failed: {type(error).__name__}: {error}"
    else:
        return response.status, f"GET {path} answered {response.status}"
    finally:
        connection.close()
