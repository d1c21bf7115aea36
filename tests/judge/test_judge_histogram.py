"""Histograms merge without loss and know a value to within 0.4%."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.histogram import Histogram

SECONDS = st.floats(min_value=0.0, max_value=5000.0, allow_nan=False)
SAMPLES = st.lists(SECONDS, max_size=60)
SOME = st.lists(SECONDS, min_size=1, max_size=200)
PERCENT = st.floats(min_value=0.0, max_value=100.0)


def merged(*parts: Histogram) -> Histogram:
    total = Histogram()
    for part in parts:
        total.merge(part)
    return total


@given(SAMPLES, SAMPLES, SAMPLES)
def test_merging_is_associative_commutative_and_the_same_as_recording_all(a, b, c) -> None:
    x, y, z = Histogram.of(a), Histogram.of(b), Histogram.of(c)
    whole = Histogram.of([*a, *b, *c])
    assert merged(merged(x, y), z) == merged(x, merged(y, z)) == merged(z, x, y) == whole
    assert merged(x, y, z).count == whole.count == len(a) + len(b) + len(c)
    assert merged(x, y, z).maximum == whole.maximum


@given(SOME, PERCENT)
def test_percentile_is_numpys_nearest_rank_to_within_its_error(values, percent) -> None:
    # whole microseconds, where the rank of the histogram and of NumPy can only agree
    values = [round(v * 1e6) / 1e6 for v in values]
    truth = float(np.percentile(values, percent, method="inverted_cdf"))
    found = Histogram.of(values).percentile(percent)
    assert found == pytest.approx(truth, rel=0.004, abs=1e-6)


@given(SECONDS)
def test_one_value_is_known_to_within_four_in_a_thousand(value) -> None:
    assert Histogram.of([value]).percentile(50) == pytest.approx(value, rel=0.004, abs=5.1e-7)


@given(st.floats(min_value=256e-6, max_value=86_400))
def test_bucket_error_is_half_a_bucket(value) -> None:
    # the middle of a bucket: two values, the first the longest, so that the top does not help
    found = Histogram.of([value, 2 * 86_400]).percentile(1)
    assert abs(found - value) / value <= 0.004


@given(SAMPLES)
def test_bytes_round_trip_and_equal_histograms_have_equal_bytes(values) -> None:
    histogram = Histogram.of(values)
    back = Histogram.from_bytes(histogram.to_bytes())
    assert back == histogram
    assert (back.count, back.mean, back.maximum) == (histogram.count, histogram.mean, histogram.maximum)
    assert back.to_bytes() == histogram.to_bytes()
    assert [back.percentile(p) for p in (5, 50, 99)] == [histogram.percentile(p) for p in (5, 50, 99)]


@pytest.mark.parametrize("blob", [b"", b"rubbish", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_bytes_that_are_no_histogram_are_refused(blob) -> None:
    with pytest.raises(ValueError, match="histogram"):
        Histogram.from_bytes(blob)


@given(SOME, st.integers(min_value=0, max_value=200), PERCENT)
def test_failures_rank_slowest(values, slower, percent) -> None:
    histogram = Histogram.of(values)
    found = histogram.percentile(percent, slower=slower)
    infinite = np.array([*(round(v * 1e6) / 1e6 for v in values), *[np.inf] * slower])
    truth = float(np.percentile(infinite, percent, method="inverted_cdf"))
    if truth == np.inf:
        assert found is None
    else:
        assert found == pytest.approx(truth, rel=0.004, abs=1e-6)


def test_an_empty_histogram_has_no_figures() -> None:
    empty = Histogram()
    assert (empty.percentile(50), empty.mean, empty.maximum, empty.count) == (None, None, None, 0)
    assert Histogram().percentile(50, slower=5) is None


@given(SOME)
def test_mean_and_maximum_are_exact_and_percentiles_ascend(values) -> None:
    histogram = Histogram.of(values)
    assert histogram.mean == pytest.approx(sum(values) / len(values))
    assert histogram.maximum == max(values)
    found = [histogram.percentile(p) for p in range(0, 101, 10)]
    assert found == sorted(found)
    rows = list(histogram.cumulative())
    assert rows[-1][1] == histogram.count
    assert rows == sorted(rows)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_refused(value) -> None:
    with pytest.raises(ValueError, match="finite"):
        Histogram().record(value)


def test_a_percentile_outside_the_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        Histogram.of([1]).percentile(101)
