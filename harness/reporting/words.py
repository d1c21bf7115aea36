"""The fixed words of the reports: verdicts, recommendations, metrics; and names from outside made safe to
print.

The one idea: one table says how each thing is called in a sentence, so that page, terminal and data agree.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from harness.judge.metrics import METRICS, Evidence
from harness.judge.results import GuardrailState, Recommended, Role, Verdict

VERDICT_WORDS = {
    Verdict.BETTER: "Better",
    Verdict.WORSE: "Worse",
    Verdict.EQUIVALENT: "Equivalent",
    Verdict.NO_WORSE: "No worse",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.NO_DATA: "No data",
    Verdict.INVALID: "Invalid",
}
"""The verdict as people read it (the enum's own spelling stays in data)."""

GUARDRAIL_WORDS = {
    GuardrailState.HOLDS: "Holds",
    GuardrailState.BROKEN: "Broken",
    GuardrailState.NOT_SHOWN: "Not shown",
}

RECOMMENDED_WORDS = {
    Recommended.ADOPT: "Adopt",
    Recommended.ITERATE: "Iterate",
    Recommended.STOP: "Stop",
    Recommended.NOT_PROVEN: "Not proven",
}

ROLE_WORDS = {Role.PRIMARY: "Primary", Role.GUARDRAIL: "Guardrail", Role.SECONDARY: "Secondary"}

EVIDENCE_WORDS = {
    Evidence.MEASURED: "measured",
    Evidence.RECORDED: "recorded",
    Evidence.ASSUMED: "assumed",
    Evidence.DERIVED: "derived",
}


@dataclass(frozen=True)
class MetricWords:
    """A metric in sentences: `subject` ("the typical journey time"), `times_word` ("2.4 times as long")."""

    subject: str
    times_word: str = "high"


_METRIC_WORDS = {
    "journey_time_p50": MetricWords("the typical journey time", "long"),
    "journey_time_p95": MetricWords("the 95th-percentile journey time", "long"),
    "journey_time_p99": MetricWords("the 99th-percentile journey time", "long"),
    "citizen_time_p95": MetricWords("the 95th-percentile citizen's time", "long"),
    "completion_rate": MetricWords("the completion rate"),
    "abandonment_rate": MetricWords("the abandonment rate"),
    "correctness": MetricWords("correctness"),
    "cpu_per_journey": MetricWords("processor time per journey", "much"),
    "memory_mean": MetricWords("mean memory use", "much"),
    "memory_peak": MetricWords("peak memory use", "much"),
    "disk_written_per_journey": MetricWords("the amount written to disk per journey", "much"),
    "network_per_journey": MetricWords("network traffic per journey", "much"),
    "time_to_deploy": MetricWords("the time to deploy", "long"),
    "cost_per_transaction": MetricWords("the cost per transaction"),
    "cost_per_successful_outcome": MetricWords("the cost per successful outcome"),
}


def metric_words(name: str) -> MetricWords:
    """How a metric is called in a sentence; one that is not in the table by its title."""
    return _METRIC_WORDS.get(name) or MetricWords(f"“{metric_title(name)}”")


def metric_title(name: str) -> str:
    """The registry's title, or the name in plain words for a metric of an older version."""
    metric = METRICS.get(name)
    return metric.title if metric else clean(name.replace("_", " ")).capitalize()


def metric_unit(name: str) -> str:
    """The registry's unit; empty where the metric is not known any more."""
    metric = METRICS.get(name)
    return metric.unit if metric else ""


def clean(text: object, longest: int = 300) -> str:
    """Text from outside as one line without control characters, shortened with an ellipsis.

    Characters that steer the direction of writing are dropped and a text that holds right-to-left letters
    is wrapped in directional isolates, so that it cannot turn round the sentence it stands in.
    """
    kept = "".join(
        c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} else " "
        for c in str(text)
    )
    line = " ".join(kept.split())
    if len(line) > longest:
        line = line[: longest - 1].rstrip() + "…"
    if any(unicodedata.bidirectional(c) in {"R", "AL", "AN"} for c in line):
        return f"\N{FIRST STRONG ISOLATE}{line}\N{POP DIRECTIONAL ISOLATE}"
    return line


def listed(items: Sequence[str]) -> str:
    """Items as a list in a sentence: "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number of things up to twelve in words from none: "no trials", "one trial", "14 trials"."""
    noun = one if number == 1 else many or one + "s"
    return f"{number_word(number)} {noun}"


def number_word(number: int) -> str:
    """0 is "no", 1 to 9 are words, more are figures."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[number] if 0 <= number < len(words) else f"{number:,}"


def sentence(text: str) -> str:
    """Text as a sentence: first letter in upper case unless it is a name with a version, a full stop at the
    end.
    """
    text = text.strip()
    if not text:
        return ""
    first = text.split(" ", 1)[0]
    if text[0].islower() and not any(c in first for c in "@._/-0123456789"):
        text = text[0].upper() + text[1:]
    return text if text[-1] in ".?!…" else text + "."
