"""What a system or a scenario consists of, as one hash: any change of a file that matters changes it.

The one idea: the hash is of a list of file hashes in canonical JSON, so that two different sets of files
can never run together into the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.workspace.faults import Fault, WorkspaceError

IGNORED = frozenset({"__pycache__", ".git", ".hg", ".svn", ".harness", ".DS_Store"})
"""Names of files and folders that are no part of what a person wrote."""


def canonical(data: Any) -> bytes:
    """JSON data as the one sequence of bytes that stands for it: sorted keys, no spaces, UTF-8.

    Raises:
        ValueError: not a number or infinity in the data.
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", errors="backslashreplace")


def content_hash(data: Any) -> str:
    """SHA-256, in hex, of the data's canonical JSON."""
    return hashlib.sha256(canonical(data)).hexdigest()


def strays(folder: Path, root: Path) -> list[str]:
    """What in a folder cannot be taken along: links out of `root` or to folders, and whatever is no file."""
    found = []
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() and not _leads_inside(path, root):
            found.append(f"{name}, a link out of the workspace")
        elif path.is_dir():
            found.append(f"{name}, a link to a folder")
        elif not path.is_file():
            found.append(f"{name}, which is no file")
    return found


def file_hashes(folder: Path, root: Path) -> Mapping[str, str]:
    """SHA-256, in hex, of every file in a folder, by its path relative to it, sorted.

    Raises:
        WorkspaceError: a file cannot be read.
    """
    hashes = {}
    for path in _walk(folder):
        try:
            with path.open("rb") as file:
                hashes[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            name = path.relative_to(root).as_posix()
            found = f"a file that cannot be read ({error.strerror})"
            raise WorkspaceError(
                [Fault(name, 0, 0, found, "a readable file", "check its permissions")]
            ) from error
    return dict(sorted(hashes.items()))


def _walk(folder: Path) -> list[Path]:
    """Every file below a folder, and every link to a folder; sorted, links not followed."""
    found = []
    for parent, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in IGNORED and name not in links)
        kept = (name for name in (*files, *links) if name not in IGNORED and not name.endswith(".pyc"))
        found += [Path(parent) / name for name in kept]
    return sorted(found)


def _leads_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # RuntimeError: a link that leads to itself
        return False
