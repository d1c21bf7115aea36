"""Every system of a workspace as its manifest says: releases and systems of bodies, their files found.

The one idea: a release in the commons and a system of a body are one thing to everybody else: a
`Manifest` with a folder, a schema and a way to run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.workspace import configuration
from harness.workspace.content import strays
from harness.workspace.faults import Fault, describe, nearest
from harness.workspace.models import Block, Body, PinnedEnvironment, Release, Run, System
from harness.workspace.sources import Source, Sources
from harness.workspace.yamlfile import Document, KeyPath


@dataclass(frozen=True)
class Manifest:
    """One system: its label, what it speaks, its files, how it runs. `folder` is None where it has none."""

    label: str
    title: str
    interfaces: tuple[str, ...]
    folder: Path | None
    schema: Mapping[str, Any] | None
    run: Run
    illustrative: bool
    configuration: Mapping[str, Any] = field(default_factory=dict)
    stands_for: str | None = None


@dataclass
class Systems:
    """The systems whose manifests are sound: releases by label, systems of bodies by body and name."""

    root: Path
    releases: dict[str, Manifest] = field(default_factory=dict)
    of_bodies: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _schemas: dict[Path, Mapping[str, Any] | None] = field(default_factory=dict)
    _strays: dict[Path, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Sources) -> Systems:
        """All systems of these sources, with every fault of their folders, schemas and requirements."""
        systems = cls(sources.root)
        for name, block in sources.blocks.items():
            if block.model is not None and block.document is not None:
                for version, release in block.model.releases.items():
                    manifest = systems._release(block, block.model, block.document, version, release)
                    systems.releases[f"{name}@{version}"] = manifest
        for name, body in sources.bodies.items():
            if body.model is not None and body.document is not None:
                for own, system in body.model.systems.items():
                    systems.of_bodies[name, own] = systems._system(body.model, body.document, own, system)
        return systems

    def _release(
        self, source: Source[Block], block: Block, document: Document, version: str, release: Release
    ) -> Manifest:
        at: KeyPath = ("releases", version)
        folder = self._folder(document, (*at, "folder"), source.folder, release.folder)
        return Manifest(
            label=f"{block.block}@{version}",
            title=f"{block.title} {version}",
            interfaces=tuple(release.interfaces),
            folder=folder,
            schema=self._schema(document, at, folder, release.folder, release.configuration_schema),
            run=self._run(document, at, folder, release.folder, release.run),
            illustrative=block.illustrative,
        )

    def _system(self, body: Body, document: Document, name: str, system: System) -> Manifest:
        at: KeyPath = ("systems", name)
        folder = None
        if system.folder is not None:
            folder = self._folder(document, (*at, "folder"), self.root / "pioneers", system.folder)
        manifest = Manifest(
            label=name,
            title=system.title,
            interfaces=tuple(system.interfaces),
            folder=folder,
            schema=self._schema(document, at, folder, system.folder, system.configuration_schema),
            run=self._run(document, at, folder, system.folder, system.run),
            illustrative=body.illustrative,
            configuration=system.configuration,
            stands_for=system.stands_for,
        )
        self.check_configuration(document, (*at, "configuration"), manifest, system.configuration)
        return manifest

    def check_configuration(
        self, document: Document, at: KeyPath, manifest: Manifest, written: Mapping[str, Any]
    ) -> None:
        """Note every fault of a configuration that stands at `at` of a document, by the system's schema."""
        if manifest.schema is None:
            return
        for problem in configuration.problems(
            configuration.complete(written, manifest.schema), manifest.schema
        ):
            path = (*at, *problem.path)
            if not any(path[:length] in document.spoilt for length in range(len(path) + 1)):
                expected = f"{problem.expected} (schema of {manifest.label})"
                self.faults.append(
                    document.fault(path, problem.found, expected, problem.advice, key=problem.key)
                )

    def _folder(self, document: Document, at: KeyPath, base: Path, written: str) -> Path | None:
        folder = self._inside(document, at, base, written, self.root, "the workspace")
        if folder is None:
            return None
        if not folder.is_dir():
            self._absent(document, at, base, written, folder, "a folder")
            return None
        if folder not in self._strays:
            self._strays[folder] = strays(folder, self.root)
        for stray in self._strays[folder]:
            expected = "files and folders of the workspace only"
            self.faults.append(document.fault(at, f"in it {stray}", expected, "put the file itself there"))
        return folder

    def _schema(
        self, document: Document, at: KeyPath, folder: Path | None, written: str | None, schema: str | None
    ) -> Mapping[str, Any] | None:
        if schema is None:
            return None
        path = self._file(document, (*at, "configuration_schema"), folder, written, schema)
        if path is None:
            return None
        if path not in self._schemas:
            file = path.relative_to(self.root).as_posix()
            try:
                with path.open("rb") as opened:
                    content = opened.read(configuration.LARGEST + 1)
            except OSError as error:
                found = f"a file that cannot be read ({error.strerror})"
                self.faults.append(Fault(file, 0, 0, found, "a readable file", "check its permissions"))
                content = b"{}"
            self._schemas[path], faults = configuration.parse_schema(content, file)
            self.faults += faults
        return self._schemas[path]

    def _run(
        self, document: Document, at: KeyPath, folder: Path | None, written: str | None, run: Run
    ) -> Run:
        environment = run.process.environment
        if isinstance(environment, PinnedEnvironment):
            place = (*at, "run", "process", "environment", "requirements")
            self._file(document, place, folder, written, environment.requirements)
        return run

    def _file(
        self, document: Document, at: KeyPath, folder: Path | None, written: str | None, name: str
    ) -> Path | None:
        """A file inside a system's folder, None with a fault if it is not there."""
        if folder is None:
            if written is None:
                found, expected = f"{describe(name)} of a system without folder:", "folder: beside it"
                self.faults.append(
                    document.fault(at, found, expected, "add folder: with the folder of its files")
                )
            return None
        path = self._inside(document, at, folder, name, folder, "the system's folder")
        if path is None:
            return None
        if not path.is_file():
            self._absent(document, at, folder, name, path, "a file")
            return None
        return path

    def _inside(
        self, document: Document, at: KeyPath, base: Path, written: str, bounds: Path, called: str
    ) -> Path | None:
        """The path that `written` means, links followed, None with a fault if it leads out of `bounds`."""
        try:
            path = (base / written).resolve()
            path.exists()
        except (OSError, ValueError, RuntimeError):  # too long, a null byte, a link that leads to itself
            self.faults.append(document.fault(at, describe(written), "a path", "correct the path"))
            return None
        if not path.is_relative_to(bounds):
            found = f"{describe(written)}, which leads out of {called}"
            self.faults.append(document.fault(at, found, f"a path inside {called}", "move the files inside"))
            return None
        return path

    def _absent(
        self, document: Document, at: KeyPath, base: Path, written: str, path: Path, what: str
    ) -> None:
        try:
            beside = [child.name for child in path.parent.iterdir()]
        except OSError:
            beside = []
        near = nearest(path.name, beside)
        advice = f'did you mean "{near}"?' if near else "create it, or correct the path"
        where = base.relative_to(self.root).as_posix()
        self.faults.append(
            document.fault(at, f"{describe(written)}, which is not there", f"{what} in {where}", advice)
        )
