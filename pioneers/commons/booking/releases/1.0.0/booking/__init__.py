"""booking 1.0.0: appointments: resources, calendars, availability, hold, confirm, cancel."""

__version__ = "1.0.0"
