"""The engineers' part, continued: costs, statistics, run flow, deviations, versions, seeds, how to repeat it.

The one idea: everything that somebody needs to doubt the trial, or to do it again, is on the page itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from harness.judge.results import CostFigure, Judgement
from harness.reporting import engineers as parts
from harness.reporting import formats
from harness.reporting.board import line
from harness.reporting.charts.svg import DataTable
from harness.reporting.effects import effect_text
from harness.reporting.model import Engineers, FlowStep
from harness.reporting.view import TrialView
from harness.reporting.words import (
    EVIDENCE_WORDS,
    ROLE_WORDS,
    VERDICT_WORDS,
    clean,
    metric_title,
    metric_words,
    plural,
    sentence,
)
from harness.store.records import RoundRecord, TrialState

_PILOT = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}/[a-z0-9][a-z0-9.-]{0,62}")
_PRIVATE = re.compile(r"host|user|node|address|path|home|directory|token|password|secret", re.IGNORECASE)


def engineers(view: TrialView) -> Engineers:
    """The whole engineers' part of a trial."""
    checked, failed = parts.checks(view)
    charts, tables = parts.rounds(view, parts.judged_metrics(view))
    return Engineers(
        delivered_sentence=parts.delivered_sentence(view),
        delivered=parts.delivered(view),
        delivered_rounds=parts.delivered_rounds(view),
        checks=checked,
        checks_failed=failed,
        outcomes=parts.outcomes(view),
        failures=parts.failures(view),
        audit=parts.audit(view),
        spectrum=parts.spectrum_chart(view),
        steps=parts.steps(view),
        timeline=parts.timeline_chart(view),
        resources=parts.resources(view),
        costs=costs(view),
        cost_notes=_cost_notes(view),
        statistics=statistics(view),
        statistics_notes=_statistics_notes(view),
        rounds_charts=charts,
        rounds_tables=tables,
        flow=flow(view),
        deviations=tuple(sentence(clean(d, 300)) for d in view.full.trial.deviations),
        findings=tuple(line(f) for f in view.full.findings),
        protocol=_protocol(view),
        environment=_environment(view),
        schedules=_schedules(view),
        commands=commands(view),
    )


def costs(view: TrialView) -> DataTable | None:
    """The costs of every arm split by kind; None where they are not known."""
    if view.judgement is None or not view.judgement.costs:
        return None
    known = view.judgement.costs
    picks: tuple[tuple[str, Sequence[CostFigure | None]], ...] = (
        ("Frontline", [c.frontline for c in known]),
        ("Middle", [c.middle for c in known]),
        ("Overhead", [c.overhead for c in known]),
        ("Resources (processor, memory, network)", [c.resources for c in known]),
        ("Cost per transaction", [c.per_transaction for c in known]),
        ("Cost per successful outcome", [c.per_successful_outcome for c in known]),
    )
    rows = [(name, *_money(figures, view.currency)) for name, figures in picks]
    bands = [c.overhead_share for c in known]
    if any(b is not None for b in bands):
        rows.append(("Overhead’s share (overhead alone to overhead and middle)", *(_band(b) for b in bands)))
    heads = tuple(view.label(c.arm) for c in known)
    caption = "Costs per completed journey: expected (2.5% to 97.5%), evidence class"
    return DataTable(caption, ("Part", *heads), tuple(rows))


def _money(figures: Sequence[CostFigure | None], currency: str) -> list[str]:
    flat = [v for f in figures for v in ((f.likely, f.low, f.high) if f else (None,) * 3)]
    texts = formats.together(flat, "money", currency)
    cells = []
    for i, figure in enumerate(figures):
        likely, low, high = texts[3 * i : 3 * i + 3]
        spread = f" ({low} to {high})" if low != high else ""
        cells.append(f"{likely}{spread}, {EVIDENCE_WORDS[figure.evidence]}" if figure else formats.NONE)
    return cells


def _band(band: tuple[float, float] | None) -> str:
    return " to ".join(formats.together(band, "fraction")) if band else formats.NONE


def _cost_notes(view: TrialView) -> tuple[str, ...]:
    known = view.judgement.costs if view.judgement else ()
    notes = [_named(view.label(c.arm), note.text) for c in known for note in c.warnings]
    notes += [
        f"{view.label(c.arm)}, {clean(part.name, 80)}: {part.per_transaction.note}"
        for c in known
        for part in c.parts
        if part.per_transaction.note
    ]
    return tuple(dict.fromkeys(sentence(clean(n, 300)) for n in notes))


def _named(label: str, text: str) -> str:
    return text if text.startswith(label) else f"{label}: {text}"


def statistics(view: TrialView) -> DataTable | None:
    """Every judged metric with all that the judge gave; None where there is no judgement."""
    if view.judgement is None:
        return None
    several = len(view.judgement.arms) > 1
    rows = [
        _statistic(j, view.label(a.arm) if several else "") for a in view.judgement.arms for j in a.judgements
    ]
    heads = (
        "Metric",
        "Role",
        "Verdict",
        "Effect",
        "Interval",
        "Margin",
        "Rounds",
        "Noise floor",
        "Least detectable",
        "p (sign flips)",
        "p (Holm)",
        "Spread ratio",
    )
    caption = "The judge’s figures; the verdict comes from the interval, never from p"
    return DataTable(caption, heads, tuple(rows), words=3)


def _statistic(j: Judgement, candidate: str) -> tuple[str, ...]:
    effect = effect_text(j, metric_words(j.metric).times_word)
    title = f"{metric_title(j.metric)} ({candidate})" if candidate else metric_title(j.metric)
    interval = f"{effect.short_interval} ({effect.level})" if effect and effect.interval else "–"
    scale = (
        (lambda v: formats.points(v)[1:] if v > 0 else formats.points(v))
        if j.kind.value == "difference"
        else _log
    )
    return (
        title,
        ROLE_WORDS[j.role],
        VERDICT_WORDS[j.verdict],
        effect.short if effect else "–",
        interval,
        clean(j.margin_text, 20),
        formats.count(j.rounds) if j.rounds else "–",
        "–" if j.noise_floor is None else scale(j.noise_floor),
        "–" if j.mde is None else scale(j.mde),
        "–" if j.p_value is None else formats.p_value(j.p_value),
        "–" if j.p_holm is None else formats.p_value(j.p_holm),
        "–" if j.spread_ratio is None else f"{j.spread_ratio:.2f}",
    )


def _log(value: float) -> str:
    return f"{value * 100:.2g}%"


def _statistics_notes(view: TrialView) -> tuple[str, ...]:
    if view.judgement is None:
        return ()
    notes = [note.text for note in view.judgement.warnings]
    for a in view.judgement.arms:
        for j in a.judgements:
            notes += [f"{metric_title(j.metric)}: {note.text}" for note in (*j.reasons, *j.warnings)]
    return tuple(dict.fromkeys(sentence(clean(n, 300)) for n in notes))


def flow(view: TrialView) -> tuple[FlowStep, ...]:
    """The run flow in the manner of CONSORT: planned, run, left out and why, judged."""
    arms = len(view.arms)
    planned = view.number("protocol", "rounds")
    attempts = view.full.rounds
    out = [r for r in attempts if not r.valid]
    valid = view.full.valid_rounds
    steps = []
    if planned is not None:
        number = round(planned)
        each = f"{plural(number, 'round')} of {plural(arms, 'system')} each: {plural(number * arms, 'run')}"
        steps.append(FlowStep(f"Planned: {each}"))
    made = (
        f"{plural(len(attempts), 'attempt')} at rounds, {plural(sum(len(r.runs) for r in attempts), 'run')}"
    )
    steps.append(FlowStep(f"Run: {made}", tuple(_excluded(r) for r in out)))
    unready = [
        f"{view.label(arm.arm)}: not ready in {plural(view.not_ready(arm.arm), 'round')}; all its "
        f"journeys count as failed"
        for arm in view.arms
        if view.not_ready(arm.arm)
    ]
    steps.append(
        FlowStep(f"Valid: {plural(len(valid), 'round')}, {plural(sum(len(r.runs) for r in valid), 'run')}")
    )
    if view.judgement is None:
        judged = "Judged: not yet" if view.full.trial.state is TrialState.OPEN else "Judged: no"
    else:
        used = [j.rounds for a in view.judgement.arms for j in (a.primary,)]
        judged = f"Judged on the primary metric: {plural(min(used, default=0), 'round')}"
    steps.append(FlowStep(judged))
    if unready:
        steps[-2] = FlowStep(steps[-2].text, tuple(unready))
    return tuple(steps)


def _excluded(record: RoundRecord) -> str:
    reasons = [record.reason or "", *(f"{run.arm}: {run.reason}" for run in record.runs if run.reason)]
    why = next((r for r in reasons if r), "no reason was recorded")
    return f"Round {record.number}, attempt {record.attempt} left out: {sentence(clean(why, 240))}"


def _protocol(view: TrialView) -> DataTable:
    trial = view.full.trial
    rows = [
        ("Protocol hash", trial.protocol_hash),
        ("Registered before the first run", "yes" if trial.registered else "no"),
    ]
    for key, name in (
        ("rounds", "Rounds"), ("design", "Design"), ("arrivals", "Arrivals"), ("alpha", "Two-sided "
                                                                                        "error rate"),
        ("concurrency", "Most journeys in flight"), ("repeats", "Repeats of an invalid round"),
    ):  # fmt: skip
        if (text := view.text("protocol", key)) != "":
            rows.append((name, text))
    for key, name in (("warm_up", "Warm-up"), ("measure", "Window"), ("follow_up", "Follow-up")):
        if (seconds := view.number("protocol", key)) is not None:
            rows.append((name, f"{seconds:g} s"))
    rows.append(("Demand", view.text("demand", "text", default="not recorded")))
    if because := view.text("demand", "because"):
        rows.append(("Why this demand", because))
    rows += [("Exploratory because", reason) for reason in view.texts("exploratory_because")]
    raw = view.raw("protocol", "primary")
    for role, found in (
        ("Primary", [raw]),
        ("Guardrail", view.raw("protocol", "guardrails")),
        ("Secondary", view.raw("protocol", "secondary")),
    ):
        for c in found if isinstance(found, list) else []:
            if isinstance(c, Mapping):
                text = f"{metric_title(clean(c.get('metric', '')))}, margin {clean(c.get('margin', ''), 20)}"
                rows.append((role, text))
    return DataTable(
        "The protocol as it was run", ("What", "Value"), tuple((n, clean(v, 200)) for n, v in rows), False
    )


def _environment(view: TrialView) -> DataTable:
    trial = view.full.trial
    rows = [("Trial", trial.uid), ("Seed", str(trial.seed))]
    for arm in view.arms:
        name = f"{'Before' if arm.arm == 'before' else 'After'}: {view.label(arm.arm)}"
        rows.append((name, f"{arm.title}; speaks {arm.interface}; content {arm.content_hash[:16]}"))
    rows += [(f"Version of {k}", str(v)) for k, v in _scalars(view.raw("versions"))]
    if view.judgement is not None:
        rows.append(("Judged with", view.judgement.judged_with))
    rows += [(f"Machine: {k.replace('_', ' ')}", str(v)) for k, v in _scalars(trial.machine)]
    return DataTable(
        "Environment, versions and seed",
        ("What", "Value"),
        tuple((clean(n, 80), clean(v, 200)) for n, v in rows),
        False,
    )


def _scalars(found: object) -> list[tuple[str, object]]:
    """Plain values by name; what could name a machine, a person or a secret is left out."""
    if not isinstance(found, Mapping):
        return []
    return [
        (str(k), round(v, 3) if isinstance(v, float) else v)
        for k, v in found.items()
        if isinstance(v, str | int | float) and not _PRIVATE.search(str(k))
    ]


def _schedules(view: TrialView) -> DataTable:
    rows = []
    for record in view.full.valid_rounds:
        hashes = {run.arm: run.schedule_hash for run in record.runs if run.schedule_hash}
        same = len(set(hashes.values())) == 1
        text = (
            next(iter(hashes.values()))[:16]
            if same
            else ", ".join(f"{view.label(a)}: {h[:16]}" for a, h in hashes.items())
        )
        order = ", then ".join(view.label(arm) for arm in record.order)
        rows.append((f"Round {record.number}", clean(text or "none", 200), "yes" if same else "no", order))
    heads = ("Round", "Schedule hash", "The same for every system", "Order")
    return DataTable("Order of systems and schedule of arrivals by round", heads, tuple(rows), False)


def commands(view: TrialView) -> tuple[str, ...]:
    """The commands that repeat the trial: as registered, and with its own seed (which makes it "
    "exploratory)."""
    pilot = view.full.trial.pilot
    if not _PILOT.fullmatch(pilot):
        return ()
    return f"harness run {pilot}", f"harness run {pilot} --seed {view.full.trial.seed}"
