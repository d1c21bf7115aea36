"""A workspace: every file read, every fault kept, pilots resolved into all that a trial needs.

The one idea: reading never stops at a fault; whoever needs something of the workspace is refused only for
faults of the files that this something uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.workspace import references
from harness.workspace import sources as reading
from harness.workspace.faults import Fault, WorkspaceError, describe, suggest
from harness.workspace.models import Block, Body, Pilot, Programme, Scenario
from harness.workspace.resolved import ResolvedArm, ResolvedPilot, ResolvedSystem, resolve
from harness.workspace.sources import Source, Sources
from harness.workspace.systems import Systems

__all__ = ["ResolvedArm", "ResolvedPilot", "ResolvedSystem", "Workspace", "find_root"]


def find_root(start: Path, environ: Mapping[str, str]) -> Path:
    """The workspace's folder: HARNESS_WORKSPACE, else the nearest folder from `start` upwards that is one.

    Raises:
        WorkspaceError: there is none.
    """
    named = environ.get("HARNESS_WORKSPACE")
    if named:
        folder = Path(named).expanduser().resolve()
        if _is_root(folder):
            return folder
        found = f"HARNESS_WORKSPACE={named}, which has no folders pioneers and scenarios"
        advice = "correct it, or run `harness init DIR` to make a workspace"
        raise WorkspaceError([Fault("", 0, 0, found, "the folder of a workspace", advice)])
    here = start.resolve()
    for folder in (here, *here.parents):
        if _is_root(folder):
            return folder
    expected = "a folder with pioneers and scenarios in it, or one inside such a folder"
    advice = "change into a workspace, or run `harness init DIR` to make one"
    raise WorkspaceError([Fault("", 0, 0, f"no workspace at {start} or above", expected, advice)])


def _is_root(folder: Path) -> bool:
    return (folder / "pioneers").is_dir() and (folder / "scenarios").is_dir()


@dataclass(frozen=True)
class Workspace:
    """Everything that people wrote, and every fault of it, sorted by file, line and column."""

    root: Path
    faults: tuple[Fault, ...]
    _sources: Sources
    _systems: Systems

    @classmethod
    def read(cls, root: Path) -> Workspace:
        """Read a workspace, whatever its faults.

        Raises:
            WorkspaceError: `root` has no folders `pioneers` and `scenarios`.
        """
        top = root.resolve()
        if not _is_root(top):
            advice = "name the folder of a workspace, or run `harness init DIR` to make one"
            found = f"{root}, which has no folders pioneers and scenarios"
            raise WorkspaceError([Fault("", 0, 0, found, "the folder of a workspace", advice)])
        found_sources = reading.read(top)
        systems = Systems.of(found_sources)
        between = references.check(found_sources, systems)
        faults = {*found_sources.faults, *between, *systems.faults}
        return cls(top, tuple(sorted(faults)), found_sources, systems)

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Read a workspace that must have no fault.

        Raises:
            WorkspaceError: every fault of every file.
        """
        workspace = cls.read(root)
        if workspace.faults:
            raise WorkspaceError(workspace.faults)
        return workspace

    @property
    def programme(self) -> Programme | None:
        """The programme, None while its file has faults."""
        return self._sources.programme.model if self._sources.programme else None

    @property
    def blocks(self) -> Mapping[str, Block]:
        """The blocks whose files are sound, by name."""
        return {name: source.model for name, source in self._sources.blocks.items() if source.model}

    @property
    def bodies(self) -> Mapping[str, Body]:
        """The bodies whose files are sound, by name."""
        return {name: source.model for name, source in self._sources.bodies.items() if source.model}

    @property
    def scenarios(self) -> Mapping[str, Scenario]:
        """The scenarios whose files are sound, by name."""
        return {name: source.model for name, source in self._sources.scenarios.items() if source.model}

    @property
    def pilots(self) -> Mapping[str, Pilot]:
        """The pilots whose files are sound, by id (`northmoor/registrar-appointments`)."""
        return {name: source.model for name, source in self._sources.pilots.items() if source.model}

    def pilot(self, name_or_path: str | Path) -> ResolvedPilot:
        """One pilot with all that its trial needs: by id, by its name where that is unique, or by its file.

        Raises:
            WorkspaceError: no such pilot, or faults in files that it uses (others do not matter).
        """
        pilot_id = self._find(str(name_or_path))
        source = self._sources.pilots[pilot_id]
        faults = [fault for fault in self.faults if self._concerns(fault, pilot_id, source)]
        if faults or source.model is None or source.document is None or self.programme is None:
            raise WorkspaceError(faults)
        return resolve(pilot_id, source, source.model, self._sources, self._systems)

    def _find(self, name: str) -> str:
        pilots = self._sources.pilots
        if name in pilots:
            return name
        short = [pilot for pilot in pilots if pilot.partition("/")[2] == name]
        if len(short) == 1:
            return short[0]
        if short:
            found = f'pilot "{name}", of which there are {len(short)}'
            raise WorkspaceError(
                [Fault("", 0, 0, found, "one of them", f"write {' or '.join(sorted(short))}")]
            )
        by_path = self._by_path(name)
        if by_path is not None:
            return by_path
        valid: Sequence[str] = (
            [*pilots, *(pilot.partition("/")[2] for pilot in pilots)] if "/" not in name else [*pilots]
        )
        advice = suggest(name.removesuffix(".yaml"), valid, "write pioneers/<body>/pilots/<name>.yaml")
        expected = "a pilot of this workspace, by its name or its file"
        raise WorkspaceError(
            [Fault("", 0, 0, f"pilot {describe(name)}, which is not there", expected, advice)]
        )

    def _by_path(self, name: str) -> str | None:
        try:
            for path in (Path(name).resolve(), (self.root / name).resolve()):
                for pilot, source in self._sources.pilots.items():
                    if source.path.resolve() == path:
                        return pilot
        except (OSError, ValueError, RuntimeError):  # a name that no path can have
            return None
        return None

    def _concerns(self, fault: Fault, pilot_id: str, source: Source[Pilot]) -> bool:
        body = pilot_id.partition("/")[0]
        files = {
            source.file,
            "pioneers/programme.yaml",
            f"pioneers/{body}/body.yaml",
            f"pioneers/{body}/open-book.csv",
        }
        folders = []
        if source.model is not None:
            folders.append(f"scenarios/{source.model.scenario}/")
            blocks = [candidate.block for candidate in source.model.after if candidate.block]
            folders += [f"pioneers/commons/{label.partition('@')[0]}/" for label in blocks]
            own = [source.model.before, *(candidate.system for candidate in source.model.after)]
            manifests = [self._systems.releases.get(label) for label in blocks]
            manifests += [self._systems.of_bodies.get((body, name)) for name in own if name]
            folders += [f"{self._sources.relative(m.folder)}/" for m in manifests if m and m.folder]
        return fault.path in files or fault.path.startswith(tuple(folders))
