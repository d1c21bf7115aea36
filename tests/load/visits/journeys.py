"""Journeys for the load engine's own tests; `parameters` choose what the counter's server does to them."""

from __future__ import annotations

import time
from collections.abc import Sequence

from harness.load import (
    Audit,
    Citizen,
    Invariant,
    JourneyRecord,
    Refused,
    StepFailed,
    SystemUnderTest,
    journey,
)


class Visitor(Citizen):
    interface = "visit/v1"
    recognise_path = "/ok"

    @classmethod
    def seed(cls, system: SystemUnderTest) -> None:
        if "seed_path" in system.parameters:
            system.expect(
                system.post(system.parameters["seed_path"], json={"n": system.random.random()}), 200
            )
        if "seed_bug" in system.parameters:
            raise KeyError("nothing to seed with")

    @journey(weight=3)
    def look(self) -> None:
        with self.step("look"):
            self.expect(self.get(self.parameters.get("path", "/ok")), 200)
            self.note(seen=self.citizen)

    @journey
    def decide(self) -> None:
        with self.step("look"):
            self.expect(self.get("/ok"), 200)
        self.think(0.05, 0.15)
        with self.step("decide"):
            self.expect(self.post("/ok", json={"citizen": self.citizen, "token": self.random.random()}), 200)

    @journey
    def apply(self) -> None:
        with self.step("apply"):
            path = "/refuse" if self.parameters.get("refuse_all") or not self.eligible else "/ok"
            if self.get(path).status_code == 403:
                raise Refused("not eligible")

    @journey
    def login(self) -> None:
        with self.step("login"):
            greeting = self.expect(self.get("/greet"), 200).text
            if greeting != "new":
                self.fail("known", f"a new citizen was greeted as {greeting!r}")
            if self.expect(self.get("/greet"), 200).text != "known":
                self.fail("forgotten")

    @journey
    def tour(self) -> None:
        """One fault after another, each with its own step; goes on after each."""
        for fault in self.parameters["faults"]:
            try:
                with self.step(fault, patience=0.4):
                    answer = self.get(f"/{fault}")
                    if fault == "not-json":
                        answer.json()
                    if fault == "json-list":
                        answer.json(dict)
                    if fault == "json-object":
                        answer.json()["nothing"]
                    self.expect(answer, 200)
            except StepFailed as failed:
                self.note(**{fault: [failed.kind, failed.unanswered]})
            else:
                self.note(**{fault: ["ok", len(answer.content)]})

    @journey
    def endless(self) -> None:
        while True:
            with self.step("again"):
                self.get("/ok")
            self.think(0.05)

    @journey
    def spin(self) -> None:
        with self.step("spin"):
            while True:
                pass

    @journey
    def burn(self) -> None:
        """One citizen holds the whole generator up."""
        with self.step("look"):
            self.get("/ok")
        if self.citizen == self.parameters["burner"]:
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                pass

    @journey
    def raises(self) -> None:
        with self.step("look"):
            self.get("/ok")
        {}["slot"]  # the bug that the tests look for

    @journey
    def leaves(self) -> None:
        raise SystemExit(3)

    @classmethod
    def audit(cls, system: SystemUnderTest, journeys: Sequence[JourneyRecord]) -> Audit | None:
        how = system.parameters.get("audit")
        if how is None:
            return None
        if how == "bug":
            raise ValueError("an audit with a bug")
        if how == "facts":
            return Audit(tuple(Invariant(f, 1, 0, repr(v)) for j in journeys for f, v in j.facts.items()))
        system.expect(system.get(how), 200)
        wrong = frozenset(record.id for record in journeys if record.id % 10 == 0)
        seen = sum("seen" in record.facts for record in journeys)
        return Audit((Invariant("every visitor was seen", len(journeys), len(journeys) - seen),), wrong)


class Stranger(Citizen):
    interface = "other/v1"
    recognise_path = "/nowhere"

    @journey
    def pass_by(self) -> None:
        with self.step("pass"):
            self.get("/nowhere")
