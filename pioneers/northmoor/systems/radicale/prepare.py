"""Make what Radicale expects to find before it starts: the account file and an empty storage folder.

Run by Radicale's own interpreter as `prepare.py CONFIGURATION SCRATCH`: reads the validated configuration and
writes SCRATCH/users (htpasswd, plain, readable by its owner only) and SCRATCH/collections.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(configuration: Path, scratch: Path) -> None:
    """Write the two; fails if either is there already, since a run starts from nothing."""
    account = json.loads(configuration.read_text(encoding="utf-8"))
    (scratch / "collections").mkdir(mode=0o700)
    descriptor = os.open(scratch / "users", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as users:
        users.write(f"{account['user']}:{account['password']}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
