"""`harness --help` is instant: a ratio against the imports it cannot do without, the two timed in turn."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

HELP = [sys.executable, "-m", "harness", "--help"]
IMPORTS = [sys.executable, "-c", "import click, rich"]


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def test_help_takes_at_most_half_as_long_again_as_its_imports(benchmark) -> None:
    timed(HELP), timed(IMPORTS)  # bytecode and file cache
    imports: list[float] = []
    helps: list[float] = []

    def pair() -> None:
        imports.append(timed(IMPORTS))
        helps.append(timed(HELP))

    benchmark.pedantic(pair, rounds=15)
    ratio = statistics.median(h / i for h, i in zip(helps, imports, strict=True))
    benchmark.extra_info["ratio_to_imports"] = ratio
    assert ratio <= 1.5, f"median ratio {ratio:.2f}"
