"""The arithmetic of an effect: intervals, the permutation p, the least detectable effect.

The one idea: the sample is one effect a round (never a request), so everything is small: a t interval over
rounds, exact enumeration of sign flips, and for proportions a score interval on the pooled counts beside it.
NumPy and SciPy are imported where they are used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

EXACT_UP_TO = 32
"""Rounds up to which the permutation p is exact; beyond it is sampled."""

_SAMPLES = 100_000


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return math.fsum(values) / len(values)


def geometric_mean(values: Sequence[float]) -> float:
    """exp of the mean log; values above zero."""
    return math.exp(mean([math.log(value) for value in values]))


def spread(values: Sequence[float]) -> float:
    """Standard deviation with n − 1; zero where the values differ by rounding only.

    Raises:
        ValueError: fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"at least two values for a spread; found {len(values)}")
    if max(values) - min(values) <= 1e-12 * max(1.0, *(abs(value) for value in values)):
        return 0.0
    centre = mean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, probability))


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def t_interval(values: Sequence[float], alpha: float) -> tuple[float, float]:
    """Mean ± t(1 − α/2, n − 1)·s/√n, two-sided at level 1 − α (Student 1908)."""
    half = t_quantile(1 - alpha / 2, len(values) - 1) * spread(values) / math.sqrt(len(values))
    centre = mean(values)
    return centre - half, centre + half


def least_detectable(noise: float, rounds: int, alpha: float, power: float = 0.8) -> float:
    """The effect that n rounds find with this power: (t(1 − α/2, n − 1) + t(power, n − 1))·s/√n."""
    sum_of_t = t_quantile(1 - alpha / 2, rounds - 1) + t_quantile(power, rounds - 1)
    return sum_of_t * noise / math.sqrt(rounds)


def sign_flip_p(effects: Sequence[float], seed: int = 0) -> float:
    """Two-sided p of the sign-flip permutation test of mean zero (Fisher 1935).

    Of all 2ⁿ ways to give the effects signs, the share whose mean lies at least as far from zero as the one
    found. Exact up to `EXACT_UP_TO` effects by meeting in the middle (both halves' 2^(n/2) sums, one sorted);
    beyond, 100,000 seeded flips with the one found counted in (Phipson & Smyth 2010).

    Raises:
        ValueError: no effects.
    """
    import numpy as np

    values = np.asarray(effects, dtype=float)
    if values.size == 0:
        raise ValueError("at least one effect; found none")
    # sums are compared with a tolerance, so that ties by symmetry are not lost to rounding
    found = abs(math.fsum(effects)) - 1e-9 * float(np.abs(values).sum())
    if found <= 0:
        return 1.0
    if values.size > EXACT_UP_TO:
        return _sampled_p(effects, found, seed)

    def sums(half: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        total = np.zeros(1)
        for value in half:
            total = np.concatenate((total - value, total + value))
        return total

    middle = values.size // 2
    left, right = sums(effects[:middle]), np.sort(sums(effects[middle:]))
    above = right.size - np.searchsorted(right, found - left, side="left")
    return min(1.0, 2 * int(above.sum()) / 2.0**values.size)


def _sampled_p(effects: Sequence[float], found: float, seed: int) -> float:
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(seed))
    values = np.asarray(effects, dtype=float)
    beyond, left = 0, _SAMPLES
    while left:
        size = min(left, 10_000)
        signs = rng.integers(0, 2, size=(size, values.size), dtype=np.int8) * 2 - 1
        beyond += int((np.abs(signs @ values) >= found).sum())
        left -= size
    return (beyond + 1) / (_SAMPLES + 1)


def wilson(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Score interval of one proportion at level 1 − α (Wilson 1927).

    Raises:
        ValueError: no trials, or counts that cannot be.
    """
    if trials <= 0 or not 0 <= successes <= trials:
        raise ValueError(f"0 ≤ successes ≤ trials, at least one trial; found {successes} of {trials}")
    z2 = normal_quantile(1 - alpha / 2) ** 2
    p = successes / trials
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2 * (p * (1 - p) + z2 / (4 * trials)) / trials) / (1 + z2 / trials)
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == trials else centre + half
    return low, high


def newcombe(counts: tuple[int, int, int, int], alpha: float) -> tuple[float, float]:
    """Hybrid score interval of after − before of two proportions (Newcombe 1998, method 10), level 1 − α.

    `counts`: before successes, before trials, after successes, after trials.
    """
    before, before_n, after, after_n = counts
    p, q = before / before_n, after / after_n
    p_low, p_high = wilson(before, before_n, alpha)
    q_low, q_high = wilson(after, after_n, alpha)
    low = q - p - math.hypot(q - q_low, p_high - p)
    high = q - p + math.hypot(q_high - q, p - p_low)
    return low, high


def hull(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """The smallest interval that holds both."""
    return min(first[0], second[0]), max(first[1], second[1])


def spread_p(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Two-sided p that two paired samples differ in spread (Pitman 1939, Morgan 1939).

    The correlation of sums and differences of the pairs is zero exactly if the spreads are equal. None with
    fewer than three pairs or where nothing varies.
    """
    from scipy.special import stdtr

    n = len(first)
    sums = [x + y for x, y in zip(first, second, strict=True)]
    gaps = [x - y for x, y in zip(first, second, strict=True)]
    if n < 3 or spread(sums) == 0 or spread(gaps) == 0:
        return None
    a, b = mean(sums), mean(gaps)
    r = math.fsum((x - a) * (y - b) for x, y in zip(sums, gaps, strict=True)) / (
        (n - 1) * spread(sums) * spread(gaps)
    )
    if abs(r) >= 1 - 1e-12:
        return 0.0
    t = r * math.sqrt((n - 2) / (1 - r * r))
    return float(2 * stdtr(n - 2, -abs(t)))
