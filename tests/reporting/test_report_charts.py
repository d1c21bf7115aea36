"""The charts: contrast, names, and drawings that stay inside their box and agree with their data."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.histogram import Histogram
from harness.reporting.charts.dots import RoundValues, dots
from harness.reporting.charts.forest import forest
from harness.reporting.charts.scale import Scale, linear_ticks, log_ticks, span
from harness.reporting.charts.spectrum import Series, borne, spectrum
from harness.reporting.charts.svg import COLOURS, TEXT_COLOURS, Drawing, arm_role, fit
from harness.reporting.charts.timeline import ArmTimes, timeline
from harness.reporting.view import read_judgement

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    a, b = sorted((luminance(one), luminance(other)), reverse=True)
    return (a + 0.05) / (b + 0.05)


def test_contrast_formula_agrees_with_known_values():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#F46A25", "#ffffff") == pytest.approx(3.03, abs=0.01)


@pytest.mark.parametrize("role", sorted(TEXT_COLOURS))
def test_text_can_be_read_on_paper_and_band(role):
    assert contrast(TEXT_COLOURS[role], COLOURS["paper"]) >= 4.5
    assert contrast(TEXT_COLOURS[role], COLOURS["band"]) >= 4.5


@pytest.mark.parametrize("role", ["before", "after", "mark", "quiet", "after-3"])
def test_marks_stand_out(role):
    assert contrast(COLOURS[role], COLOURS["paper"]) >= 3


def dark_rules(reports):
    style = (reports / "theme" / "theme.css").read_text()
    dark = style.split("@media (prefers-color-scheme: dark)")[1].split("@media (forced-colors")[0]
    paper = re.search(r"--paper: (#\w{6})", dark)[1]
    band = re.search(r"\.f-band \{ fill: (#\w{6})", dark)[1]
    texts = dict(re.findall(r"\.t-([\w-]+) \{ fill: (#\w{6})", dark))
    return paper, band, texts, dict(re.findall(r"--(\w[\w-]*): (#\w{6})", dark))


def test_dark_text_can_be_read(reports):
    paper, band, texts, variables = dark_rules(reports)
    assert set(texts) == set(TEXT_COLOURS)
    for colour in texts.values():
        assert contrast(colour, paper) >= 4.5
        assert contrast(colour, band) >= 4.5
    for name in ("ink", "quiet", "link", "good", "bad", "even", "open", "after"):
        assert contrast(variables[name], paper) >= 4.5
        assert contrast(variables[name], variables["wash"]) >= 4.5


def check(chart):
    """Well-formed, named, no colour without a literal, nothing outside the box."""
    for drawn in (chart.wide, chart.narrow):
        root = ElementTree.fromstring(str(drawn))
        _, _, width, height = map(float, root.get("viewBox").split())
        named = root.get("aria-labelledby").split()
        titles = {root.find(SVG + "title").get("id"), root.find(SVG + "desc").get("id")}
        assert set(named) == titles
        assert root.find(SVG + "title").text == chart.title
        assert len(root.find(SVG + "desc").text) > 20
        for element in root.iter():
            tag = element.tag.removeprefix(SVG)
            if tag in ("line", "path", "rect", "circle", "text"):
                assert element.get("fill") or element.get("stroke")
                assert element.get("style") is None
            for key in ("x", "x1", "x2", "cx"):
                if element.get(key):
                    assert -1 <= float(element.get(key)) <= width + 1
            for key in ("y", "y1", "y2", "cy"):
                if element.get(key):
                    assert -1 <= float(element.get(key)) <= height + 1
    assert chart.wide != chart.narrow
    assert len(chart.table.rows) > 0
    assert all(len(row) == len(chart.table.columns) for row in chart.table.rows)


def judgements(trials, name):
    return read_judgement(trials(name)).arms[0].judgements


@pytest.mark.parametrize(
    "name",
    [
        "better",
        "worse",
        "much_worse",
        "guardrail_broken",
        "censored_before",
        "never_ready",
        "not_ready",
        "one_round",
    ],
)
def test_forest(trials, name):
    chart = forest("f", judgements(trials, name), "booking@1.0.0")
    check(chart)
    assert len(chart.title.split()) <= 12
    assert len(chart.table.rows) == len(judgements(trials, name))


def points(chart):
    """(x, y) of dots in the wide drawing, with the zero line's x."""
    root = ElementTree.fromstring(str(chart.wide))
    return [float(c.get("cx")) for c in root.iter(SVG + "circle")]


def test_in_the_forest_right_is_better_whatever_the_direction(trials):
    better = [j for j in judgements(trials, "better") if j.metric == "journey_time_p95"]
    worse = [j for j in judgements(trials, "worse") if j.metric == "journey_time_p95"]
    broken = [j for j in judgements(trials, "guardrail_broken") if j.metric == "completion_rate"]
    (good,), (bad,), (failing,) = (points(forest("f", j, "c")) for j in (better, worse, broken))
    middle = (214 + 10 + 720 - 178 - 10) / 2
    assert good > middle > bad
    assert failing < middle


def test_spectrum_stops_where_the_sample_no_longer_bears_it():
    few = Series("before", "old", Histogram.of([0.1 + i / 1000 for i in range(60)]), 0)
    many = Series("after", "new", Histogram.of([0.1 + i / 10000 for i in range(2000)]), 0)
    chart = spectrum("s", [few, many])
    check(chart)
    rows = {row[0]: row[1:] for row in chart.table.rows}
    assert rows["old"][0] == "60"
    assert rows["old"][5] == "sample too small"
    assert rows["new"][6] != "sample too small"
    assert borne(99, 100)
    assert not borne(99, 99)
    assert borne(99.9, 1000)
    assert not borne(99.9, 999)
    assert not borne(50, 19)


def test_spectrum_says_where_journeys_did_not_end():
    lost = Series("before", "old", Histogram.of([0.1 + i / 1000 for i in range(180)]), 20)
    fine = Series("after", "new", Histogram.of([0.1 + i / 1000 for i in range(200)]), 0)
    chart = spectrum("s", [lost, fine])
    assert chart.table.rows[0][5] == "did not end"
    assert chart.title == "The candidate’s journeys were shorter only at p95 and p99"


def test_spectrum_without_enough_journeys_is_none():
    assert spectrum("s", [Series("before", "old", Histogram.of([0.1] * 5), 0)]) is None
    assert spectrum("s", [Series("before", "old", Histogram(), 500)]) is None


def test_dots_count_the_rounds():
    rounds = [RoundValues(i, (0.3 + i / 100, 0.2 + i / 50), (False, False)) for i in range(1, 9)]
    chart = dots("d", "journey_time_p95", "seconds", (("before", "old"), ("after", "new")), rounds)
    check(chart)
    expected = sum(a < b for b, a in (r.values for r in rounds))
    assert chart.title == f"Lower with the candidate in {expected} of 8 rounds"


def test_dots_with_gaps_and_bounds():
    rounds = [RoundValues(1, (0.3, None), (False, False)), RoundValues(2, (10.0, 0.2), (True, False))]
    chart = dots("d", "journey_time_p95", "seconds", (("before", "old"), ("after", "new")), rounds)
    check(chart)
    assert chart.table.rows[0][2] == "none"
    assert chart.table.rows[1][1].startswith("at least ")
    assert dots("d", "x", "", (("before", "old"),), [RoundValues(1, (None,), (False,))]) is None


def seconds(count, p95=0.2):
    return tuple(
        {"second": i, "sent": 8.0, "completed": 8.0, "failed": 0.0, "p95": p95 + i / 1000}
        for i in range(count)
    )


def test_timeline_draws_every_round_and_averages_none():
    arms = [
        ArmTimes(a, a, tuple((n, seconds(20, 0.1 * n)) for n in range(1, 5))) for a in ("before", "after")
    ]
    chart = timeline("t", arms)
    check(chart)
    drawn = re.findall(r'<path d="M[^"]+" fill="none" class="s-(before|after)"', str(chart.wide))
    assert len(drawn) == 8
    assert chart.table.rows[0][4] == f"0.100{chr(160)}s to 0.400{chr(160)}s"


def test_a_long_timeline_keeps_its_peaks_and_stays_small():
    long = list(seconds(3000))
    long[1500] = {**long[1500], "p95": 9.0}
    chart = timeline(
        "t", [ArmTimes("before", "old", ((1, tuple(long)),)), ArmTimes("after", "new", ((1, seconds(3000)),))]
    )
    check(chart)
    assert len(chart.wide) < 40_000
    assert len(chart.table.rows) <= 60
    assert f"9.00{chr(160)}s" in " ".join(row[4] for row in chart.table.rows)
    assert timeline("t", [ArmTimes("before", "old", ((1, ({"second": 0, "sent": 1},)),))]) is None


def test_text_in_a_drawing_is_escaped():
    drawing = Drawing(10, 10)
    drawing.text(0, 0, "<script>&\"'")
    svg = str(drawing.svg("k", "<b>", "a < b"))
    assert "<script>" not in svg
    assert "<b>" not in svg
    assert ElementTree.fromstring(svg).find(SVG + "text").text == "<script>&\"'"


@pytest.mark.parametrize(
    ("arm", "role"),
    [
        ("before", "before"),
        ("after", "after"),
        ("after-2", "after-2"),
        ("after-5", "after"),
        ("after-x", "after"),
    ],
)
def test_arms_have_colours(arm, role):
    assert arm_role(arm) == role


@given(st.floats(min_value=-1e6, max_value=1e6), st.floats(min_value=1e-3, max_value=1e6), st.integers(2, 9))
def test_linear_ticks_lie_within_and_are_few(low, width, most):
    ticks = linear_ticks(low, low + width, most)
    assert len(ticks) <= most + 1
    assert all(low - width * 1e-6 <= t <= low + width * 1.000001 for t in ticks)


@given(st.floats(min_value=1e-5, max_value=1e3), st.floats(min_value=1.3, max_value=1e5))
def test_log_ticks_lie_within(low, factor):
    ticks = log_ticks(low, low * factor)
    assert all(low * 0.99 <= t <= low * factor * 1.01 for t in ticks)
    assert ticks == sorted(ticks)


@given(st.lists(st.floats(min_value=-1e5, max_value=1e5), max_size=9))
def test_a_scale_maps_its_values_onto_its_pixels(values):
    low, high = span(values)
    scale = Scale(low, high, 10, 90)
    assert all(10 - 1e-6 <= scale(v) <= 90 + 1e-6 for v in values)


def test_fit_shortens():
    assert fit("a" * 100, 70, 13).endswith("…")
    assert fit("short", 200) == "short"


def test_equal_values_still_draw(trials):
    j = judgements(trials, "better")[0]
    flat = replace(
        j,
        interval=replace(j.interval, low=j.effect, high=j.effect),
        benefit=replace(j.benefit, low=0.1, high=0.1),
    )
    check(forest("f", [flat], "c"))
