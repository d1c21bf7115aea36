"""The verdict table as rows, the finding as a sentence, for a terminal."""

from __future__ import annotations

import pytest

from harness.reporting.pages import pilot_page
from harness.reporting.text import finding_sentence, verdict_rows
from harness.reporting.view import TrialView, read_judgement

NB = "\N{NO-BREAK SPACE}"


def test_rows_say_what_page_one_says(trials):
    full = trials("better")
    rows = verdict_rows(full, read_judgement(full))
    assert [(r.metric, r.role) for r in rows][:2] == [
        ("Journey time, 95th percentile", "Primary"),
        ("Completion rate", "Guardrail"),
    ]
    assert rows[0].verdict == "Better"
    assert rows[0].guardrail == ""
    assert rows[0].before == f"0.361{NB}s"
    assert rows[0].effect == "24% lower (95%: between 19% and 29% lower)"
    assert rows[0].margin == "10%"
    assert rows[1].guardrail == "Holds"
    key = pilot_page(TrialView(full, read_judgement(full)), [full.trial]).board.key_rows[0]
    assert [f.text for f in key.figures] == [rows[0].before, rows[0].after]


def test_every_kind_of_trial_has_rows(trials, specs):
    for name, spec in specs.items():
        full = trials(name)
        judgement = read_judgement(full)
        if judgement is None:
            continue
        rows = verdict_rows(full, judgement)
        assert len({r.candidate for r in rows}) == len(spec.systems) - 1
        assert all(r.verdict and r.before and r.after and r.effect for r in rows)
        assert "\n" not in finding_sentence(full, judgement)


def test_a_bound_is_marked(trials):
    full = trials("abandoned_journeys")
    assert verdict_rows(full, read_judgement(full))[0].after.startswith(">")


def test_finding_by_candidate(trials):
    full = trials("two_candidates")
    judgement = read_judgement(full)
    assert "booking@1.0.0 is better" in finding_sentence(full, judgement)
    assert "booking@1.1.0 is worse" in finding_sentence(full, judgement, "after-2")
    with pytest.raises(KeyError):
        finding_sentence(full, judgement, "after-3")
