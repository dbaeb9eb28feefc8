"""Patterns that find records in JSON's bytes: never more or less than the value that stands there."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.sources.formats.json_patterns import (
    BLANK,
    ELEMENT,
    META_KEY,
    RECORD,
    SCALAR,
    STRING_OR_BREAK,
    TOKEN,
    WRAPPER,
)

DEEPEST = 8
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text('ab"\\[]{},:\n张', max_size=5)
)


def collections(depth: int):
    """Objects and arrays of up to this depth."""
    inner = scalars | collections(depth - 1) if depth > 1 else scalars
    return st.lists(inner, max_size=3) | st.dictionaries(st.text('k"]}', max_size=3), inner, max_size=3)


spaces = st.text(" \t\r\n", max_size=2).map(str.encode)
indents = st.sampled_from([None, 1])


def written(value, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()


@given(collections(4), spaces, indents, st.sampled_from([b"", b"\n", b'{"next": 1}', b"]", b", 7"]))
def test_a_record_is_the_whole_value_and_no_more(value, space: bytes, indent, rest: bytes) -> None:
    """Brackets and quotes within strings close nothing."""
    text = written(value, indent)
    found = RECORD.match(space + text + rest)
    assert found is not None
    assert (found[1], found.end()) == (text, len(space + text))


@given(collections(4), st.data())
def test_a_record_that_goes_on_is_none_yet(value, data) -> None:
    """Of the beginning of one nothing is found: its end may be in the next bytes of the file."""
    text = written(value)
    cut = data.draw(st.integers(0, len(text) - 1))
    assert RECORD.match(text[:cut]) is None


@pytest.mark.parametrize("open_and_close", [("[", "]"), ('{"a":', "}")])
def test_what_is_deeper_than_the_pattern_is_left_to_counting(open_and_close: tuple[str, str]) -> None:
    """Up to its depth all is found; deeper it finds nothing, rather than a part."""
    before, after = open_and_close
    for depth in (1, DEEPEST, DEEPEST + 1, DEEPEST + 5):
        text = (before * depth + "1" + after * depth).encode()
        found = RECORD.match(text)
        assert (found[1] if found else None) == (text if depth <= DEEPEST else None)


@pytest.mark.parametrize("text", [b"", b"1", b'"a"', b"]", b'{"a": "b', b'{"a": "b\n"}', b"x{}"])
def test_what_is_no_record(text: bytes) -> None:
    """A string that holds a line break is damaged: it may hide the rest of the file."""
    assert RECORD.match(text) is None


@given(scalars | collections(3), spaces, spaces, st.sampled_from([b",", b"]"]))
def test_an_element_ends_with_its_separator(value, before: bytes, after: bytes, separator: bytes) -> None:
    """A string, a number, a word or a record, and then a comma or the end of the array."""
    text = written(value)
    found = ELEMENT.match(before + text + after + separator + b" 1")
    assert found is not None
    assert (found[1], found[2]) == (text, separator)


@pytest.mark.parametrize("text", [b"12", b'"a"', b"{}", b"", b" ", b",", b'"a,', b"1 2,"])
def test_an_element_without_one_is_none_yet(text: bytes) -> None:
    """A number at the end of the buffer may go on."""
    assert ELEMENT.match(text) is None


@given(scalars | collections(5))
def test_tokens_are_strings_and_brackets(value) -> None:
    """Counting them finds the end of a value of any depth."""
    text = written(value, 1)
    depth = 0
    for token in TOKEN.findall(text):
        if token.startswith(b'"'):
            json.loads(token)
        depth += (len(token) if token[:1] in b"[{" else 0) - (len(token) if token[:1] in b"]}" else 0)
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        (BLANK, b" \r\n\t1", b" \r\n\t"),
        (BLANK, b"1", b""),
        (SCALAR, b"-1.5e3,", b"-1.5e3"),
        (SCALAR, b"true]", b"true"),
        (SCALAR, b'"a"', None),
        (STRING_OR_BREAK, b'"a\\"\nb" c', b'"a\\"\nb"'),
        (STRING_OR_BREAK, b"\nx", b"\n"),
        (STRING_OR_BREAK, b'"never closed', None),
        (META_KEY, b'"Paging"', b'"Paging"'),
        (META_KEY, b'"pages"', None),
    ],
)
def test_small_patterns(pattern: re.Pattern[bytes], text: bytes, matched: bytes | None) -> None:
    found = pattern.match(text)
    assert (found[0] if found else None) == matched


@pytest.mark.parametrize(
    ("text", "is_wrapper"),
    [
        ('{"data": [{"id": 1}]}', True),
        ('{"results":[]}', True),
        ('{ "Records" : [ {"id": 1} ] }', True),
        ('{"total": 2, "next": "a\\"b", "hasMore": false, "value": [{}]}', True),
        ('{"@odata.context": "x", "value": [{}]}', True),
        ('{"paging": {"next": {"after": "[1"}}, "results": [{"id": 1}]}', True),
        ('{"meta": [1, [2]], "rows": [{"id": 1}]}', True),
        ('{"id": 7, "data": [{"id": 1}]}', False),  # a record that has such a column
        ('{"total": {"a": 1}, "data": [{"id": 1}]}', False),
        ('{"data": [1, 2]}', False),  # values, no records
        ('{"data": {"id": 1}}', False),
        ('{"total": 1}', False),
        ('[{"data": []}]', False),
    ],
)
def test_what_apis_put_around_their_records(text: str, is_wrapper: bool) -> None:
    """Counts and pages, and then a list of records under one of the usual names; it ends before the first of them."""
    found = WRAPPER.match(text.encode())
    assert (found is not None) is is_wrapper
    if found is not None:
        assert text[found.end() :].lstrip()[0] in "{]"
        assert found[0].endswith(b"[")
