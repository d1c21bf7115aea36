"""Command line of the service: `initialise` makes the book, `serve` runs the service over it."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from pathlib import Path

from booking.book import initialise
from booking.configuration import ConfigurationError, read


def main() -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="booking")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("initialise", "serve"):
        command = commands.add_parser(name)
        command.add_argument("--configuration", type=Path, required=True)
        command.add_argument("--database", type=Path, required=True)
        if name == "serve":
            command.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    try:
        configuration = read(asked.configuration)
        if asked.command == "initialise":
            initialise(asked.database)
            return 0
    except (ConfigurationError, sqlite3.Error) as error:
        print(f"booking: {error}", file=sys.stderr)  # noqa: T201
        return 2
    import uvicorn

    os.environ["BOOKING_CONFIGURATION"] = str(asked.configuration.resolve())
    os.environ["BOOKING_DATABASE"] = str(asked.database.resolve())
    uvicorn.run(
        "booking.app:from_environment",
        factory=True,
        host="127.0.0.1",
        port=asked.port,
        workers=configuration.workers,
        access_log=False,
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
