"""How well the generator itself did in the window: its processor share, stalls of its event loop, garbage
collections.

The one idea: a generator that is late, stalled or short of a core measures itself, so its own figures stand
beside every result and decide whether the run is valid.
"""

from __future__ import annotations

import gc
import time
from typing import Any

import gevent

from harness.load.result import GeneratorHealth

_BEAT = 0.02  # seconds between heartbeats: short against the 25 ms at which lateness spoils a run


def tame_collections() -> None:
    """Collect once, then leave what is there alone and collect rarely.

    Full collections of Locust's modules pause the loop for some 100 ms otherwise.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class Watch:
    """Watches this process between `open` and `close`."""

    def __init__(self) -> None:
        self._stall = 0.0
        self._collections = 0
        self._collecting = 0.0
        self._collection_began = 0.0
        self._opened: tuple[float, float] | None = None
        self._share = 0.0
        self._heart: Any = None

    def open(self) -> None:
        """The window opens now."""
        gc.callbacks.append(self._on_collection)
        self._opened = (time.monotonic(), time.process_time())
        self._heart = gevent.spawn(self._beat)

    def close(self) -> None:
        """The window closes now. Safe to call twice."""
        if self._heart is None or self._opened is None:
            return
        self._heart.kill()
        self._heart = None
        gc.callbacks.remove(self._on_collection)
        began, used = self._opened
        self._share = (time.process_time() - used) / max(time.monotonic() - began, 1e-9)

    def health(self, lateness_p99: float, lateness_max: float) -> GeneratorHealth:
        """The figures of the window."""
        return GeneratorHealth(
            cpu_share=self._share,
            lateness_p99=lateness_p99,
            lateness_max=lateness_max,
            stall_max=self._stall,
            collections=self._collections,
            collection_seconds=self._collecting,
        )

    def _beat(self) -> None:
        while True:
            before = time.monotonic()
            gevent.sleep(_BEAT)
            self._stall = max(self._stall, time.monotonic() - before - _BEAT)

    def _on_collection(self, phase: str, _details: dict[str, int]) -> None:
        now = time.monotonic()
        if phase == "start":
            self._collection_began = now
        else:
            self._collections += 1
            self._collecting += now - self._collection_began
