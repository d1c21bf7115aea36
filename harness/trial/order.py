"""The order of arms in each round: seeded and balanced.

The one idea: rounds come in blocks of as many rounds as there are arms; within a block every arm takes every place exactly
once (a cyclic Latin square), so over any number of rounds how often an arm takes each place differs by at most one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence


def derive(seed: int, *parts: str | int) -> int:
    """A seed for one purpose, fixed by the trial's seed and the purpose's name (SHA-256, 63 bits)."""
    text = "/".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def orders(arms: Sequence[str], rounds: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """The order of arms of each round, `rounds` of them."""
    result: list[tuple[str, ...]] = []
    block = 0
    while len(result) < rounds:
        shuffler = random.Random(derive(seed, "order", block))  # noqa: S311 - reproducible, not secret
        base = list(arms)
        shuffler.shuffle(base)
        shifts = list(range(len(base)))
        shuffler.shuffle(shifts)
        result.extend(tuple(base[shift:] + base[:shift]) for shift in shifts)
        block += 1
    return tuple(result[:rounds])
