"""The engineers' part: was the load delivered, what failed, how long it took, what it used.

The one idea: it reads the ledger's rows, never the judge's summary, so that whoever doubts page one can
follow it down to the run. The trial's own record (flow, versions, seeds) is in `record`.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.judge.histogram import Histogram
from harness.judge.metrics import METRICS
from harness.reporting import formats
from harness.reporting.charts.dots import RoundValues, dots
from harness.reporting.charts.spectrum import borne, spectrum
from harness.reporting.charts.svg import Chart, DataTable
from harness.reporting.charts.timeline import ArmTimes, timeline
from harness.reporting.view import TrialView, centre
from harness.reporting.words import clean, metric_title, metric_unit, plural, sentence

_PERCENTILES = (50.0, 95.0, 99.0, 99.9)
_RESOURCES = (
    "cpu_per_journey",
    "memory_mean",
    "memory_peak",
    "disk_written_per_journey",
    "network_per_journey",
    "time_to_deploy",
)
_ENDED = ("completed", "refused", "failed", "abandoned")
_MOST_FAILURES = 40


def delivered_sentence(view: TrialView) -> str:
    """Whether the asked load was put on every system."""
    worst = 1.0
    for arm in view.arms:
        for _, run in view.runs(arm.arm):
            scheduled = run.counts.get("scheduled", 0)
            if scheduled and run.state.value != "not_ready":
                worst = min(worst, (run.counts.get("sent", 0) + run.counts.get("shed", 0)) / scheduled)
    shed = sum(view.total(a.arm, "shed") for a in view.arms)
    unready = sum(view.not_ready(a.arm) for a in view.arms)
    if not view.full.valid_rounds:
        return "No valid round was made, so no load counts as delivered."
    said = (
        f"In the worst run {formats.one(worst, 'fraction')} of the scheduled arrivals were put on the system"
    )
    if shed:
        said += f"; {plural(shed, 'arrival')} found the system full and count as abandoned"
    if unready:
        said += f"; {plural(unready, 'run')} had no system that was ready, and all its journeys failed"
    return sentence(said)


def delivered(view: TrialView) -> DataTable:
    """Scheduled, sent and shed by arm, with how late the generator was at worst."""
    rows = []
    for arm in view.arms:
        runs = view.runs(arm.arm)
        late = [run.health["lateness_p99"] for _, run in runs if "lateness_p99" in run.health]
        busy = [run.health["generator_cpu_share"] for _, run in runs if "generator_cpu_share" in run.health]
        rows.append(
            (
                view.label(arm.arm),
                formats.count(len(runs)),
                *(formats.count(view.total(arm.arm, name)) for name in ("scheduled", "sent", "shed")),
                formats.one(max(late, default=None), "seconds"),
                formats.one(max(busy, default=None), "fraction"),
            )
        )
    return DataTable(
        "Load by system, valid rounds together",
        (
            "System",
            "Runs",
            "Scheduled",
            "Sent",
            "Shed",
            "Lateness p99, worst run",
            "Generator’s share of a core, worst run",
        ),
        tuple(rows),
    )


def delivered_rounds(view: TrialView) -> DataTable:
    """The same by round and system."""
    rows = [
        (
            f"Round {number}",
            view.label(arm.arm),
            *(formats.count(run.counts.get(name, 0)) for name in ("scheduled", "sent", "shed", *_ENDED)),
            formats.one(run.health.get("lateness_p99"), "seconds"),
            run.state.value.replace("_", " "),
        )
        for arm in view.arms
        for number, run in view.runs(arm.arm)
    ]
    heads = (
        "Round",
        "System",
        "Scheduled",
        "Sent",
        "Shed",
        "Completed",
        "Refused",
        "Failed",
        "Abandoned",
        "Lateness p99",
        "Run",
    )
    return DataTable(
        "Load and outcomes by round", heads, tuple(sorted(rows, key=lambda r: int(r[0].split()[1]))), words=2
    )


def checks(view: TrialView) -> tuple[DataTable, DataTable | None]:
    """Validity checks of every run of every attempt: how many passed, and each that did not."""
    passed: dict[str, list[bool]] = {}
    failed = []
    limits: dict[str, str] = {}
    for record in view.full.rounds:
        for run in record.runs:
            for check in run.checks:
                passed.setdefault(check.name, []).append(check.passed)
                limits.setdefault(check.name, clean(check.limit, 80))
                if not check.passed:
                    place = f"Round {record.number}, attempt {record.attempt}"
                    failed.append(
                        (
                            place,
                            view.label(run.arm),
                            _plain(check.name),
                            clean(check.found, 200),
                            clean(check.limit, 80),
                        )
                    )
    summary = DataTable(
        "Validity checks over all runs, repeated ones included",
        ("Check", "Limit", "Runs that passed", "Runs that failed"),
        tuple(
            (_plain(n), limits[n], formats.count(sum(p)), formats.count(len(p) - sum(p)))
            for n, p in passed.items()
        ),
    )
    heads = ("Where", "System", "Check", "Found", "Limit")
    return summary, DataTable(
        "Checks that failed", heads, tuple(failed[:_MOST_FAILURES]), False
    ) if failed else None


def outcomes(view: TrialView) -> DataTable:
    """What became of the journeys, by system."""
    rows = []
    for arm in view.arms:
        ended = view.total(arm.arm, *_ENDED)
        cells = [formats.count(view.total(arm.arm, name)) for name in _ENDED]
        correct = [run.counts for _, run in view.runs(arm.arm) if "correct" in run.counts]
        audited = sum(c.get("completed", 0) for c in correct)
        right = (
            formats.one(sum(c["correct"] for c in correct) / audited, "fraction")
            if audited
            else "not audited"
        )
        done = (
            formats.one(view.total(arm.arm, "completed", "refused") / ended, "fraction")
            if ended
            else formats.NONE
        )
        rows.append((view.label(arm.arm), formats.count(ended), *cells, done, right))
    heads = (
        "System",
        "Journeys",
        "Completed",
        "Refused",
        "Failed",
        "Abandoned",
        "Completion",
        "Correct of completed",
    )
    return DataTable("What became of the journeys, valid rounds together", heads, tuple(rows))


def failures(view: TrialView) -> DataTable | None:
    """Failures by system, step and kind, most frequent first; None when there was none."""
    rows = []
    for arm in view.arms:
        found: dict[tuple[str, str], tuple[int, str]] = {}
        for _, run in view.runs(arm.arm):
            for f in run.failures:
                count, example = found.get((f.step, f.kind), (0, ""))
                found[(f.step, f.kind)] = (count + f.count, example or f.example)
        for (step, kind), (count, example) in sorted(found.items(), key=lambda item: -item[1][0]):
            cells = (clean(step, 80), clean(kind, 80), formats.count(count), clean(example, 160))
            rows.append((view.label(arm.arm), *cells))
    heads = ("System", "Step", "Kind", "Count", "Example")
    return (
        DataTable("Failures by step and kind", heads, tuple(rows[:_MOST_FAILURES]), False) if rows else None
    )


def audit(view: TrialView) -> DataTable | None:
    """The audit's invariants by system; None when nothing was audited."""
    rows = []
    for arm in view.arms:
        found: dict[str, tuple[int, int, str]] = {}
        for _, run in view.runs(arm.arm):
            for check in run.audit:
                examined, bad, detail = found.get(check.name, (0, 0, ""))
                found[check.name] = (
                    examined + check.examined,
                    bad + check.violations,
                    detail or check.detail,
                )
        for name, (examined, bad, detail) in found.items():
            state = f"{formats.count(bad)} broken" if bad else "none broken"
            rows.append(
                (view.label(arm.arm), clean(name, 120), formats.count(examined), state, clean(detail, 160))
            )
    heads = ("System", "Invariant", "Examined", "Violations", "Detail")
    return (
        DataTable("Audit over the system’s own API, valid rounds together", heads, tuple(rows), False)
        if rows
        else None
    )


def spectrum_chart(view: TrialView) -> Chart | None:
    """The percentile spectrum of all arms."""
    return spectrum("spectrum", [view.journeys(arm.arm) for arm in view.arms])


def steps(view: TrialView) -> DataTable | None:
    """Response and service time of each step by system, only the percentiles that the sample bears.

    A step that failed has no time and ranks slowest.
    """
    rows = []
    for step in view.steps():
        for arm in view.arms:
            broken = sum(f.count for _, run in view.runs(arm.arm) for f in run.failures if f.step == step)
            response = view.merged(arm.arm, f"step/{step}/response")
            service = view.merged(arm.arm, f"step/{step}/service")
            if response.count + broken == 0:
                continue
            bound = view.bound(arm.arm)
            cells = [*_percentiles(response, broken, bound), *_percentiles(service, broken, bound)]
            counted = (formats.count(response.count), formats.count(broken))
            rows.append([clean(step, 80), view.label(arm.arm), *counted, *cells])
    if not rows:
        return None
    heads = ["Step", "System", "Timed", "Failed"]
    heads += [f"{what} p{p:g}" for what in ("Response", "Service") for p in _PERCENTILES]
    kept = [i for i in range(len(heads)) if i < 4 or any(row[i] != "–" for row in rows)]
    caption = (
        "Time by step in milliseconds, valid rounds merged: response from the intended start, "
        "service from the send"
    )
    return DataTable(
        caption, tuple(heads[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows), words=2
    )


def _percentiles(times: Histogram, slower: int, bound: float | None) -> list[str]:
    sample = times.count + slower
    cells = []
    for percent in _PERCENTILES:
        value = times.percentile(percent, slower)
        if not borne(percent, sample):
            cells.append("–")
        elif value is not None:
            cells.append(formats.milliseconds(value))
        else:
            cells.append("did not end" if bound is None else f"> {formats.count(bound * 1e3)}")
    return cells


def timeline_chart(view: TrialView) -> Chart | None:
    """The time line of all arms."""
    arms = [
        ArmTimes(
            arm.arm, view.label(arm.arm), tuple((number, run.timeline) for number, run in view.runs(arm.arm))
        )
        for arm in view.arms
    ]
    return timeline("timeline", arms)


def resources(view: TrialView) -> DataTable:
    """What the systems used: mean over rounds with the least and the greatest."""
    rows = []
    for name in _RESOURCES:
        found = [[v for _, v, _ in view.values(arm.arm, name)] for arm in view.arms]
        flat: list[float | None] = []
        for values in found:
            flat += [centre(values), min(values, default=None), max(values, default=None)]
        texts = formats.together(flat, metric_unit(name), view.currency)
        cells = [_with_range(texts[3 * i], texts[3 * i + 1], texts[3 * i + 2]) for i in range(len(found))]
        rows.append((metric_title(name), *cells))
    caption = (
        "Resources of the system’s whole process tree in the window: mean over rounds (least "
        "to greatest); measured"
    )
    return DataTable(caption, ("Resource", *(view.label(a.arm) for a in view.arms)), tuple(rows))


def _with_range(middle: str, low: str, high: str) -> str:
    return middle if middle == formats.NONE or low == high else f"{middle} ({low} to {high})"


def rounds(view: TrialView, names: Sequence[str]) -> tuple[tuple[Chart, ...], tuple[DataTable, ...]]:
    """A per-round plot of the first metric and a table of values by round of each."""
    arms = [(arm.arm, view.label(arm.arm)) for arm in view.arms]
    charts: list[Chart] = []
    tables: list[DataTable] = []
    for name in names:
        by_arm = [
            {number: (value, censored) for number, value, censored in view.values(arm, name)}
            for arm, _ in arms
        ]
        found = [
            RoundValues(
                record.number,
                tuple(values[record.number][0] if record.number in values else None for values in by_arm),
                tuple(values[record.number][1] if record.number in values else False for values in by_arm),
            )
            for record in view.full.valid_rounds
        ]
        chart = dots(f"rounds-{len(tables)}", name, metric_unit(name), arms, found, view.currency)
        if chart is not None:
            tables.append(chart.table)
            if len(tables) == 1:
                charts.append(chart)
    return tuple(charts), tuple(tables)


def judged_metrics(view: TrialView) -> tuple[str, ...]:
    """Every metric that was judged, the primary first; those of the registry when there is no judgement."""
    if view.judgement is None or not view.judgement.arms:
        return tuple(METRICS)
    return tuple(dict.fromkeys(j.metric for arm in view.judgement.arms for j in arm.judgements))


def _plain(name: str) -> str:
    return clean(name.replace("_", " "), 80).capitalize()
