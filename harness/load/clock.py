"""Waking greenlets at a moment of CLOCK_MONOTONIC, to a fraction of a millisecond.

The one idea: libev's timers round to milliseconds, a Linux timerfd does not; one of them, always armed for
the earliest sleeper, wakes them all (median lateness 0.3 ms instead of 0.95 ms). Elsewhere `gevent.sleep`
does, less finely.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import os
import time
from typing import Any

import gevent
from gevent.hub import Waiter, get_hub

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_READ = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Clock:
    """Sleeps until moments of `time.monotonic()`; `precise` False is gevent's own timers. Close it after."""

    def __init__(self, *, precise: bool = True) -> None:
        self._sleepers: list[tuple[float, int, Any]] = []
        self._numbers = itertools.count()
        self._descriptor = _timerfd() if precise else None
        if self._descriptor is not None:
            self._watcher = get_hub().loop.io(self._descriptor, _READ)
            self._watcher.start(self._wake)

    @property
    def precise(self) -> bool:
        """Whether a timerfd is in use."""
        return self._descriptor is not None

    def sleep_until(self, moment: float) -> None:
        """Return at `moment`, or at once if it has passed."""
        left = moment - time.monotonic()
        if left <= 0:
            return
        if self._descriptor is None:
            gevent.sleep(left)
            return
        waiter = Waiter()
        heapq.heappush(self._sleepers, (moment, next(self._numbers), waiter))
        if self._sleepers[0][2] is waiter:
            self._arm(moment)
        waiter.get()

    def close(self) -> None:
        """Free the timer; nobody may be sleeping any more."""
        if self._descriptor is not None:
            self._watcher.stop()
            self._watcher.close()
            os.close(self._descriptor)
            self._descriptor = None

    def _arm(self, moment: float) -> None:
        seconds = int(moment)
        value = _Timespec(seconds, max(1, int((moment - seconds) * 1e9)))
        spec = _Timerspec(_Timespec(0, 0), value)
        _LIBC.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(spec), None)

    def _wake(self) -> None:
        """In the hub: switch to every sleeper whose moment has come. One interrupted meanwhile ignores its
        switch.
        """
        assert self._descriptor is not None
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return
        while self._sleepers and self._sleepers[0][0] <= time.monotonic():
            heapq.heappop(self._sleepers)[2].switch(None)
        if self._sleepers:
            self._arm(self._sleepers[0][0])


_LIBC = ctypes.CDLL(None, use_errno=True)


def _timerfd() -> int | None:
    create = getattr(_LIBC, "timerfd_create", None)
    if create is None:
        return None
    descriptor = create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    return descriptor if descriptor >= 0 else None
