"""A run's own scratch folder: private, handed to the user the system runs as, removed whatever is in it.

The one idea: a small file in it bears the deployment's token, and only a folder that bears the expected token
is ever removed, so that a forged or stale entry cannot make anyone delete a folder of their own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from pathlib import Path

_MARK = ".deployment"


def make_scratch(folder: Path, token: str, owner: tuple[int, int] | None = None) -> None:
    """Make the folder (or take an empty one), private to `owner` (user and group id; None: our own).

    Raises:
        FileExistsError: it holds something already.
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"the scratch folder {folder} is not empty; every run needs one of its own")
    folder.chmod(0o700)
    (folder / _MARK).write_text(token)
    if owner is not None:
        os.chown(folder, *owner)


def remove_scratch(folder: Path, token: str) -> list[str]:
    """Remove the folder if it bears the token; read-only files are no obstacle, links are not followed.

    Returns:
        One sentence if something was removed or had to be left, nothing if there was nothing.
    """
    if folder.is_symlink() or not folder.is_dir():
        return []
    try:
        bears = (folder / _MARK).read_text() == token
    except OSError:
        bears = False
    if not bears:
        return (
            []
            if _remove_empty(folder)
            else [f"left {folder} alone: it does not bear this deployment's token"]
        )
    until = time.monotonic() + 2.0
    while True:
        _open_up(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return [f"removed the scratch folder {folder}"]
        if time.monotonic() > until:
            return [f"could not remove all of {folder}; remove it by hand"]
        time.sleep(0.02)


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _open_up(folder: Path) -> None:
    """Give ourselves the rights on its folders that the system took away."""
    with contextlib.suppress(OSError):
        folder.chmod(stat.S_IRWXU)
    for root, names, _ in os.walk(folder):
        for name in names:
            place = Path(root, name)
            with contextlib.suppress(OSError):
                if not place.is_symlink():
                    place.chmod(stat.S_IRWXU)
