"""A small sound workspace, written out afresh for each test, that a test then spoils in one way or more."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.workspace.faults import Fault
from harness.workspace.loader import Workspace

PROGRAMME = """\
programme: A programme
illustrative: true
"""

BLOCK = """\
block: desk
title: Front desk
purpose: Takes requests.
releases:
  1.0.0:
    folder: releases/1.0.0
    released: 2026-01-05
    changes: First release.
    interfaces: [desk/v1]
    configuration_schema: configuration.schema.json
    run:
      process:
        environment: {requirements: requirements.txt, exclude_newer: 2026-01-05}
        command: ["{python}", desk.py, --port, "{port}"]
  1.1.0:
    folder: releases/1.1.0
    released: 2026-02-05
    changes: Faster.
    interfaces: [desk/v2, desk/v1]
    run:
      process:
        command: ["{python}", desk.py, --port, "{port}"]
"""

SCHEMA = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["organisation"],
  "additionalProperties": false,
  "properties": {
    "organisation": {"type": "string", "description": "who it is for"},
    "slot_minutes": {"type": "integer", "minimum": 5, "default": 20},
    "language": {"enum": ["english", "welsh"], "default": "english"},
    "window": {
      "type": "object",
      "additionalProperties": false,
      "default": {},
      "properties": {"opens": {"type": "integer", "default": 7}, "closes": {"type": "integer", "default": 91}}
    },
    "counters": {"type": "array", "items": {"$ref": "#/$defs/counter"}}
  },
  "$defs": {
    "counter": {
      "type": "object",
      "required": ["id"],
      "properties": {"id": {"type": "string"}, "open": {"type": "boolean", "default": true}}
    }
  }
}
"""

BODY = """\
body: town
title: Town Council
kind: town council
services:
  requests:
    title: Requests
    annual_volume: 1000
    peak_hour: 120
    volume_source: invented
    channels:
      online: {share: 60%}
      phone:
        share: 40%
        cost: {low: 1, likely: 2, high: 3, source: books, price_date: 2026-04-01, evidence: recorded}
    failed_journeys_turn_to: phone
systems:
  paper-desk:
    title: Paper desk
    interfaces: [desk/v1]
    folder: town/systems/paper
    configuration: {colour: blue}
    run:
      process: {command: ["{python}", paper.py]}
  screen-desk:
    title: Screen desk
    interfaces: [desk/v2]
    run:
      process: {command: [screen]}
prices:
  cpu_hour: {low: 1, likely: 2, high: 3, source: books, price_date: 2026-04-01, evidence: recorded}
  gib_hour: {low: 1, likely: 2, high: 3, source: books, price_date: 2026-04-01, evidence: recorded}
"""

BOOK = """\
service,function,system,role,kind,basis,low,likely,high,currency,price_date,source,evidence
requests,Licence,paper-desk,,middle,per_year,900,1000,1100,GBP,2026-04-01,books,recorded
requests,"Calls, taken",,clerk,frontline,per_transaction,1,1.5,2,GBP,2026-04-01,books,assumed
requests,Hosting,desk,,overhead,per_year,10,20,30,GBP,2026-04-01,books,recorded
"""

PILOT = """\
pilot: desk
question: Is the shared desk as good?
service: requests
scenario: desk
before: paper-desk
after:
  - block: desk@1.0.0
    configuration:
      organisation: Town
      counters:
        - {id: one}
        - {id: two, open: false}
demand: {profile: peak_hour, multiple: 30}
protocol:
  rounds: 6
  warm_up: 2s
  measure: 8s
  primary: {metric: journey_time_p95, margin: 10%}
  guardrails:
    - {metric: completion_rate, margin: 1pp}
"""

OTHER_PILOT = """\
pilot: screen
question: Is the screen as good?
service: requests
scenario: desk
before: paper-desk
after:
  - system: screen-desk
demand: {rate: 10/s, because: it is what the window needs}
protocol:
  rounds: 6
  warm_up: 2s
  measure: 8s
  primary: {metric: journey_time_p95, margin: 10%}
"""

SCENARIO = """\
scenario: desk
title: A desk
goal: A citizen asks for something.
interfaces: [desk/v1, desk/v2]
journeys:
  ask: {weight: 3, goal: Ask.}
  ask_again: {weight: 1, goal: Ask again.}
"""

JOURNEYS = """\
from harness.load import Citizen, journey


class Desk(Citizen):
    interface = "desk/v1"

    @journey(weight=3)
    def ask(self) -> None:
        self.get("/")

    @journey
    def ask_again(self) -> None:
        self.get("/")


class ScreenDesk(Desk):
    interface = "desk/v2"
"""

FILES = {
    "pioneers/programme.yaml": PROGRAMME,
    "pioneers/commons/desk/block.yaml": BLOCK,
    "pioneers/commons/desk/releases/1.0.0/configuration.schema.json": SCHEMA,
    "pioneers/commons/desk/releases/1.0.0/requirements.txt": "starlette==1.0.0\n",
    "pioneers/commons/desk/releases/1.0.0/desk.py": "print()\n",
    "pioneers/commons/desk/releases/1.1.0/desk.py": "print()\n",
    "pioneers/town/body.yaml": BODY,
    "pioneers/town/open-book.csv": BOOK,
    "pioneers/town/pilots/desk.yaml": PILOT,
    "pioneers/town/pilots/screen.yaml": OTHER_PILOT,
    "pioneers/town/systems/paper/paper.py": "print()\n",
    "scenarios/desk/scenario.yaml": SCENARIO,
    "scenarios/desk/journeys.py": JOURNEYS,
}

PILOT_FILE = "pioneers/town/pilots/desk.yaml"
BODY_FILE = "pioneers/town/body.yaml"
BOOK_FILE = "pioneers/town/open-book.csv"
BLOCK_FILE = "pioneers/commons/desk/block.yaml"
SCENARIO_FILE = "scenarios/desk/scenario.yaml"
SCHEMA_FILE = "pioneers/commons/desk/releases/1.0.0/configuration.schema.json"


class Town:
    """The small workspace; texts of its files can be replaced one by one."""

    pilot, body, book, block, scenario, schema = (
        PILOT_FILE,
        BODY_FILE,
        BOOK_FILE,
        BLOCK_FILE,
        SCENARIO_FILE,
        SCHEMA_FILE,
    )

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))

    def read(self) -> Workspace:
        return Workspace.read(self.root)

    def faults(self) -> tuple[Fault, ...]:
        return self.read().faults

    def printed(self) -> list[str]:
        return [str(fault) for fault in self.faults()]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path.resolve() / "town")


@pytest.fixture(scope="module")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    """One for a whole module; whoever spoils it restores it."""
    return Town(tmp_path_factory.mktemp("shared").resolve() / "town")
