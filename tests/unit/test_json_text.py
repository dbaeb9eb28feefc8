"""Parts of JSON are the sender's own text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.json_text import Member, elements, members, object_text, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 0, 3]))
def test_elements_say_what_the_array_says(values, indent):
    """However it is laid out; each on one line."""
    found = elements(f" {json.dumps(values, indent=indent)}\r\n")
    assert [json.loads(text) for text in found] == values
    assert not any("\n" in text or "\r" in text for text in found)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.sampled_from([None, 0, 3]))
def test_members_say_what_the_object_says(value, indent):
    """And make it again."""
    parts = members(json.dumps(value, indent=indent, ensure_ascii=False))
    assert {part.key: json.loads(part.text) for part in parts} == value
    assert json.loads(object_text(parts)) == value


def test_the_text_is_kept():
    """Digits, escapes, the same key twice."""
    assert members('{"a" : 1.50e+1, "a":"\\u00e9", "b":[1.10]}') == [
        Member("a", "1.50e+1"),
        Member("a", '"\\u00e9"'),
        Member("b", "[1.10]"),
    ]
    assert elements("[1e400, 0.1000]") == ["1e400", "0.1000"]
    assert elements(' {"a":\n1} ') == ['{"a": 1}']


@pytest.mark.parametrize("text", ["", "[1", "[1]]", "NaN", "[Infinity]", '{"a":1} x', "\ufeff{}", "{'a':1}"])
def test_what_is_no_json_is_refused(text):
    """NaN and infinities are none."""
    with pytest.raises(ValueError, match=r".*"):
        parse(text)
    with pytest.raises(ValueError, match=r".*"):
        elements(text)


def test_deep_nesting_is_an_error_and_no_crash():
    """Whoever calls catches both."""
    with pytest.raises((ValueError, RecursionError)):
        parse("[" * 200_000)
