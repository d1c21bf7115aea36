"""What a protocol must satisfy before anything is deployed: metrics that exist, margins that can be reached, an attainable level.

The one idea: a trial that cannot reach its verdict whatever happens is refused before it costs an hour, with the least
change that would do.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

from harness.judge.metrics import ALWAYS_GUARDED, METRICS, Kind
from harness.judge.planning import journeys_needed, least_rounds
from harness.workspace.faults import Fault
from harness.workspace.loader import ResolvedPilot
from harness.workspace.models import Criterion, Protocol

KeyPath = tuple[str | int, ...]
_FaultMaker = Callable[[KeyPath, str, str, str], None]


def criteria(protocol: Protocol) -> list[tuple[KeyPath, Criterion]]:
    """Every metric with a margin in the protocol, and where it stands in the file."""
    found: list[tuple[KeyPath, Criterion]] = [(("protocol", "primary"), protocol.primary)]
    found += [(("protocol", "guardrails", i), c) for i, c in enumerate(protocol.guardrails)]
    found += [(("protocol", "secondary", i), c) for i, c in enumerate(protocol.secondary)]
    return found


def guardrails(protocol: Protocol) -> list[Criterion]:
    """The protocol's guardrails, and those that guard every trial at one percentage point where it names none."""
    named = {protocol.primary.metric, *(c.metric for c in protocol.guardrails)}
    always = [
        Criterion.model_validate({"metric": m, "margin": "1pp"}) for m in ALWAYS_GUARDED if m not in named
    ]
    return [*protocol.guardrails, *always]


def faults(resolved: ResolvedPilot, protocol: Protocol, *, exploratory: bool = False) -> list[Fault]:
    """Everything that would keep this protocol from its verdict; empty when nothing does.

    An exploratory trial is not refused for too few rounds or journeys (its page says what it cannot show).
    """
    found: list[Fault] = []

    def fault(key: KeyPath, what: str, expected: str, advice: str) -> None:
        line, column = resolved.locate(key)
        found.append(Fault(resolved.path, line, column, what, expected, advice))

    seen: dict[str, KeyPath] = {}
    for key, criterion in criteria(protocol):
        name = criterion.metric
        metric = METRICS.get(name)
        if metric is None:
            nearest = difflib.get_close_matches(name, METRICS, n=1, cutoff=0.4)
            hint = f"did you mean {nearest[0]}?" if nearest else "see `harness list metrics`"
            fault((*key, "metric"), f"metric {name!r}", "a metric of the registry", hint)
            continue
        if name in seen:
            fault(
                (*key, "metric"),
                f"metric {name} a second time",
                "each metric once in a protocol",
                "remove one",
            )
        seen[name] = key
        unit = "pp" if metric.kind is Kind.DIFFERENCE else "percent"
        if criterion.margin.unit != unit:
            written = "percentage points, such as 1pp" if unit == "pp" else "per cent, such as 10%"
            compared = "a difference" if unit == "pp" else "a ratio"
            fault(
                (*key, "margin"),
                f"margin {criterion.margin}",
                f"a margin in {written}: {name} is compared as {compared}",
                "write the margin in that unit",
            )
        elif metric.kind is Kind.COST and resolved.body.prices is None:
            fault(
                (*key, "metric"),
                f"metric {name}, but body {resolved.body.body} has no prices",
                "prices: in body.yaml for a cost metric",
                "add the body's price book, or leave this metric out",
            )
    if not exploratory:
        _attainable(resolved, protocol, fault)
    return found


def _attainable(resolved: ResolvedPilot, protocol: Protocol, fault: _FaultMaker) -> None:
    candidates = len(resolved.arms) - 1
    least = least_rounds(protocol.alpha, candidates)
    if protocol.rounds < least:
        shared = f"alpha {protocol.alpha:g}" + (
            f" shared by {candidates} candidates" if candidates > 1 else ""
        )
        fault(
            ("protocol", "rounds"),
            f"{protocol.rounds} rounds",
            f"at least {least} rounds for {shared}: with fewer, no outcome of the permutation test reaches it",
            f"write rounds: {least}, or run exploratory with `--rounds`",
        )
    journeys = int(protocol.rounds * protocol.measure * resolved.rate)
    for key, criterion in criteria(protocol):
        metric = METRICS.get(criterion.metric)
        if metric is None or metric.kind is not Kind.DIFFERENCE or criterion.margin.unit != "pp":
            continue
        # Guardrails keep the protocol's level; verdicts of several candidates share it.
        level = protocol.alpha if "guardrails" in key else protocol.alpha / candidates
        needed = journeys_needed(criterion.margin.value, level)
        if journeys < needed:
            seconds = needed / (protocol.rounds * resolved.rate)
            fault(
                (*key, "margin"),
                f"{metric.title.lower()} with margin {criterion.margin} and about {journeys} journeys an arm",
                f"at least {needed} journeys an arm for this margin, even without a single failure",
                f"widen the margin, or measure for {seconds:.0f}s a round, or add rounds",
            )


def warnings(resolved: ResolvedPilot, protocol: Protocol) -> tuple[str, ...]:
    """What an exploratory run of this protocol cannot show, as sentences."""
    stopping = faults(resolved, protocol, exploratory=True)
    return tuple(f"{f.found}: {f.expected}" for f in faults(resolved, protocol) if f not in stopping)
