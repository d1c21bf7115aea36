"""Numbers as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reporting import formats

NB = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ((0.3613, 0.2734), "seconds", (f"0.361{NB}s", f"0.273{NB}s")),
        ((12.34, 1.2), "seconds", (f"12.3{NB}s", f"1.2{NB}s")),
        ((0.0431, 0.0392), "seconds", (f"43.1{NB}ms", f"39.2{NB}ms")),
        ((0.2701, 0.2698), "seconds", (f"0.2701{NB}s", f"0.2698{NB}s")),
        ((0.00004,), "seconds", (f"40.0{NB}µs",)),
        ((74.2e6, 96e6), "bytes", (f"74.2{NB}MB", f"96.0{NB}MB")),
        ((512.0,), "bytes", (f"512{NB}bytes",)),
        ((3.731, 3.249), "money", ("£3.73", "£3.25")),
        ((1234.5,), "money", ("£1,234.50",)),
        ((0.0000123,), "money", ("£0.0000123",)),
        ((-2.5,), "money", (f"{MINUS}£2.50",)),
        ((0.9963, 1.0), "fraction", ("99.6%", "100%")),
        ((0.99996,), "fraction", ("99.996%",)),
        ((0.00001, 0.0), "fraction", ("0.001%", "0%")),
        ((0.5, None), "fraction", ("50.0%", "not known")),
        ((float("nan"),), "seconds", ("not known",)),
        ((0.0,), "seconds", (f"0{NB}s",)),
        ((3.0,), "", ("3.00",)),
    ],
)
def test_figures_of_one_metric_share_unit_and_decimals(values, unit, expected):
    assert formats.together(values, unit) == expected


@given(st.floats(min_value=0, max_value=1))
def test_a_share_never_rounds_to_all_or_none(share):
    text = formats.one(share, "fraction")
    assert (text == "100%") is (share == 1)
    assert (text == "0%") is (share == 0)


@given(st.lists(st.floats(min_value=1e-5, max_value=1e4), min_size=2, max_size=6))
def test_figures_that_differ_look_different_and_keep_their_order(values):
    texts = formats.together(values, "seconds")
    for a, ta in zip(values, texts, strict=True):
        for b, tb in zip(values, texts, strict=True):
            shown = [float(t.split(NB)[0].replace(",", "")) for t in (ta, tb)]
            if a <= b:
                assert shown[0] <= shown[1]
    largest = max(values)
    near = [v for v in values if v > largest / 10]
    for a in near:
        for b in near:
            if abs(a - b) > 2e-3 * max(a, b):
                assert texts[values.index(a)] != texts[values.index(b)]


@given(st.floats(min_value=-1e6, max_value=1e6), st.integers(min_value=0, max_value=6))
def test_fixed_is_near_and_never_minus_zero(value, decimals):
    text = formats.fixed(value, decimals)
    shown = float(text.replace(",", "").replace(MINUS, "-"))
    assert abs(shown - value) <= 0.5 * 10**-decimals * (1 + 1e-9)
    assert not (shown == 0 and text.startswith(MINUS))


def test_currencies():
    assert formats.one(3.5, "money", "EUR") == "€3.50"
    assert formats.one(3.5, "money", "SEK") == f"SEK{NB}3.50"


def test_censored_is_more_than():
    assert formats.at_least(10.0, "seconds") == f">{NB}10{NB}s"


@given(st.floats(min_value=0, max_value=1))
def test_parts_of_a_share_are_neither_all_nor_none_unless_exact(share):
    part, whole = formats.parts(share)
    assert whole in (100, 1000, 10_000)
    if 0 < share < 1:
        assert 0 < part < whole


def test_axis_ticks_have_no_idle_decimals():
    assert formats.axis((0.0, 0.5, 1.0), "seconds") == (f"0.0{NB}s", f"0.5{NB}s", f"1.0{NB}s")
    assert formats.axis((0.0, 20.0, 40.0), "seconds") == (f"0{NB}s", f"20{NB}s", f"40{NB}s")
    assert formats.axis((0.98, 1.0), "fraction") == ("98%", "100%")


def test_p_is_never_zero():
    assert formats.p_value(0.0) == "< 0.001"
    assert formats.p_value(0.0078) == "0.008"
