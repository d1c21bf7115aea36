"""A pilot with all that its trial needs: every name followed, every default filled in, everything hashed.

The one idea: `protocol_document` holds whatever fixes a trial beforehand; if its hash is the registered
one, nothing that could bend the result has changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from harness.workspace import configuration
from harness.workspace.content import content_hash, file_hashes
from harness.workspace.faults import Fault, WorkspaceError
from harness.workspace.models import Body, OpenBookLine, Pilot, Programme, Run, Scenario, Service
from harness.workspace.references import arrivals
from harness.workspace.sources import Source, Sources
from harness.workspace.systems import Manifest, Systems
from harness.workspace.yamlfile import Document, Position


@dataclass(frozen=True)
class ResolvedSystem:
    """One system, ready to be deployed. `configuration` is complete and valid, `content_hash` a SHA-256.

    `public_configuration` is what may be kept and published: secrets (`writeOnly` in the schema) are withheld.
    """

    label: str
    title: str
    folder: Path | None
    run: Run
    configuration: Mapping[str, Any]
    content_hash: str
    illustrative: bool
    stands_for: str | None = None
    public_configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ResolvedArm:
    """One system in a trial: `before`, `after`, `after-2` …, and the interface by which it is driven."""

    arm: str
    system: ResolvedSystem
    interface: str


@dataclass(frozen=True)
class ResolvedPilot:
    """One pilot. `path` is its file from the root, `rate` arrivals per second, `open_book` its lines."""

    id: str
    path: str
    pilot: Pilot
    programme: Programme
    body: Body
    service: Service
    scenario: Scenario
    scenario_folder: Path
    scenario_hash: str
    arms: tuple[ResolvedArm, ...]
    open_book: tuple[OpenBookLine, ...]
    rate: float
    demand_text: str
    document: Document

    def locate(self, path: Sequence[str | int]) -> Position:
        """Line and column, from 1, of the key or list item at a key path of the pilot's file."""
        return self.document.locate(path)

    def protocol_document(self) -> dict[str, Any]:
        """What fixes the trial beforehand, as JSON data that survives a round trip unchanged."""
        # A candidate's configuration stands with its arm, whole and without secrets.
        pilot = self.pilot.model_dump(mode="json", exclude={"changes": True, "pilot": True, "after": True})
        return {
            "pilot": self.id,
            **pilot,
            "rate": self.rate,
            "peak_hour": self.service.peak_hour,
            "scenario_content": self.scenario_hash,
            "arms": [
                {
                    "arm": arm.arm,
                    "system": arm.system.label,
                    "interface": arm.interface,
                    "content": arm.system.content_hash,
                    "configuration": dict(arm.system.public_configuration),
                }
                for arm in self.arms
            ],
            "costs": content_hash(
                {
                    "currency": self.programme.currency,
                    "annual_volume": self.service.annual_volume,
                    "channels": {k: v.model_dump(mode="json") for k, v in self.service.channels.items()},
                    "failed_journeys_turn_to": self.service.failed_journeys_turn_to,
                    "prices": self.body.prices.model_dump(mode="json") if self.body.prices else None,
                    "open_book": [line.model_dump(mode="json") for line in self.open_book],
                }
            ),
        }

    @cached_property
    def protocol_hash(self) -> str:
        """SHA-256, in hex, of the protocol document's canonical JSON."""
        return content_hash(self.protocol_document())


def resolve(
    pilot_id: str, source: Source[Pilot], pilot: Pilot, sources: Sources, systems: Systems
) -> ResolvedPilot:
    """Follow every name of a pilot that has no faults.

    Raises:
        WorkspaceError: a file of a system or the scenario cannot be read.
    """
    body_name = pilot_id.partition("/")[0]
    body_source, scenario_source = sources.bodies[body_name], sources.scenarios[pilot.scenario]
    body, scenario, programme = body_source.model, scenario_source.model, sources.programme
    if (
        body is None
        or scenario is None
        or programme is None
        or programme.model is None
        or source.document is None
    ):
        found, advice = (
            "files with faults",
            "run `harness check`",
        )  # never: the loader asks for sound files first
        raise WorkspaceError([Fault(source.file, 0, 0, found, "files without faults", advice)])
    chosen = [systems.of_bodies[body_name, pilot.before]]
    written: list[Mapping[str, Any]] = [chosen[0].configuration]
    for candidate in pilot.after:
        if candidate.system is not None:
            manifest = systems.of_bodies[body_name, candidate.system]
        else:
            manifest = systems.releases[candidate.block or ""]
        chosen.append(manifest)
        written.append(manifest.configuration if candidate.system is not None else candidate.configuration)
    arms = tuple(
        ResolvedArm(
            arm="before" if number == 0 else "after" if number == 1 else f"after-{number}",
            system=_system(manifest, own, sources.root),
            interface=next(name for name in scenario.interfaces if name in manifest.interfaces),
        )
        for number, (manifest, own) in enumerate(zip(chosen, written, strict=True))
    )
    book = sources.books.get(body_name)
    rate = arrivals(pilot, body)
    return ResolvedPilot(
        id=pilot_id,
        path=source.file,
        pilot=pilot,
        programme=programme.model,
        body=body,
        service=body.services[pilot.service],
        scenario=scenario,
        scenario_folder=scenario_source.folder,
        scenario_hash=content_hash(dict(file_hashes(scenario_source.folder, sources.root))),
        arms=arms,
        open_book=tuple(p.line for p in book.lines if p.line.service == pilot.service) if book else (),
        rate=rate,
        demand_text=_demand_text(pilot, body, rate),
        document=source.document,
    )


def _system(manifest: Manifest, written: Mapping[str, Any], root: Path) -> ResolvedSystem:
    whole = configuration.complete(written, manifest.schema) if manifest.schema is not None else dict(written)
    shown = configuration.public(whole, manifest.schema) if manifest.schema is not None else whole
    consists_of = {
        "system": manifest.label,
        "interfaces": list(manifest.interfaces),
        "run": manifest.run.model_dump(mode="json"),
        "files": dict(file_hashes(manifest.folder, root)) if manifest.folder else {},
        "configuration": shown,
    }
    return ResolvedSystem(
        label=manifest.label,
        title=manifest.title,
        folder=manifest.folder,
        run=manifest.run,
        configuration=whole,
        content_hash=content_hash(consists_of),
        illustrative=manifest.illustrative,
        stands_for=manifest.stands_for,
        public_configuration=shown,
    )


def _demand_text(pilot: Pilot, body: Body, rate: float) -> str:
    peak = body.services[pilot.service].peak_hour
    of = f"{body.title}'" if body.title.endswith("s") else f"{body.title}'s"
    if pilot.demand.rate is not None:
        return f"{rate:g} a second, {rate * 3600 / peak:.3g} times {of} peak hour ({peak:,g} an hour)"
    times = "" if pilot.demand.multiple == 1 else f"{pilot.demand.multiple:g} times "
    return f"{times}{of} peak hour ({peak:,g} an hour)"
