"""Why a trial could not go on, with the exit code that DESIGN's contract gives it."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command; several at once: 130 > 2 > 1 > 3 > 4 > 0."""

    DONE = 0
    HARNESS_FAILED = 1
    BAD_INPUT = 2
    WORSE = 3
    NO_VERDICT = 4
    INTERRUPTED = 130


_RANK = (Exit.INTERRUPTED, Exit.BAD_INPUT, Exit.HARNESS_FAILED, Exit.WORSE, Exit.NO_VERDICT, Exit.DONE)


def worst(codes: list[Exit]) -> Exit:
    """The code to exit with when several commands' outcomes meet; DONE for none."""
    return min(codes, key=_RANK.index, default=Exit.DONE)


class TrialError(Exception):
    """A trial that cannot start or go on. `code` is the exit code, `advice` the next step, `log` an excerpt to show."""

    def __init__(self, message: str, *, code: Exit = Exit.BAD_INPUT, advice: str = "", log: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.advice = advice
        self.log = log
