"""Made-up trials for the report tests: a seeded generator of plausible runs, judged by the real judge.

Nothing here is a result; the runs' figures come out of the same functions that a real run's do.
"""

# ruff: noqa: E501 - one line a cost and a trial reads as the table it is

from __future__ import annotations

import hashlib
import importlib
import math
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.judge.histogram import Histogram
from harness.load.result import FailureCount, GeneratorHealth, Invariant, LoadResult, Second, StepTimes
from harness.measure.types import MachineUse, ResourceUse
from harness.store.records import (
    ArmRecord,
    Failure,
    FindingRecord,
    FullTrial,
    RoundRecord,
    RunRecord,
    RunState,
    TrialRecord,
    TrialState,
    Value,
)
from harness.trial import figures
from harness.trial.validity import Limits, checks

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STEPS = ("open the service", "your details", "choose a slot", "confirm")
BOUND = 10.0


@dataclass(frozen=True)
class System:
    """How a made-up system behaves: typical journey time in seconds, its spread, shares of journeys that go
    wrong.
    """

    label: str
    title: str
    typical: float = 0.2
    spread: float = 0.35
    failed: float = 0.0
    abandoned: float = 0.0
    incorrect: float = 0.0
    cpu: float = 0.012
    memory: float = 90e6
    noise: float = 0.03
    not_ready: frozenset[int] = frozenset()


OLD = System("registrar-forms", "Registrar appointment forms", cpu=0.019, memory=74e6)
NEW = System("booking@1.0.0", "Booking block 1.0.0", typical=0.145, cpu=0.011, memory=96e6)


@dataclass(frozen=True)
class Spec:
    """One made-up trial."""

    systems: tuple[System, ...] = (OLD, NEW)
    rounds: int = 8
    seed: int = 7
    rate: float = 8.0
    window: float = 20.0
    primary: str = "journey_time_p95"
    margin: str = "10%"
    pilot: str = "northmoor/registrar-appointments"
    question: str = (
        "Can the shared booking block serve Northmoor’s registrar appointments at least as well, for less?"
    )
    registered: bool = True
    state: TrialState = TrialState.FINISHED
    state_reason: str | None = None
    repeats: frozenset[int] = frozenset()
    invalid_all: bool = False
    broken: bool = False
    priced: bool = True
    alpha: float = 0.05
    changes: tuple[str, ...] = (
        "Northmoor’s opening hours are read from its configuration, not from the block.",
    )
    findings: tuple[FindingRecord, ...] = ()
    deviations: tuple[str, ...] = ()
    zero_baseline: bool = False
    document: dict[str, Any] = field(default_factory=dict)
    uid: str = "20261120T093000Z-7f3a"
    started: datetime = START


def make(spec: Spec) -> FullTrial:
    """The trial with its runs, not judged."""
    rng = random.Random(spec.seed)
    arms = tuple(
        ArmRecord(
            arm="before" if i == 0 else "after" if i == 1 else f"after-{i}",
            system=s.label,
            title=s.title,
            interface="forms/v1" if i == 0 else "booking/v1",
            content_hash=hashlib.sha256(s.label.encode()).hexdigest(),
            configuration={"trial_key": "must-not-be-published"},
        )
        for i, s in enumerate(spec.systems)
    )
    rounds: list[RoundRecord] = []
    at = spec.started
    for number in range(1, spec.rounds + 1):
        for attempt in (1, 2) if number in spec.repeats else (1,):
            valid = not spec.invalid_all and not (number in spec.repeats and attempt == 1)
            order = [a.arm for a in arms]
            rng.shuffle(order)
            runs = []
            for place, key in enumerate(order):
                system = spec.systems[[a.arm for a in arms].index(key)]
                late = 0.041 if not valid and place == 0 else 0.006 + rng.random() / 500
                runs.append(_run(spec, rng, key, system, number, place, at, late))
                at += timedelta(seconds=40)
            reason = None if valid else "the generator was late in one run"
            rounds.append(
                RoundRecord(
                    number, attempt, valid, tuple(order), at - timedelta(seconds=80), at, tuple(runs), reason
                )
            )
    trial = TrialRecord(
        uid=spec.uid,
        pilot=spec.pilot,
        body=spec.pilot.split("/", 1)[0],
        registered=spec.registered,
        protocol_hash=hashlib.sha256(spec.pilot.encode()).hexdigest(),
        document={**_document(spec), **spec.document},
        seed=spec.seed,
        arms=arms,
        machine={
            "cpu_model": "AMD EPYC 7B13",
            "processors": 2,
            "memory": "8 GB",
            "kernel": "6.1",
            "python": "3.11.7",
            "hostname": "must-not-be-published",
        },
        state=spec.state,
        started_at=spec.started,
        finished_at=at if spec.state is not TrialState.OPEN else None,
        state_reason=spec.state_reason,
        deviations=spec.deviations,
    )
    return FullTrial(trial, tuple(rounds), None, spec.findings)


def judged(full: FullTrial) -> FullTrial:
    """The trial with the real judge's word, as the ledger keeps it."""
    from pydantic import TypeAdapter

    from harness.judge.results import TrialJudgement
    from harness.trial.judging import judge_trial

    return replace(
        full, judgement=TypeAdapter(TrialJudgement).dump_python(judge_trial(full, full.findings), mode="json")
    )


def _document(spec: Spec) -> dict[str, Any]:
    guards = [
        {"metric": "completion_rate", "margin": "1pp"},
        {"metric": "correctness", "margin": "1pp"},
        {"metric": "cost_per_successful_outcome", "margin": "10%"},
    ]
    price = {"source": "illustrative", "price_date": "2026-04-01", "evidence": "assumed"}
    return {
        "pilot": {
            "pilot": spec.pilot.split("/")[1],
            "question": spec.question,
            "service": "registrar-appointments",
            "scenario": "appointment",
            "before": spec.systems[0].label,
            "after": [{"block": s.label} for s in spec.systems[1:]],
            "changes": list(spec.changes),
        },
        "protocol": {
            "rounds": spec.rounds,
            "warm_up": 5.0,
            "measure": spec.window,
            "follow_up": 10.0,
            "design": "interleaved",
            "arrivals": "poisson",
            "primary": {"metric": spec.primary, "margin": spec.margin},
            "guardrails": [g for g in guards if g["metric"] != spec.primary],
            "secondary": [
                {"metric": "journey_time_p50", "margin": "10%"},
                {"metric": "cpu_per_journey", "margin": "10%"},
                {"metric": "memory_mean", "margin": "25%"},
            ],
            "alpha": spec.alpha,
            "concurrency": 500,
            "repeats": 2,
        },
        "programme": {"programme": "Example pioneer programme", "illustrative": True, "currency": "GBP"},
        "body": {
            "name": "northmoor",
            "title": "Northmoor Borough Council",
            "kind": "unitary authority",
            "illustrative": True,
            "population": 214000,
        },
        "service": {
            "name": "registrar-appointments",
            "title": "Registrar appointments",
            "annual_volume": 26000.0,
            "peak_hour": 480.0,
            "volume_source": "illustrative",
            "channels": {"phone": {"share": 1.0, "cost": {"low": 4.1, "likely": 5.6, "high": 8.2, **price}}},
            "failed_journeys_turn_to": "phone",
        },
        "scenario": {"scenario": "appointment", "title": "Book an appointment", "goal": "a slot", "patience": 8.0},
        "demand": {
            "rate": spec.rate,
            "text": "60 times Northmoor’s peak hour (480 an hour)",
            "peak_hour_multiple": 60,
            "because": None,
            "own": False,
        },
        "prices": {
            "cpu_hour": {"low": 0.03, "likely": 0.045, "high": 0.07, **price},
            "gib_hour": {"low": 0.004, "likely": 0.006, "high": 0.009, **price},
            "gb_out": None,
            "gb_month_disk": None,
        }
        if spec.priced
        else None,
        "open_book": [
            {"function": "Front desk", "system": None, "kind": "frontline", "basis": "per_year", "low": 61000, "likely": 66000, "high": 72000, **price},
            {"function": "Support desk", "system": None, "kind": "middle", "basis": "per_year", "low": 9000, "likely": 11000, "high": 14000, **price},
            {"function": "Licences and hosting", "system": "registrar-forms", "kind": "overhead", "basis": "per_year", "low": 17000, "likely": 19000, "high": 22000, **price},
            {"function": "Share of the commons", "system": "booking", "kind": "overhead", "basis": "per_year", "low": 5000, "likely": 6500, "high": 9000, **price},
        ],
        "versions": {"harness": "0.1.0", "measure_version": 1, "locust": "2.47.0", "python": "3.11.7"},
        "exploratory_because": [] if spec.registered else ["the rounds were set by --rounds", "the protocol was not registered"],
    }  # fmt: skip


def _run(
    spec: Spec,
    rng: random.Random,
    key: str,
    system: System,
    number: int,
    place: int,
    at: datetime,
    late: float,
) -> RunRecord:
    schedule = hashlib.sha256(f"{spec.seed}/{number}".encode()).hexdigest()
    scheduled = max(1, round(rng.gauss(spec.rate * spec.window, 6)))
    if number in system.not_ready:
        return RunRecord(
            arm=key,
            place=place,
            state=RunState.NOT_READY,
            started_at=at,
            values={"completion_rate": Value(0.0), "abandonment_rate": Value(0.0)},
            counts={"scheduled": scheduled, "sent": 0, "shed": 0, "completed": 0, "failed": scheduled, "abandoned": 0, "refused": 0, "correct": 0},
            started_mix={"book": scheduled},
            histograms={},
            failures=(Failure("deploy", "not ready", scheduled, "ModuleNotFoundError: no module named “booking”"),),
            schedule_hash=schedule,
            reason="no healthy answer on / within 20 s",
        )  # fmt: skip
    shift = math.exp(rng.gauss(0, system.noise))
    failed = sum(rng.random() < system.failed for _ in range(scheduled))
    abandoned = sum(rng.random() < system.abandoned for _ in range(scheduled))
    ended = max(0, scheduled - failed - abandoned)
    refused = round(ended * 0.05)
    completed = ended - refused
    incorrect = sum(rng.random() < system.incorrect for _ in range(completed))
    parts = [
        [system.typical * shift / 4 * math.exp(rng.gauss(0, system.spread * 1.6)) for _ in STEPS]
        for _ in range(ended)
    ]
    journeys = [sum(p) for p in parts]
    steps = {
        name: StepTimes(Histogram.of(p[i] for p in parts), Histogram.of(p[i] * 0.97 for p in parts))
        for i, name in enumerate(STEPS)
    }
    seconds = []
    for second in range(int(spec.window)):
        here = sorted(journeys[second :: int(spec.window)])
        p95 = here[min(len(here) - 1, int(len(here) * 0.95))] if here else None
        p50 = here[len(here) // 2] if here else None
        seconds.append(Second(second, len(here), len(here), 0, p50, p95))
    lost = (
        () if not failed else (FailureCount("choose a slot", "status 500", failed, "Internal Server Error"),)
    )
    gave_up = () if not abandoned else (FailureCount("confirm", "patience", abandoned, "no answer in 8 s"),)
    result = LoadResult(
        schedule_hash=schedule,
        scheduled=scheduled,
        sent=scheduled,
        shed=0,
        completed=completed,
        failed=failed,
        abandoned=abandoned,
        refused=refused,
        incorrect=incorrect,
        started_mix={"book": scheduled},
        planned_mix={"book": scheduled},
        journey_time=Histogram.of(journeys),
        citizen_time=Histogram.of(j + 12 for j in journeys),
        lateness=Histogram.of([late]),
        steps=steps,
        failures=(*lost, *gave_up),
        audit=(
            Invariant(
                "no slot is booked twice",
                completed,
                3 if spec.broken and key != "before" else 0,
                "by reference",
            ),
            Invariant("every confirmation names a booked slot", completed, 0, ""),
        ),
        timeline=tuple(seconds),
        health=GeneratorHealth(0.21, late, late * 1.5, 0.004, 1, 0.01),
        window=(0.0, spec.window),
        bound=BOUND,
    )
    use = ResourceUse(
        window=spec.window,
        cpu_seconds=system.cpu * scheduled * math.exp(rng.gauss(0, 0.04)),
        memory_mean=system.memory * math.exp(rng.gauss(0, 0.01)),
        memory_peak=system.memory * 1.1,
        disk_read=0.0,
        disk_written=4096.0 * scheduled,
        network_received=21000.0 * scheduled,
        network_sent=18000.0 * scheduled,
        processes_peak=2,
        method="schedstat",
    )
    machine = MachineUse(2, 0.31, 0.14, 0.11, 0.02, 0.03, 0.0)
    values = figures.values(result, use, 1.1 + rng.random() / 3)
    if spec.zero_baseline and key == "before":
        values = {**values, spec.primary: Value(0.0)}
    found = checks(result, machine, Limits())
    state = RunState.MEASURED if all(c.passed for c in found) else RunState.INVALID
    return RunRecord(
        arm=key,
        place=place,
        state=state,
        started_at=at,
        values=values,
        counts=figures.counts(result),
        started_mix=result.started_mix,
        histograms=figures.histograms(result),
        failures=figures.failures(result),
        audit=figures.audit(result),
        checks=found,
        timeline=figures.timeline(result),
        resources=figures.resources(use),
        health=figures.health(result, machine),
        schedule_hash=schedule,
        reason="; ".join(c.found for c in found if not c.passed) or None,
    )


HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>"
ARABIC = "خدمة حجز المواعيد\u202e المشتركة"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsanwärterprüfungs" * 3

SPECS: dict[str, Spec] = {
    "better": Spec(),
    "worse": Spec(systems=(OLD, replace(NEW, typical=0.235, cpu=0.022, noise=0.02))),
    "much_worse": Spec(systems=(OLD, replace(NEW, typical=0.52))),
    "equivalent": Spec(systems=(OLD, replace(NEW, typical=0.201, noise=0.01))),
    "no_worse": Spec(systems=(OLD, replace(NEW, typical=0.19, noise=0.07)), seed=9),
    "inconclusive": Spec(systems=(replace(OLD, noise=0.2), replace(NEW, typical=0.21, noise=0.25)), rounds=6),
    "guardrail_broken": Spec(systems=(OLD, replace(NEW, failed=0.06))),
    "invariant_broken": Spec(broken=True),
    "abandoned_journeys": Spec(systems=(OLD, replace(NEW, abandoned=0.09))),
    "censored_before": Spec(systems=(replace(OLD, abandoned=0.12), NEW)),
    "not_ready": Spec(systems=(OLD, replace(NEW, not_ready=frozenset({2, 5})))),
    "never_ready": Spec(systems=(OLD, replace(NEW, not_ready=frozenset(range(1, 9))))),
    "invalid": Spec(
        invalid_all=True,
        rounds=3,
        state=TrialState.INVALID,
        state_reason="round 1 could not be made valid in 3 attempts: the generator was late",
    ),
    "repeated": Spec(repeats=frozenset({3, 6}), deviations=("Two rounds were repeated.",)),
    "two_candidates": Spec(
        systems=(OLD, NEW, replace(NEW, label="booking@1.1.0", title="Booking block 1.1.0", typical=0.24)), alpha=0.05
    ),
    "one_round": Spec(rounds=1, registered=False),
    "zero_baseline": Spec(zero_baseline=True),
    "exploratory": Spec(rounds=3, registered=False),
    "open": Spec(rounds=2, state=TrialState.OPEN),
    "abandoned": Spec(rounds=1, state=TrialState.ABANDONED, state_reason="interrupted and not resumed"),
    "unpriced": Spec(priced=False),
    "rate_primary": Spec(primary="completion_rate", margin="1pp", systems=(replace(OLD, failed=0.04), NEW)),
    "cost_primary": Spec(primary="cost_per_successful_outcome"),
    "findings": Spec(
        findings=tuple(
            FindingRecord(
                uid=f"f{i}",
                pilot="northmoor/registrar-appointments",
                trial=None,
                text=f"Confirmation letters to homes without a house number came back ({i}).",
                source="front desk",
                blocking=i == 2,
                opened_at=START,
                resolved_at=START if i == 4 else None,
                resolution="the address check was loosened" if i == 4 else None,
            )
            for i in range(1, 7)
        )
    ),
    "hostile": Spec(
        systems=(replace(OLD, title=HOSTILE), replace(NEW, title=HOSTILE, failed=0.01)),
        question=f"Is {HOSTILE} safe?",
        changes=(HOSTILE,),
        state_reason=HOSTILE,
    ),
    "right_to_left": Spec(question=f"هل {ARABIC}؟", changes=(ARABIC,), systems=(replace(OLD, title=ARABIC), NEW)),
    "very_long": Spec(
        systems=(replace(OLD, title=LONG), replace(NEW, label="a" * 60 + "@1.0.0", title=LONG)), question=LONG
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def trials() -> Callable[[str], FullTrial]:
    """A judged made-up trial by name (see SPECS); the same object each time."""
    made: dict[str, FullTrial] = {}

    def get(name: str) -> FullTrial:
        if name not in made:
            spec = SPECS[name]
            full = make(spec)
            unjudged = spec.state in (TrialState.OPEN, TrialState.ABANDONED)
            made[name] = full if unjudged else judged(full)
        return made[name]

    return get


@pytest.fixture(scope="session")
def specs() -> dict[str, Spec]:
    """Every made-up trial's specification by name."""
    return SPECS


@pytest.fixture(scope="session")
def make_trial() -> Callable[..., FullTrial]:
    """A judged made-up trial of one's own: `make_trial(rounds=4, …)`."""

    def build(judge: bool = True, **changes: Any) -> FullTrial:
        full = make(Spec(**changes))
        return judged(full) if judge else full

    return build


@pytest.fixture(scope="session")
def reports() -> Path:
    """The harness's own templates and theme."""
    return Path(__file__).resolve().parents[2] / "reports"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium driven by Playwright; skips where there is none."""
    found = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=found,
            headless=True,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()
