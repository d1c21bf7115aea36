"""What files say of each other: does every name lead somewhere, can every arm do what its scenario asks?

The one idea: a name is looked up only among files that are there; whatever refers to a file that has
faults of its own is left alone until that file is sound.
"""

from __future__ import annotations

from harness.workspace import journeyfile
from harness.workspace.faults import Fault, describe, nearest, suggest
from harness.workspace.models import Body, Candidate, Pilot, Scenario
from harness.workspace.sources import OpenBook, Source, Sources
from harness.workspace.systems import Manifest, Systems
from harness.workspace.yamlfile import Document, KeyPath

MOST_ARRIVALS = 20_000.0
"""Arrivals a second beyond which a demand is taken for a mistake: no generator on one machine sends more."""


def check(sources: Sources, systems: Systems) -> list[Fault]:
    """Every fault between files."""
    checker = _Checker(sources, systems)
    for scenario in sources.scenarios.values():
        checker.scenario(scenario)
    for body in sources.bodies.values():
        checker.body(body)
    for name, book in sources.books.items():
        checker.book(name, book)
    for name, pilot in sources.pilots.items():
        checker.pilot(name.partition("/")[0], pilot)
    return checker.faults


class _Checker:
    def __init__(self, sources: Sources, systems: Systems) -> None:
        self.faults: list[Fault] = []
        self._sources = sources
        self._systems = systems

    def scenario(self, source: Source[Scenario]) -> None:
        """The journeys of the mix and the interfaces stand in the scenario's code."""
        journeys = source.folder / "journeys.py"
        if not journeys.is_file():
            file = self._sources.relative(journeys)
            advice = "write it: a Locust file whose citizens take from harness.load"
            self.faults.append(Fault(file, 0, 0, "no such file", "the scenario's journeys", advice))
            return
        if not journeys.resolve().is_relative_to(self._sources.root):
            file = self._sources.relative(journeys)
            advice = "put the file itself there"
            self.faults.append(
                Fault(file, 0, 0, "a link out of the workspace", "a file in the workspace", advice)
            )
            return
        code, faults = journeyfile.read(source.folder, self._sources.root)
        self.faults += faults
        if code is None or source.model is None or source.document is None:
            return
        for name in source.model.journeys:
            if name not in code.methods:
                advice = suggest(name, code.journeys, "write it: a method marked @journey")
                found = f"the journey {name}, which is not in journeys.py"
                expected = "the name of a method marked @journey"
                self.faults.append(
                    source.document.fault(("journeys", name), found, expected, advice, key=True)
                )
        for number, interface in enumerate(source.model.interfaces):
            if interface not in code.texts:
                found = f"{interface}, which no citizen in journeys.py speaks"
                spoken = [text for text in code.texts if "/v" in text and text.rpartition("/v")[2].isdigit()]
                advice = suggest(interface, spoken, f'write a citizen with interface = "{interface}"')
                place = ("interfaces", number)
                self.faults.append(source.document.fault(place, found, "an interface that is spoken", advice))

    def body(self, source: Source[Body]) -> None:
        """The channel to which failed journeys turn is one of the service's."""
        if source.model is None or source.document is None:
            return
        for name, service in source.model.services.items():
            channel = service.failed_journeys_turn_to
            if channel is not None and channel not in service.channels:
                place = ("services", name, "failed_journeys_turn_to")
                advice = suggest(channel, service.channels, "add channels: with it")
                self._unknown(source.document, place, channel, f"a channel of {name}", advice)

    def book(self, name: str, book: OpenBook) -> None:
        """Services, systems and the currency of the lines are those of the body and the programme."""
        source = self._sources.bodies.get(name)
        programme = self._sources.programme.model if self._sources.programme else None
        body = source.model if source else None
        for placed in book.lines:
            line, document = placed.line, placed.document
            if programme is not None and line.currency != programme.currency:
                expected = f"{programme.currency}, the programme's currency"
                advice = "convert the amounts, and say so in source"
                self.faults.append(document.fault(("currency",), line.currency, expected, advice))
            if body is None:
                continue
            if line.service not in body.services:
                advice = suggest(line.service, body.services)
                self._unknown(document, ("service",), line.service, f"a service of {name}", advice)
            unsound = [key for key, block in self._sources.blocks.items() if block.model is None]
            valid = [*body.systems, *self._sources.blocks, *self._systems.releases]
            if line.system and line.system not in valid and line.system.partition("@")[0] not in unsound:
                advice = suggest(line.system, valid)
                self._unknown(
                    document, ("system",), line.system, f"a system of {name}, a block or a release", advice
                )

    def pilot(self, body_name: str, source: Source[Pilot]) -> None:
        """Everything a pilot names is there, and all its arms speak an interface of the scenario."""
        pilot, document = source.model, source.document
        if pilot is None or document is None:
            return
        scenario = self._scenario(pilot, document)
        body_source = self._sources.bodies.get(body_name)
        body = body_source.model if body_source else None
        if body is not None:
            if pilot.service not in body.services:
                advice = suggest(pilot.service, body.services)
                self._unknown(document, ("service",), pilot.service, f"a service of {body_name}", advice)
            else:
                self._demand(pilot, body, document)
            self._system(body_name, body, document, ("before",), pilot.before, scenario)
        for number, candidate in enumerate(pilot.after):
            self._candidate(body_name, body, document, ("after", number), candidate, scenario)

    def _scenario(self, pilot: Pilot, document: Document) -> Scenario | None:
        source = self._sources.scenarios.get(pilot.scenario)
        if source is None:
            advice = suggest(pilot.scenario, self._sources.scenarios)
            self._unknown(document, ("scenario",), pilot.scenario, "a folder of scenarios", advice)
            return None
        return source.model

    def _demand(self, pilot: Pilot, body: Body, document: Document) -> None:
        rate = arrivals(pilot, body)
        if rate > MOST_ARRIVALS:
            key = "rate" if pilot.demand.rate is not None else "multiple"
            found = f"a demand of {rate:,.0f} arrivals a second"
            expected = f"at most {MOST_ARRIVALS:,.0f}"
            self.faults.append(document.fault(("demand", key), found, expected, "lower the demand"))

    def _candidate(
        self,
        body_name: str,
        body: Body | None,
        document: Document,
        at: KeyPath,
        candidate: Candidate,
        scenario: Scenario | None,
    ) -> None:
        if candidate.system is not None:
            if body is not None:
                self._system(body_name, body, document, (*at, "system"), candidate.system, scenario)
            return
        label = candidate.block or ""
        block = self._sources.blocks.get(label.partition("@")[0])
        if block is not None and block.model is None:
            return
        manifest = self._systems.releases.get(label)
        if manifest is None:
            self._unknown(
                document, (*at, "block"), label, "a release in pioneers/commons", self._near_release(label)
            )
            return
        self._speaks(document, (*at, "block"), manifest, scenario)
        self._systems.check_configuration(document, (*at, "configuration"), manifest, candidate.configuration)

    def _near_release(self, label: str) -> str:
        """Advice for a release that is not there; names are compared first, since versions look alike."""
        name = label.partition("@")[0]
        block = name if name in self._sources.blocks else nearest(name, self._sources.blocks)
        of_block = [release for release in self._systems.releases if release.startswith(f"{block}@")]
        return suggest(label, of_block) if of_block else suggest("", self._systems.releases)

    def _system(
        self,
        body_name: str,
        body: Body,
        document: Document,
        at: KeyPath,
        name: str,
        scenario: Scenario | None,
    ) -> None:
        manifest = self._systems.of_bodies.get((body_name, name))
        if manifest is None:
            self._unknown(document, at, name, f"a system of {body_name}", suggest(name, body.systems))
            return
        self._speaks(document, at, manifest, scenario)

    def _speaks(self, document: Document, at: KeyPath, manifest: Manifest, scenario: Scenario | None) -> None:
        if scenario is None or set(scenario.interfaces) & set(manifest.interfaces):
            return
        found = f"{manifest.label}, which speaks {', '.join(manifest.interfaces)}"
        expected = (
            f"a system that speaks {' or '.join(scenario.interfaces)}, as scenario {scenario.scenario} does"
        )
        self.faults.append(document.fault(at, found, expected, "choose another scenario or another system"))

    def _unknown(self, document: Document, at: KeyPath, name: str, expected: str, advice: str) -> None:
        self.faults.append(document.fault(at, f"{describe(name)}, which is not there", expected, advice))


def arrivals(pilot: Pilot, body: Body) -> float:
    """The pilot's demand in arrivals per second."""
    if pilot.demand.rate is not None:
        return pilot.demand.rate
    return body.services[pilot.service].peak_hour * pilot.demand.multiple / 3600
