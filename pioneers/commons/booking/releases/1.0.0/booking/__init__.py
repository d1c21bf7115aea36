"""booking 1.0.0: appointments with a public body. Resources, calendars, availability, hold, confirm, cancel."""

__version__ = "1.0.0"
