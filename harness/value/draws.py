"""Seeded draws for a Monte Carlo over declared ranges and measured rounds together.

The one idea: every input has a stream of its own, named, so that arms which share an input share its draws,
and adding a line to the open book changes no other line's draws.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.value.types import Triangle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Draws:
    """`size` draws of every input, the same for the same seed and name."""

    def __init__(self, seed: int, size: int) -> None:
        self.seed = seed
        self.size = size

    def _stream(self, name: str) -> np.random.Generator:
        import numpy as np

        return np.random.Generator(np.random.PCG64([self.seed, zlib.crc32(name.encode())]))

    def triangle(self, name: str, amount: Triangle) -> NDArray[np.float64]:
        """Draws of an amount from its triangular distribution; a constant where it has no range."""
        import numpy as np

        if amount.low == amount.high:
            return np.full(self.size, amount.likely)
        return self._stream(name).triangular(amount.low, amount.likely, amount.high, self.size)

    def rounds(self, numbers: Sequence[int]) -> dict[int, NDArray[np.float64]]:
        """How often each round counts in each draw: a bootstrap of n − 1 of n rounds with replacement.

        With n − 1 the variance of a mean over the draws is s²/n, as of a mean over rounds; with n it would be
        too small by the factor (n − 1)/n (Rao & Wu 1988). A single round always counts once.
        """
        import numpy as np

        n = len(numbers)
        if n == 1:
            return {numbers[0]: np.ones(self.size)}
        counts = self._stream("rounds").multinomial(n - 1, [1 / n] * n, size=self.size).astype(float)
        return {number: counts[:, i] for i, number in enumerate(numbers)}
