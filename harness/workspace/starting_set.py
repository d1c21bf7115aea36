"""The starting set: what `harness init` puts into a new workspace, to be changed into one's own.

The one idea: there is one copy of it. A wheel carries the repository's own folders; in a source checkout they
lie beside the package.
"""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

from harness.workspace.content import IGNORED
from harness.workspace.faults import Fault, WorkspaceError

FOLDERS = ("scenarios", "pioneers", "reports/templates", "reports/theme")
"""What the starting set consists of."""

GITIGNORE = "# What the harness makes and anybody can make again.\n.harness/\nreports/site/\n__pycache__/\n"


def initialise(target: Path) -> list[Path]:
    """Make a new workspace in `target`, which is created, or empty; returns the files written, sorted.

    Raises:
        WorkspaceError: the target is not empty, or no folder, or not writable; or there is no starting set.
    """
    source = _source()
    _refuse_unless_empty(target)
    wanted = sorted(path for folder in FOLDERS for path in _files(source / folder))
    written = []
    try:
        for folder in FOLDERS:
            (target / folder).mkdir(parents=True, exist_ok=True)
        for path in wanted:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            written.append(copy)
        (target / ".gitignore").write_text(GITIGNORE, encoding="utf-8")
    except OSError as error:
        raise _refusal(
            f"{target}, which cannot be written ({error.strerror})", "choose another folder"
        ) from error
    return sorted([*written, target / ".gitignore"])


def _source() -> Path:
    package = Path(str(files("harness")))
    for folder in (package / "starting_set", package.parent):
        if (folder / "scenarios").is_dir() and (folder / "pioneers").is_dir():
            return folder
    found = f"no starting set in {package} or beside it"
    raise WorkspaceError([Fault("", 0, 0, found, "one in every installation", "install the harness anew")])


def _files(folder: Path) -> list[Path]:
    """Every file below a folder, without caches, compiled code and links."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name in IGNORED or path.suffix == ".pyc" or path.is_symlink():
            continue
        found += _files(path) if path.is_dir() else [path]
    return found


def _refuse_unless_empty(target: Path) -> None:
    try:
        if target.is_dir() and any(target.iterdir()):
            raise _refusal(f"{target}, which is not empty", "name a new folder, or empty this one")
        if (target.exists() or target.is_symlink()) and not target.is_dir():
            raise _refusal(f"{target}, which is no folder", "name a new folder")
    except OSError as error:
        raise _refusal(
            f"{target}, which cannot be read ({error.strerror})", "choose another folder"
        ) from error


def _refusal(found: str, advice: str) -> WorkspaceError:
    return WorkspaceError([Fault("", 0, 0, found, "a new or an empty folder", advice)])
