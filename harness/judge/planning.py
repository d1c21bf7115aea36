"""What a protocol needs before it can reach its verdict: rounds, journeys.

The one idea: a trial that cannot answer its question is refused before it spends an hour.
"""

from __future__ import annotations

import math

from harness.judge.effect import least_detectable, normal_quantile

_MOST_ROUNDS = 100_000


def _level(alpha: float, candidates: int) -> float:
    if not 0 < alpha < 1 or candidates < 1:
        raise ValueError(f"alpha between 0 and 1 and at least one candidate; found {alpha}, {candidates}")
    return alpha / candidates


def least_rounds(alpha: float, candidates: int = 1) -> int:
    """The least number of rounds n with which the sign-flip permutation test can reach α/k: 2/2ⁿ ≤ α/k.

    Raises:
        ValueError: alpha not between 0 and 1, or no candidate.
    """
    level = _level(alpha, candidates)
    rounds = 2
    while 2.0 / 2.0**rounds > level:
        rounds += 1
    return rounds


def journeys_needed(margin: float, alpha: float) -> int:
    """Journeys an arm with which a difference metric can stay within `margin` (a fraction) even without one
    failure.

    With n successes of n in both arms, Newcombe's interval reaches down to −z²/(n + z²), so n = z²(1 − m)/m,
    rounded up; z at the interval's own level.

    Raises:
        ValueError: margin or alpha not between 0 and 1.
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin between 0 and 1; found {margin}")
    z = normal_quantile(1 - _level(alpha, 1) / 2)
    return math.ceil(z * z * (1 - margin) / margin)


def rounds_needed(
    noise: float, margin: float, alpha: float = 0.05, candidates: int = 1, power: float = 0.8
) -> int:
    """The least number of rounds whose least detectable effect is at most `margin`.

    `noise` is the standard deviation of the per-round effects and `margin` the effect to be seen, both on the
    verdict's scale (logs for ratios). Never fewer than `least_rounds`.

    Raises:
        ValueError: margin not above zero, noise negative, or more than 100,000 rounds.
    """
    if not (margin > 0 and noise >= 0 and math.isfinite(noise) and math.isfinite(margin)):
        raise ValueError(f"a margin above zero and noise of zero or more; found {margin}, {noise}")
    level = _level(alpha, candidates)

    def enough(rounds: int) -> bool:
        return least_detectable(noise, rounds, level, power) <= margin

    low = least_rounds(alpha, candidates)
    if enough(low):
        return low
    high = low
    while not enough(high):
        if high >= _MOST_ROUNDS:
            raise ValueError(f"the margin {margin:g} is out of reach at noise {noise:g}")
        low, high = high, min(high * 2, _MOST_ROUNDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
