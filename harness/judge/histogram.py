"""A mergeable histogram of durations with a bounded relative error.

The one idea: logarithmic buckets, 128 to the octave, in whole microseconds: a value is known to within 0.4%
of itself whatever its size, two histograms add without loss, and recording costs about a microsecond.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Iterator

_PER_OCTAVE = 128
_EXACT = 256  # below this many microseconds every whole microsecond has a bucket of its own
_FORMAT = 1


def _index(microseconds: int) -> int:
    """The bucket of a whole number of microseconds: linear within each octave, as HdrHistogram's."""
    if microseconds < _EXACT:
        return microseconds
    shift = microseconds.bit_length() - 8  # leaves 128..255
    return shift * _PER_OCTAVE + (microseconds >> shift)


def _middle(index: int) -> float:
    """The middle of a bucket in seconds."""
    if index < _EXACT:
        return index / 1e6
    shift = index // _PER_OCTAVE - 1
    low = (index - shift * _PER_OCTAVE) << shift
    return (low + ((1 << shift) - 1) / 2) / 1e6


class Histogram:
    """Counts of durations in seconds. Mutable while recorded; add two with `merge`."""

    __slots__ = ("_buckets", "_sum", "_top", "count")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self._sum = 0.0
        self._top = 0.0
        self.count = 0

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Histogram:
        """A histogram of these durations."""
        histogram = cls()
        for value in seconds:
            histogram.record(value)
        return histogram

    def record(self, seconds: float) -> None:
        """Count one duration; a negative one (clocks never run backwards, rounding does) counts as zero.

        Raises:
            ValueError: not finite.
        """
        if not math.isfinite(seconds):
            raise ValueError(f"a finite duration in seconds; found {seconds}")
        seconds = max(seconds, 0.0)
        index = _index(round(seconds * 1e6))
        self._buckets[index] = self._buckets.get(index, 0) + 1
        self._sum += seconds
        self._top = max(self._top, seconds)
        self.count += 1

    def merge(self, other: Histogram) -> None:
        """Add another's counts to this one's; exact."""
        for index, count in other._buckets.items():
            self._buckets[index] = self._buckets.get(index, 0) + count
        self._sum += other._sum
        self._top = max(self._top, other._top)
        self.count += other.count

    @property
    def mean(self) -> float | None:
        """Arithmetic mean in seconds, exact; None when empty."""
        return self._sum / self.count if self.count else None

    @property
    def maximum(self) -> float | None:
        """Largest duration in seconds, exact; None when empty."""
        return self._top if self.count else None

    def percentile(self, percent: float, slower: int = 0) -> float | None:
        """The nearest-rank percentile in seconds.

        `slower` counts further observations known only to rank slowest (failed and abandoned journeys). None
        when empty or when the percentile falls among those.

        Raises:
            ValueError: percent outside 0–100.
        """
        if not 0 <= percent <= 100:
            raise ValueError(f"a percentile from 0 to 100; found {percent}")
        total = self.count + slower
        rank = max(1, math.ceil(total * percent / 100 - 1e-9))
        if self.count == 0 or rank > self.count:
            return None
        seen = 0
        for index, count in sorted(self._buckets.items()):
            seen += count
            if seen >= rank:
                return min(_middle(index), self._top)
        raise AssertionError("counts and buckets disagree")

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """(seconds, observations at or below) for each bucket in use, ascending."""
        seen = 0
        for index, count in sorted(self._buckets.items()):
            seen += count
            yield _middle(index), seen

    def to_bytes(self) -> bytes:
        """A compact form, the same for equal histograms."""
        pairs = sorted(self._buckets.items())
        gaps = [b[0] - a[0] for a, b in zip([(0, 0), *pairs], pairs, strict=False)]
        data = [_FORMAT, self._sum, self._top, gaps, [count for _, count in pairs]]
        return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 9)

    @classmethod
    def from_bytes(cls, blob: bytes) -> Histogram:
        """The histogram back from `to_bytes`.

        Raises:
            ValueError: not such bytes.
        """
        try:
            version, total, top, gaps, counts = json.loads(zlib.decompress(blob))
        except (zlib.error, ValueError) as error:
            raise ValueError(f"a histogram's bytes; found {error}") from error
        if version != _FORMAT:
            raise ValueError(f"histogram format {_FORMAT}; found {version}")
        histogram = cls()
        index = 0
        for gap, count in zip(gaps, counts, strict=True):
            index += gap
            histogram._buckets[index] = count
        histogram._sum, histogram._top, histogram.count = total, top, sum(counts)
        return histogram

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._buckets == other._buckets

    __hash__ = None  # type: ignore[assignment]  # mutable
