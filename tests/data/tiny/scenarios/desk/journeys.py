"""A visit to the front desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.load import Audit, Citizen, Invariant, JourneyRecord, Outcome, SystemUnderTest, journey


class Visitor(Citizen):
    interface = "desk/v1"
    recognise_path = "/names"

    @journey
    def visit(self) -> None:
        name = f"visitor-{self.citizen}"
        with self.step("leave a name"):
            self.expect(self.post("/visits", json={"name": name}), 201)
        self.note(name=name)

    @classmethod
    def audit(cls, system: SystemUnderTest, journeys: Sequence[JourneyRecord]) -> Audit:
        kept = Counter(system.get("/names").json())
        completed = [j for j in journeys if j.outcome is Outcome.COMPLETED]
        wrong = frozenset(j.id for j in completed if kept[j.facts["name"]] != 1)
        return Audit((Invariant("every visitor is kept once", len(completed), len(wrong)),), wrong)
