from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.workspace.quantities import Day, Duration, Margin, PositiveDuration, Rate, Share

duration, positive, rate = TypeAdapter(Duration), TypeAdapter(PositiveDuration), TypeAdapter(Rate)
share, margin, day = TypeAdapter(Share), TypeAdapter(Margin), TypeAdapter(Day)


@pytest.mark.parametrize(
    ("adapter", "written", "value"),
    [
        (duration, "5s", 5),
        (duration, "250 ms", 0.25),
        (duration, "0s", 0),
        (duration, "2min", 120),
        (duration, "1.5h", 5400),
        (duration, "100us", 1e-4),
        (rate, "8/s", 8),
        (rate, "480/h", 480 / 3600),
        (rate, "30 / min", 0.5),
        (share, "95%", 0.95),
        (share, "0%", 0),
        (share, "100%", 1),
        (margin, "10%", Margin(0.1, "percent")),
        (margin, "0.5pp", Margin(0.005, "pp")),
        (day, "2026-04-01", date(2026, 4, 1)),
    ],
)
def test_quantities_are_read_in_base_units(adapter: TypeAdapter[object], written: str, value: object) -> None:
    read = adapter.validate_python(written)
    assert read == (pytest.approx(value) if isinstance(value, (int, float)) else value)


@pytest.mark.parametrize(
    ("adapter", "written", "words"),
    [
        (duration, "5", "a duration with its unit, such as 5s or 250ms"),
        (duration, 5, "a duration with its unit, such as 5s or 250ms"),
        (duration, "-5s", "a duration of zero or more"),
        (duration, "1e999s", "a finite duration"),
        (duration, "1e308h", "a finite duration"),
        (duration, "nans", "a duration with its unit"),
        (positive, "0s", "a duration above zero"),
        (rate, "-8/s", "a rate above zero"),
        (rate, "0/s", "a rate above zero"),
        (rate, "8", "a rate with its unit, such as 8/s or 480/h"),
        (rate, "8/fortnight", "a rate with its unit"),
        (rate, True, "a rate with its unit"),
        (share, "101%", "a percentage from 0% to 100%"),
        (share, "-1%", "a percentage from 0% to 100%"),
        (share, "5pp", "a percentage from 0% to 100%"),
        (margin, "0%", "a margin above 0"),
        (margin, "-1pp", "a margin above 0"),
        (margin, "101%", "at most 100"),
        (margin, 0.1, "a margin with its unit"),
        (day, "2026-13-01", "a day that the calendar has"),
        (day, "1.4.2026", "a day as year-month-day"),
        (day, 20260401, "a day as year-month-day"),
        (day, "1767571200", "a day as year-month-day"),
    ],
)
def test_what_is_no_quantity_is_refused_in_words(
    adapter: TypeAdapter[object], written: object, words: str
) -> None:
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        adapter.validate_python(written)


@given(
    st.integers(0, 10**6), st.sampled_from([("us", 1e-6), ("ms", 1e-3), ("s", 1), ("min", 60), ("h", 3600)])
)
def test_a_duration_is_its_number_times_its_unit(number: int, unit: tuple[str, float]) -> None:
    assert duration.validate_python(f"{number}{unit[0]}") == pytest.approx(number * unit[1])


@given(st.integers(1, 1000), st.sampled_from(["%", "pp"]))
def test_a_margin_survives_being_written_and_read(tenths: int, unit: str) -> None:
    first = Margin.parse(f"{tenths / 10}{unit}")
    assert Margin.parse(str(first)) == first
    assert margin.validate_python(first) == first
    assert margin.dump_python(first, mode="json") == str(first)


@given(st.text(max_size=30) | st.integers() | st.floats() | st.none() | st.lists(st.integers(), max_size=2))
def test_garbage_is_refused_and_never_crashes(value: object) -> None:
    for adapter in (duration, positive, rate, share, margin, day):
        try:
            adapter.validate_python(value)
        except ValidationError:
            continue
