"""Parts of JSON are the sender's own text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.json_text import Member, depth, elements, members, object_text, parse, parse_outer

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
    for broken in ("[" * 200_000, '{"a":' + "[" * 5_000 + "}" * 5_001, "[" * 5_000 + "]" * 5_000 + "x"):
        for reads in (elements, parse_outer):
            with pytest.raises(ValueError, match=r"not paired|something follows"):
                reads(broken)

    with pytest.raises(ValueError, match="not paired"):
        depth("[[}]")


DEEP = '{"a":' * 2_000 + r'["]\"[",1]' + "}" * 2_000


def test_what_is_too_deep_costs_only_itself():
    """It keeps its text, and has no value; what stands beside it has both."""
    text = f' {{"x":1.50, "batch":[{{"n":1}}, {DEEP},"s" ,[2]] ,"deep":{DEEP}}} '
    assert parse_outer(text) == {"x": 1.5, "batch": [{"n": 1}, None, "s", [2]], "deep": None}
    parts = dict(members(text))
    assert (parts["x"], parts["deep"]) == ("1.50", DEEP)
    assert elements(parts["batch"]) == ['{"n":1}', DEEP, '"s"', "[2]"]
    assert elements(f"\n{DEEP} ") == [DEEP]
    assert parse_outer(DEEP[: -len("}" * 2_000)].replace("{", "[").replace('"a":', "") + "]" * 2_000) is None


@given(VALUES)
def test_depth_is_that_of_the_value(value):
    """Brackets within texts are none."""

    def plainly(each):
        inner = each.values() if isinstance(each, dict) else each if isinstance(each, list) else None
        return 0 if inner is None else 1 + max(map(plainly, inner), default=0)

    wrapped = [value]
    assert depth(json.dumps(wrapped, ensure_ascii=False)) == plainly(wrapped)
    assert parse_outer(json.dumps(wrapped)) == wrapped
