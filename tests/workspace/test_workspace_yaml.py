# ruff: noqa: E501 - tables of whole sentences
from __future__ import annotations

import math
import time
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from harness.workspace.yamlfile import DEEPEST, LARGEST, parse, place_in


def printed(text: str | bytes) -> list[str]:
    _, faults = parse(text.encode() if isinstance(text, str) else text, "f.yaml")
    return [str(fault) for fault in sorted(faults)]


def data(text: str) -> Any:
    document, faults = parse(text.encode(), "f.yaml")
    assert not faults
    assert document is not None
    return document.data


def test_yaml_1_2_keeps_no_and_versions_and_dates_as_text() -> None:
    assert data("a: no\nb: on\nc: 1.0.0\nd: 2026-01-05\ne: 12:30\nf: '1'\n") == {
        "a": "no", "b": "on", "c": "1.0.0", "d": "2026-01-05", "e": "12:30", "f": "1",
    }  # fmt: skip


def test_numbers_and_constants_of_the_core_schema() -> None:
    text = "[1, -2, 0o17, 0x1F, 1.5, .5, 1e3, true, FALSE, null, ~, , x]".replace(", ,", ",")
    assert data(text) == [1, -2, 15, 31, 1.5, 0.5, 1000.0, True, False, None, None, "x"]


def test_keys_and_items_are_located_from_one() -> None:
    document, _ = parse(b"a: 1\nb:\n  - x\n  - c: 5\n    d: 6\n", "f.yaml")
    assert document is not None
    assert document.locate(("b",)) == (2, 1)
    assert document.locate_value(("b",)) == (3, 3)
    assert document.locate(("b", 1)) == (4, 5)
    assert document.locate(("b", 1, "d")) == (5, 5)
    assert document.locate_value(("b", 1, "d")) == (5, 8)
    assert document.locate(("b", 1, "nowhere", 3)) == (4, 5)
    assert document.locate("a") == (1, 1)
    assert document.locate(()) == (1, 1)


def test_a_duplicate_key_names_both_places() -> None:
    assert printed("a: 1\nb: 2\na: 3\n") == [
        'f.yaml:3:1: found the key "a" a second time; expected each key once; '
        "keep one of the two: the first is on line 1"
    ]


def test_duplicates_at_every_level_are_all_told() -> None:
    assert [
        line.split(":")[1:3] for line in map(str.strip, printed("a: {x: 1, x: 2}\nb: 1\nb: {y: 1, y: 2}\n"))
    ] == [
        ["1", "11"],
        ["3", "1"],
        ["3", "11"],
    ]


def test_an_alias_bomb_is_refused_without_expanding_it() -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    began = time.perf_counter()
    faults = printed("\n".join(levels))
    assert time.perf_counter() - began < 2
    assert faults[0] == (
        "f.yaml:1:5: found the anchor &a0; expected no anchors and aliases; write the value where it is used"
    )
    assert (
        "f.yaml:2:10: found the alias *a0; expected no anchors and aliases; write out what it stands for"
        in faults
    )


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system [x]", "!!set {a}", "!!float 1", "!x y"])
def test_no_tag_makes_anything(tag: str) -> None:
    (fault,) = [line for line in printed(f"a: {tag}\n") if "the tag" in line]
    assert fault.startswith("f.yaml:1:4: found the tag ")


@pytest.mark.parametrize("number", [".nan", ".NaN", ".inf", "-.INF", "1e999"])
def test_numbers_that_are_none_are_refused_at_their_place(number: str) -> None:
    assert printed(f"a:\n  b: {number}\n") == [
        f"f.yaml:2:6: found {number}; expected a finite number; write a plain number, or put text into quotes"
    ]


def test_a_number_too_long_to_be_one_is_refused() -> None:
    assert "at most 18 digits" in printed("a: " + "9" * 5000)[0]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: b: c\n", "1:5", "colon into quotes"),
        ("a: [1\n", "2:1", "on line 1"),
        ("a:\n\t- x\n", "2:1", "spaces instead of tabs"),
        ("---\na: 1\n---\nb: 1\n", "3:1", "a second document"),
        ("%YAML 1.1\n---\na: no\n", "2:1", "another version"),
        ("", "1:1", "an empty file"),
        ("# nothing yet\n", "1:1", "an empty file"),
        ("a: \x00\n", "1:4", "U+0000"),
        ("? [a]\n: 1\n", "1:3", "a key that is not text"),
    ],
)
def test_what_is_not_yaml_gives_one_fault_with_its_place(text: str, place: str, words: str) -> None:
    (fault,) = printed(text)
    assert fault.startswith(f"f.yaml:{place}: found ")
    assert words in fault


def test_bytes_that_are_not_utf_8_are_placed() -> None:
    assert printed(b"a: 1\nb: caf\xe9\n") == [
        "f.yaml:2:7: found byte 0xe9, which is not UTF-8; expected UTF-8; save it as UTF-8"
    ]


def test_size_and_depth_are_bounded() -> None:
    assert "at most 262,144 bytes" in printed(b"a" * (LARGEST + 1))[0]
    assert "levels of nesting" in printed("[" * (DEEPEST + 1))[0]
    assert data("[" * DEEPEST + "]" * DEEPEST) is not None
    began = time.perf_counter()
    printed("[" * 20_000)
    assert time.perf_counter() - began < 5


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
@example(b' "\\UFFFFFFFF"')
@example(b"%TAG ! tag:\n---\n!a b")
@example(b"? ? ?")
@example(b"a: |9\n x")
@example(b"\xff\xfea\x00")
@example(b"%YAML 99999999999999999999.1\n---\n")
def test_any_bytes_give_a_document_or_faults_and_never_an_exception(content: bytes) -> None:
    document, faults = parse(content, "f.yaml")
    assert document is not None or faults
    for fault in faults:
        assert fault.line >= 1
        assert fault.column >= 1
        assert "\n" not in str(fault)


_PIECES = st.sampled_from(
    ["a", "b", ":", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "'", '"', "&x ", "*x", "!t ", "|", ">", "#", "%", "?", "1", "\t", "---", "...", "\\x", "<<"]
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_text_that_looks_like_yaml_never_crashes_the_reading(text: str) -> None:
    document, faults = parse(text.encode(), "f.yaml")
    assert document is not None or faults


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp", "Cf", "Co")),
        max_size=12,
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdefgh", min_size=1, max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(_PLAIN)
def test_what_another_writer_wrote_is_read_back_as_it_was(value: Any) -> None:
    import io

    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.allow_unicode = True
    writer.dump(value, stream)
    # The writer leaves a leading question mark unquoted in a list, where its own reader takes it for a key.
    assume(YAML(typ="safe", pure=True).load(stream.getvalue()) == value)
    document, faults = parse(stream.getvalue().encode(), "f.yaml")
    assert not faults
    assert document is not None
    assert document.data == value or (isinstance(value, float) and math.isclose(document.data, value))


@given(st.text("ab\r\n", max_size=30), st.integers(0, 30))
def test_a_place_counts_lines_and_characters(text: str, index: int) -> None:
    line, column = place_in(text, min(index, len(text)))
    before = text[:index]
    assert line == len(before.splitlines()) + (1 if not before or before[-1] in "\r\n" else 0)
    assert column >= 1
