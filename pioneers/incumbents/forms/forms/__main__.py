"""Command line: `initialise` makes the database, `nightly` runs the nightly job, `serve` runs the pages."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from datetime import datetime
from pathlib import Path

from forms.configuration import ConfigurationError, read
from forms.database import connect, initialise


def main() -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="forms")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("initialise", "nightly", "serve"):
        command = commands.add_parser(name)
        command.add_argument("--configuration", type=Path, required=True)
        command.add_argument("--database", type=Path, required=True)
        if name == "serve":
            command.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    try:
        configuration = read(asked.configuration)
        now = time.time()
        today = datetime.fromtimestamp(now, configuration.zone).date()
        if asked.command == "initialise":
            initialise(asked.database, configuration, today, now)
            return 0
        if asked.command == "nightly":
            with connect(asked.database) as database, database.changing():
                database.extend_diary(configuration, today)
                database.nightly(now)
            return 0
    except (ConfigurationError, sqlite3.Error) as error:
        print(f"forms: {error}", file=sys.stderr)  # noqa: T201
        return 2
    import uvicorn

    os.environ["FORMS_CONFIGURATION"] = str(asked.configuration.resolve())
    os.environ["FORMS_DATABASE"] = str(asked.database.resolve())
    uvicorn.run(
        "forms.app:from_environment",
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
