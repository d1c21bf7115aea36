# ruff: noqa: E501 - tables of whole sentences
from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.workspace.openbook import COLUMNS, cells, parse

HEADER = ",".join(COLUMNS)
LINE = "requests,Licence,paper-desk,,middle,per_year,900,1000,1100,GBP,2026-04-01,books,recorded"


def faults(text: str) -> list[str]:
    return [str(fault) for fault in sorted(parse(text.encode(), "b.csv")[1])]


@pytest.mark.parametrize(
    "text", [f"{HEADER}\n{LINE}\n", f"\ufeff{HEADER}\r\n{LINE}", f"{HEADER}\n\n{LINE}\n,,\n"[:-3]]
)
def test_a_sound_book_is_read(text: str) -> None:
    lines, wrong = parse(text.encode(), "b.csv")
    assert not wrong
    assert [(p.line.function, p.line.likely, p.line.role) for p in lines] == [("Licence", 1000.0, None)]


def test_columns_may_stand_in_any_order() -> None:
    order = list(reversed(range(len(COLUMNS))))
    text = ",".join(COLUMNS[i] for i in order) + "\n" + ",".join(LINE.split(",")[i] for i in order)
    (placed,), wrong = parse(text.encode(), "b.csv")
    assert not wrong
    assert placed.line.high == 1100


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (",900,", ",nan,", '2:46: found "nan" under low; expected a number; write the amount alone'),
        (",900,", ",inf,", '2:46: found "inf" under low; expected a number'),
        (",900,", ",£900,", '2:46: found "£900" under low; expected a number'),
        (",900,", ",,", "2:46: found an empty cell under low; expected the least it may be; fill it in"),
        (",900,", ",-900,", "2:46: found -900.0; expected a number of at least 0"),
        (",900,", ",1200,", "2:46: found low 1200, likely 1000, high 1100; expected low ≤ likely ≤ high"),
        (",1000,", ",1200,", "2:50: found low 900, likely 1200, high 1100; expected low ≤ likely ≤ high"),
        (",middle,", ",midle,", '2:30: found "midle"; expected frontline or middle or overhead; did you mean "middle"?'),
        (",per_year,", ",yearly,", '2:37: found "yearly"; expected per_year or per_transaction; '),
        ("2026-04-01", "1/4/2026", '2:64: found "1/4/2026"; expected a day as year-month-day'),
        (",books,", ",,", "2:75: found an empty cell under source; expected where the amount comes from"),
        (",recorded", "", "2:1: found 12 cells; expected 13 cells, as in the header; "),
        (",recorded", ",recorded,x", "2:1: found 14 cells; expected 13 cells, as in the header; "),
        ("Licence", '"Licence', '2:10: found a quote that never ends; expected a closing "; close it, or double it'),
        ("Licence", '"Licence"s', '2:19: found "s" after a closing quote; expected a comma or the line\'s end'),
    ],
)  # fmt: skip
def test_each_fault_of_a_line_is_at_its_cell(old: str, new: str, expected: str) -> None:
    (fault,) = faults(f"{HEADER}\n{LINE.replace(old, new)}\n")
    assert fault.startswith(f"b.csv:{expected}")


def test_cells_after_a_quoted_line_break_keep_their_places() -> None:
    assert faults(
        f'{HEADER}\nrequests,"two\nlines",x,,middle,per_year,1,x,3,GBP,2026-04-01,books,recorded\n'
    ) == [
        'b.csv:3:29: found "x" under likely; expected a number; '
        "write the amount alone: no currency sign, no thousands separator"
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (HEADER.replace("function", "functoin"), ['1:9: found the unknown column "functoin"; expected a column of the open book; did you mean "function"?']),
        (HEADER.replace(",evidence", ""), ["1:1: found no column evidence; "]),
        (HEADER.replace("role", "kind"), ["1:1: found no column role; ", "1:30: found the column kind a second time; "]),
        (HEADER.replace(",", ";"), ["1:1: found no column service, ", '1:1: found the unknown column "service;function']),
    ],
)  # fmt: skip
def test_faults_of_the_header(header: str, expected: list[str]) -> None:
    found = faults(f"{header}\n")
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"b.csv:{start}")


def test_lines_are_checked_under_a_faulty_header_too() -> None:
    text = f"{HEADER.replace('function', 'functoin')}\n{LINE.replace('900', 'x')}\n"
    assert [fault.split(":")[1] for fault in faults(text)] == ["1", "2"]


def test_an_empty_book_and_foreign_bytes() -> None:
    assert faults("\n\n")[0].startswith(
        "b.csv:1:1: found an empty file; expected a header line; write service,function"
    )
    assert "not UTF-8" in str(parse(b"service\xff", "b.csv")[1][0])


def test_a_line_concerns_its_system_its_block_or_everybody() -> None:
    (placed,), _ = parse(f"{HEADER}\n{LINE.replace('paper-desk', 'booking')}".encode(), "b.csv")
    assert placed.line.concerns("booking@1.0.0")
    assert placed.line.concerns("booking")
    assert not placed.line.concerns("booking-forms")
    (shared,), _ = parse(f"{HEADER}\n{LINE.replace('paper-desk', '')}".encode(), "b.csv")
    assert shared.line.concerns("anything")
    (pinned,), _ = parse(f"{HEADER}\n{LINE.replace('paper-desk', 'booking@1.0.0')}".encode(), "b.csv")
    assert not pinned.line.concerns("booking@1.1.0")


_CELL = st.text(st.sampled_from('ab,"\n é'), max_size=6)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(_CELL, min_size=2, max_size=4), max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_cells_are_those_of_the_standard_writer(rows: list[list[str]], line_end: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=line_end).writerows(rows)
    found, wrong = cells(stream.getvalue(), "b.csv")
    assert not wrong
    assert [[cell.text for cell in row] for row in found] == rows
    for row in found:
        for cell in row:
            line = stream.getvalue().replace("\r\n", "\n").split("\n")[cell.place[0] - 1]
            rest = line[cell.place[1] - 1 :].removeprefix('"').replace('""', '"')
            assert rest.startswith(cell.text.split("\n")[0])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=120) | st.text('a,"\n\r;é', max_size=80).map(str.encode), st.booleans())
def test_any_bytes_as_an_open_book_never_crash(content: bytes, with_header: bool) -> None:
    lines, wrong = parse(HEADER.encode() + b"\n" + content if with_header else content, "b.csv")
    assert lines == [] or all(p.line.low <= p.line.high for p in lines)
    assert with_header or wrong


def test_what_the_body_and_the_programme_do_not_know_is_refused(town: Any) -> None:
    town.change(town.book, "requests,Licence,paper-desk", "request,Licence,paper-dsk")
    town.change(
        town.book, "desk,,overhead,per_year,10,20,30,GBP", "desk@2.0.0,,overhead,per_year,10,20,30,EUR"
    )
    assert town.printed() == [
        f'{town.book}:2:1: found "request", which is not there; expected a service of town; did you mean "requests"?',
        f'{town.book}:2:17: found "paper-dsk", which is not there; expected a system of town, a block or a release; '
        'did you mean "paper-desk"?',
        f'{town.book}:4:18: found "desk@2.0.0", which is not there; expected a system of town, a block or a release; '
        'did you mean "desk@1.0.0"?',
        f"{town.book}:4:57: found EUR; expected GBP, the programme's currency; convert the amounts, and say so in source",
    ]
