"""What a reader of the reports is told when a report cannot be built."""

from __future__ import annotations


class ReportError(Exception):
    """A report could not be built: what was found, what was expected, what to do next."""
