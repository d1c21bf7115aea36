"""One trial of a pilot at a time on this machine: an advisory lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.trial.errors import TrialError


@contextmanager
def pilot_lock(folder: Path, pilot: str) -> Iterator[None]:
    """Hold the pilot's lock in `folder` for the time of the block.

    Raises:
        TrialError: another harness holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{pilot.replace('/', '--')}.lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            raise TrialError(
                f"{pilot} is already being run by process {holder}",
                advice="wait until it has finished, or end that process",
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield
