"""Every file of a workspace that a person wrote, found and read, each for itself.

The one idea: a file that cannot be read or is not sound keeps its place among the sources without a
model, so that others which refer to it are not blamed for it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from harness.workspace import openbook, yamlfile
from harness.workspace.faults import Fault
from harness.workspace.models import Block, Body, Pilot, Programme, Scenario
from harness.workspace.validation import validate
from harness.workspace.yamlfile import Document

M = TypeVar("M", bound=BaseModel)

NOT_BODIES = ("commons", "group")
"""Folders of `pioneers` that hold something else than a body."""


@dataclass(frozen=True)
class Source(Generic[M]):
    """One file: its path relative to the root, what stands where, and its model if it is sound."""

    file: str
    path: Path
    document: Document | None
    model: M | None

    @property
    def folder(self) -> Path:
        """The folder that the file lies in."""
        return self.path.parent


@dataclass(frozen=True)
class OpenBook:
    """A body's open book: the sound lines of it."""

    file: str
    lines: tuple[openbook.PlacedLine, ...]


@dataclass
class Sources:
    """All files by name: blocks, bodies, open books and scenarios by folder, pilots by `body/file`."""

    root: Path
    programme: Source[Programme] | None = None
    blocks: dict[str, Source[Block]] = field(default_factory=dict)
    bodies: dict[str, Source[Body]] = field(default_factory=dict)
    books: dict[str, OpenBook] = field(default_factory=dict)
    scenarios: dict[str, Source[Scenario]] = field(default_factory=dict)
    pilots: dict[str, Source[Pilot]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: Path, found: str, expected: str, advice: str) -> None:
        """Note a fault of a whole file or folder."""
        self.faults.append(Fault(self.relative(path), 0, 0, found, expected, advice))

    def relative(self, path: Path) -> str:
        """A path as faults print it."""
        return path.relative_to(self.root).as_posix()


def read(root: Path) -> Sources:
    """Find and read every file of the workspace at `root` (resolved); faults are collected, never raised."""
    sources = Sources(root)
    pioneers = root / "pioneers"
    sources.programme = _read(sources, pioneers / "programme.yaml", Programme, "programme")
    for folder in _folders(sources, pioneers / "commons"):
        block = _read(sources, folder / "block.yaml", Block, "block", folder.name)
        if block is not None:
            sources.blocks[folder.name] = block
    for folder in _folders(sources, pioneers):
        if folder.name not in NOT_BODIES:
            _read_body(sources, folder)
    for folder in _folders(sources, root / "scenarios"):
        scenario = _read(sources, folder / "scenario.yaml", Scenario, "scenario", folder.name)
        if scenario is not None:
            sources.scenarios[folder.name] = scenario
    return sources


def _read_body(sources: Sources, folder: Path) -> None:
    manifest, book, pilots = folder / "body.yaml", folder / "open-book.csv", folder / "pilots"
    if not any(_there(path) for path in (manifest, book, pilots, manifest.with_suffix(".yml"))):
        return  # files that systems share, say
    body = _read(sources, manifest, Body, "body", folder.name)
    if body is not None:
        sources.bodies[folder.name] = body
    if _there(book):
        content = _content(sources, book, openbook.LARGEST)
        lines, faults = openbook.parse(content, sources.relative(book)) if content is not None else ([], [])
        sources.faults += faults
        sources.books[folder.name] = OpenBook(sources.relative(book), tuple(lines))
    for path in _children(sources, pilots):
        if path.suffix == ".yml":
            sources.fault(path, "a file that ends in .yml", "one that ends in .yaml", "rename it")
        elif path.suffix == ".yaml":
            pilot = _read(sources, path, Pilot, "pilot", path.stem)
            if pilot is not None:
                sources.pilots[f"{folder.name}/{path.stem}"] = pilot


def _read(sources: Sources, path: Path, model: type[M], key: str, name: str = "") -> Source[M] | None:
    """One YAML file; None if there is no such file. `key` of the file must say `name`."""
    file = sources.relative(path)
    if not _there(path):
        other = path.with_suffix(".yml")
        found = f"no such file, but {other.name}" if _there(other) else "no such file"
        advice = (
            f"rename {other.name}"
            if _there(other)
            else f"write it (`harness schema {key}` says what it holds)"
        )
        sources.fault(path, found, f"the file of the {key}", advice)
        return None
    content = _content(sources, path, yamlfile.LARGEST)
    if content is None:
        return Source(file, path, None, None)
    document, faults = yamlfile.parse(content, file)
    sources.faults += faults
    if document is None:
        return Source(file, path, None, None)
    checked, faults = validate(model, document)
    sources.faults += faults
    written = document.data.get(key) if isinstance(document.data, Mapping) else None
    if name and isinstance(written, str) and written != name:
        place = "file" if key == "pilot" else "folder"
        advice = f"write {key}: {name}, or rename the {place}"
        sources.faults.append(
            document.fault((key,), f'"{written}"', f"{name}, the name of its {place}", advice)
        )
    return Source(file, path, document, checked)


def _content(sources: Sources, path: Path, largest: int) -> bytes | None:
    """The file's bytes, one more than `largest` at most; None with a fault if it cannot be used."""
    try:
        if not path.resolve().is_relative_to(sources.root):
            sources.fault(
                path, "a link out of the workspace", "a file in the workspace", "put the file itself there"
            )
            return None
        if not stat.S_ISREG(path.stat().st_mode):
            sources.fault(path, "something that is no file", "a file", "put a file there")
            return None
        with path.open("rb") as file:
            return file.read(largest + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "a link that leads to itself"
        )
        sources.fault(
            path, f"a file that cannot be read ({reason})", "a readable file", "check its permissions"
        )
        return None


def _there(path: Path) -> bool:
    """Whether anything of that name is there, a broken link too."""
    return path.is_symlink() or path.exists()


def _children(sources: Sources, folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without what is hidden; empty if it is none."""
    if not _there(folder):
        return []
    try:
        if not folder.resolve().is_relative_to(sources.root):
            sources.fault(
                folder,
                "a link out of the workspace",
                "a folder in the workspace",
                "put the folder itself there",
            )
            return []
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    except (OSError, RuntimeError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "a link that leads to itself"
        )
        sources.fault(
            folder, f"a folder that cannot be read ({reason})", "a readable folder", "check its permissions"
        )
        return []


def _folders(sources: Sources, parent: Path) -> Iterator[Path]:
    for path in _children(sources, parent):
        if path.is_dir():
            yield path
