"""Names from outside, made safe to print."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.metrics import METRICS
from harness.judge.results import GuardrailState, Recommended, Role, Verdict
from harness.reporting import words


def test_every_enum_and_metric_has_its_word():
    assert set(words.VERDICT_WORDS) == set(Verdict)
    assert set(words.GUARDRAIL_WORDS) == set(GuardrailState)
    assert set(words.RECOMMENDED_WORDS) == set(Recommended)
    assert set(words.ROLE_WORDS) == set(Role)
    for name, metric in METRICS.items():
        assert "“" not in words.metric_words(name).subject
        assert words.metric_title(name) == metric.title


def test_a_metric_of_an_older_version_keeps_a_name():
    assert words.metric_title("time_to_smile") == "Time to smile"
    assert words.metric_unit("time_to_smile") == ""


@given(st.text(max_size=400))
def test_cleaned_text_is_one_line_without_control(text):
    found = words.clean(text, 100)
    inner = found.removeprefix("\u2068").removesuffix("\u2069")
    assert len(inner) <= 100
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in inner)


def test_right_to_left_is_isolated():
    assert words.clean("خدمة\u202e!") == "\u2068خدمة !\u2069"
    assert words.clean("plain") == "plain"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("half of it", "Half of it."),
        ("booking@1.0.0 is worse", "booking@1.0.0 is worse."),
        ("registrar-forms won", "registrar-forms won."),
        ("Done!", "Done!"),
        ("", ""),
    ],
)
def test_sentence(text, expected):
    assert words.sentence(text) == expected


def test_lists_and_plurals():
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.plural(1, "round") == "one round"
    assert words.plural(0, "round") == "no rounds"
    assert words.plural(16, "run") == "16 runs"
