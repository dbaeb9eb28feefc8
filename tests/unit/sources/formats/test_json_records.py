"""Arrays and joined objects become lines, each the sender's own text, in memory that does not grow with the file."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import BadFile
from lakehouse.sources.formats.json_records import as_lines, is_wrapper
from lakehouse.sources.formats.policy import JsonPolicy
from tests.support.packed_files import EXAMPLES, cut

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from(['"', "\\", "]}", "{[,", '\\"', "\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=4).filter(
    lambda record: not is_wrapper(json.dumps(record).encode())  # `{"rows": []}` is a page without records
)
CUTS = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any)


def lines(body, sizes=(1 << 20,)):
    return b"".join(as_lines(cut(body, sizes))).splitlines()


def broken(body):
    with pytest.raises(BadFile) as bad:
        lines(body)
    return bad.value


@EXAMPLES
@given(st.lists(VALUES, max_size=6), st.sampled_from([None, 0, 2]), st.booleans(), CUTS)
def test_every_element_is_a_line(values, indent, ascii_only, sizes):
    """Of whatever kind, however it is laid out, wherever the chunks are cut."""
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    out = lines(body, sizes)
    assert [json.loads(line) for line in out] == values
    if indent is None:
        assert b"[" + b", ".join(out) + b"]" == body


@EXAMPLES
@given(
    st.lists(RECORDS, min_size=1, max_size=5),
    st.sampled_from([None, 2]),
    st.sampled_from([" ", "", "\r\n"]),
    CUTS,
)
def test_objects_side_by_side_are_lines(records, indent, between, sizes):
    """Pretty-printed ones, and those that somebody joined."""
    body = between.join(json.dumps(record, indent=indent) for record in records).encode()
    assert [json.loads(line) for line in lines(body, sizes)] == records


@EXAMPLES
@given(st.lists(RECORDS, max_size=4), st.sampled_from(["data", "records", "results", "value", "Data"]), CUTS)
def test_a_wrapped_array_is_unwrapped(records, key, sizes):
    """What APIs put around it tells of pages and counts, and is dropped."""
    page = {
        "totalSize": 3,
        "done": True,
        "meta": {"a": [1]},
        key: records,
        "paging": {"next": {"after": "1"}},
        "x": 1,
    }
    body = json.dumps(page).encode() + b"\n"
    assert [json.loads(line) for line in lines(body * 2, sizes)] == records * 2


def test_a_record_that_holds_an_array_is_a_record():
    """Only an envelope known as such is taken off."""
    for record in (
        '{"id": 1, "items": [{"a": 1}]}',
        '{"name": "x", "data": [{}]}',
        '{"data": [1, 2]}',
        '{"data": {}}',
    ):
        assert lines(record.encode()) == [record.encode()]


def test_what_stands_beside_the_records_is_not_lost():
    """Another array of records, or an object of unknown meaning: the file is refused, not halved."""
    for more in ('"included": [{"id": 1}]', '"owner": {"id": 1}'):
        error = broken(b'{"data": [{"a": 1}], %s}' % more.encode())
        assert error.code == "broken_array"
        assert "beside" in error.reason


def test_the_text_of_an_element_is_kept():
    """Numbers, escapes and spaces as they were; line breaks between tokens become spaces, one for one."""
    body = b'[ {"a" : 1.50e+1,\r\n\t"b":"\\u00e9 \\" ]}" } ,\n{"c":"\xff"}, 1e400, "x" ]'
    assert lines(body) == [b'{"a" : 1.50e+1,  \t"b":"\\u00e9 \\" ]}" }', b'{"c":"\xff"}', b"1e400", b'"x"']


def test_a_line_break_within_a_string_stays_an_error():
    """JSON forbids it; a space there would be another text. Only this element is bad."""
    out = lines(b'[{"a": "x\ny"}, {"b": "x\\\ny"}, {"c": 1}]')
    assert len(out) == 3
    assert out[2] == b'{"c": 1}'
    for line in out[:2]:
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)


@pytest.mark.parametrize(
    "body", [b"[]", b" [ ] ", b"[\n]\n", b'{"data": []}', b'{"ROWS": []}', b"", b" \n", b"[][]"]
)
def test_no_elements(body):
    """An empty array has no rows."""
    assert lines(body) == []


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"[1, 2", "2"), (b"[1, 2,", "3"), (b"[1, 2, ", "3"), (b"[1, 2,]", "3"), (b"[1,,2]", "2"), (b"[,1]", "1"),
        (b"[1 2]", "1"), (b'[{"a": 1} {"b": 2}]', "1"), (b'[{"a": 1}, {"b": ', "2"), (b'[{"a": 1}, "b', "2"),
        (b"[1]]", "2"), (b"[1], [2]", "2"), (b"[1] x", "2"), (b'{"data": [{}]', "2"), (b'{"data": [{}], "x"}', "2"),
        (b"[1: 2]", "1"), (b"[", "1"), (b'{"a": 1', "1"), (b'{"data": [{}], 1', "2"),
    ],
)  # fmt: skip
def test_a_malformed_array_is_refused(body, number):
    """With the number of the element where it went wrong."""
    error = broken(body)
    assert error.code == "broken_array"
    assert f"element {number} " in error.reason


@EXAMPLES
@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
def test_an_array_that_breaks_off_anywhere_is_refused(records, data):
    """None of its bytes may be missing."""
    body = json.dumps(records).encode()
    assert broken(body[: data.draw(st.integers(1, len(body) - 1))]).code == "broken_array"


def test_deep_nesting_costs_one_element():
    """10,000 levels are one line, which the engine refuses; 2 million are one line too."""
    for depth in (9, 10_000, 2_000_000):
        deep = b"[" * depth + b"]" * depth
        out = lines(b'[{"a":1},' + deep + b',{"b":2}]')
        assert out == [b'{"a":1}', deep, b'{"b":2}']
    con = duckdb.connect()
    deep = '{"a":' * 10_000 + "1" + "}" * 10_000
    answer = con.execute(
        "SELECT TRY(json_extract_string(?, ['$.a'])), TRY(json_type(?, ['$.a']))", [deep, deep]
    )
    assert answer.fetchone() is not None


def test_an_element_larger_than_the_limit_ends_the_file():
    """Up to 4 MiB is an element; the file ends there however it is cut, at a string without end also."""
    fits = b'{"a":"' + b"x" * (JsonPolicy.max_element_bytes - 8) + b'"}'
    assert len(fits) == JsonPolicy.max_element_bytes
    for sizes in ((1 << 20,), (1 << 23,), (99_999,)):
        assert lines(b"[" + fits + b"," + fits + b"]", sizes) == [fits, fits]
        for body in (
            b"[1," + fits[:-2] + b'x"}]',
            b'[1,"' + b"x" * (JsonPolicy.max_element_bytes * 2),
            b"[1," + b"[" * JsonPolicy.max_element_bytes * 2,
            b"[1," + b"9" * JsonPolicy.max_element_bytes * 2,
        ):
            with pytest.raises(BadFile) as bad:
                lines(body, sizes)
            assert (bad.value.code, "element 2 " in bad.value.reason) == ("too_long", True)
