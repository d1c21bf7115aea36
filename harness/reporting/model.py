"""The page models: everything a template prints, as plain frozen data.

The one idea: templates hold no logic beyond "is it there"; whatever a page says stands here as finished
text, so any page can be checked, diffed and re-rendered without a browser.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.judge.results import GuardrailState, Recommended, Verdict
from harness.reporting.charts.svg import Chart, DataTable


@dataclass(frozen=True)
class Notice:
    """Something a reader must know before the finding; `kind` exploratory, invalid, open, abandoned, old,
    illustrative.
    """

    kind: str
    heading: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class CandidateFinding:
    """One candidate's finding on page one."""

    arm: str
    label: str
    title: str
    verdict: Verdict
    verdict_word: str
    finding: str
    confidence: str
    human: str | None
    recommended: Recommended
    recommended_word: str
    reason: str
    decision: str


@dataclass(frozen=True)
class Figure:
    """One arm's figure: text and range ("£3.10 to £3.80", empty where there is none)."""

    text: str
    range: str = ""


@dataclass(frozen=True)
class KeyRow:
    """One line of the before-and-after table."""

    metric: str
    meaning: str
    figures: tuple[Figure, ...]
    changes: tuple[str, ...]
    evidence: str


@dataclass(frozen=True)
class GuardrailRow:
    """One guardrail of one candidate."""

    metric: str
    margin: str
    candidate: str
    state: GuardrailState
    word: str
    meaning: str
    evidence: str


@dataclass(frozen=True)
class FindingLine:
    """A recorded problem as page one and the engineers' part show it."""

    text: str
    source: str
    blocking: bool
    opened: str
    resolved: str = ""


@dataclass(frozen=True)
class Board:
    """Page one."""

    candidates: tuple[CandidateFinding, ...]
    arm_heads: tuple[str, ...]
    change_heads: tuple[str, ...]
    key_rows: tuple[KeyRow, ...]
    forests: tuple[Chart, ...]
    guardrails: tuple[GuardrailRow, ...]
    changes: tuple[str, ...]
    limits: tuple[str, ...]
    open_findings: tuple[FindingLine, ...]
    more_findings: int
    trials_before: str


@dataclass(frozen=True)
class FlowStep:
    """One box of the run flow with what was left out at it and why."""

    text: str
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Engineers:
    """The engineers' part, in the order it is read."""

    delivered_sentence: str
    delivered: DataTable
    delivered_rounds: DataTable
    checks: DataTable
    checks_failed: DataTable | None
    outcomes: DataTable
    failures: DataTable | None
    audit: DataTable | None
    spectrum: Chart | None
    steps: DataTable | None
    timeline: Chart | None
    resources: DataTable
    costs: DataTable | None
    cost_notes: tuple[str, ...]
    statistics: DataTable | None
    statistics_notes: tuple[str, ...]
    rounds_charts: tuple[Chart, ...]
    rounds_tables: tuple[DataTable, ...]
    flow: tuple[FlowStep, ...]
    deviations: tuple[str, ...]
    findings: tuple[FindingLine, ...]
    protocol: DataTable
    environment: DataTable
    schedules: DataTable
    commands: tuple[str, ...]


@dataclass(frozen=True)
class PilotPage:
    """A pilot's page; `board` and `engineers` are None for a pilot that was registered but never run."""

    pilot: str
    question: str
    programme: str
    body: str
    service: str
    facts: tuple[tuple[str, str], ...]
    notices: tuple[Notice, ...]
    board: Board | None
    engineers: Engineers | None
    summary: str
    illustrative: bool = False
    registered: bool = True


@dataclass(frozen=True)
class IndexCandidate:
    """One candidate of a pilot on the index page."""

    label: str
    verdict: Verdict
    verdict_word: str
    effect: str
    recommended: Recommended
    recommended_word: str


@dataclass(frozen=True)
class IndexRow:
    """One pilot on the index page; `href` is relative to it. No candidates: the trial was not judged."""

    pilot: str
    href: str
    question: str
    body: str
    candidates: tuple[IndexCandidate, ...]
    trial: str
    counted: str
    registered: bool
    illustrative: bool


@dataclass(frozen=True)
class IndexPage:
    """The index of every pilot, grouped by body."""

    programme: str
    bodies: tuple[tuple[str, tuple[IndexRow, ...]], ...]
    summary: str
    illustrative: bool
