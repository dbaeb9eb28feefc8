"""The kind of a file is recognised by its bytes; what is broken in its first row costs that row alone."""

from __future__ import annotations

import json

import pytest

from lakehouse.errors import BadFile
from lakehouse.sources.formats.file_kind import detect_kind

HEAD = 64 << 10  # bytes
EVENT = b'{"messageId": "m1", "context": {"page": {"url": "{"}}, "items": [{"a": 1}]}'


@pytest.mark.parametrize(
    "head",
    [
        EVENT, EVENT + b"\n" + EVENT, b"\n\n" + EVENT + b"\r\n" + EVENT, EVENT + b"\r" + EVENT,
        b'{"a": 1\n{"a": 2}\n', b'{"a": "cut, \n{"a": 2}\n', b'{"a": {\n{"a": 2}\n', b"{\n" + EVENT + b"\n" + EVENT,
        b"garbage\n" + EVENT + b"\n" + EVENT, b"1\n" + EVENT + b"\n" + EVENT,
        b'{"data": [{"a": 1}]}\n{"data": [{"a": 2}]}\n', b'{"a": 1} {"b": [', b'{"a": "' + b"x" * HEAD, b"{}", b"{",
    ],
)  # fmt: skip
def test_one_record_a_line(head):
    """Also where the first row is broken: it is one bad row."""
    expected = "json_array" if head.startswith(b'{"a": 1} {') else "json_lines"
    assert detect_kind(head) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"[]", b" \n[{}]", b'[{"a"', json.dumps([{}], indent=2).encode(), json.dumps({"a": [1]}, indent=2).encode(),
        b'{"a": 1,\n "b": 2}\n{"a": 3,\n "b": 4}', b'{"a": 1}{"a": 2}', b'{"results":[{"id":1}],"paging":{}}',
        b'{"totalSize": 2, "done": true, "records": [\n{"Id": "1"},\n', b'{"data": []}\n', b'{\n\n  "a": 1\n}',
    ],
)  # fmt: skip
def test_arrays_and_what_goes_over_lines(head):
    """All of it goes through `as_lines`."""
    assert detect_kind(head) == "json_array"


@pytest.mark.parametrize(
    "head", [b"a,b\n1,2\n", b"id\n", b'"a","b"\n', b"", b"a,{b}\n{x},1\n", "姓名\t城市\n".encode()]
)
def test_delimited_is_what_is_left(head):
    """CSV and TSV have no sign of their own."""
    assert detect_kind(head) == "delimited"


def test_formats_with_a_sign():
    """Parquet and workbooks begin with it; those that cannot be read are refused with what to do."""
    assert detect_kind(b"PAR1\x15\0") == "parquet"
    assert detect_kind(b"PK\x03\x04\x14\0") == "xlsx"
    for head, code in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "old_excel"),
        (b"PARE", "encrypted_parquet"),
        (b"<html><table>", "markup"),
        (b"\n<?xml version", "markup"),
        (b"<!DOCTYPE html>", "markup"),
    ):
        with pytest.raises(BadFile) as bad:
            detect_kind(head)
        assert bad.value.code == code


def test_a_head_of_one_giant_line_is_recognised_at_once():
    """64 KiB of opening brackets or quotes, of whatever begins a value."""
    for head in (
        b"{" * HEAD,
        b'{"' * (HEAD // 2),
        b'{"a":' * (HEAD // 5),
        b"[" * HEAD,
        b'{"data":' * (HEAD // 8),
    ):
        assert detect_kind(head) in {"json_lines", "json_array"}
