"""Columns whose values stand within objects of a line of JSON."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from lakehouse.sources.definition import Source


def codes(rows):
    """Return what is wrong with which row."""
    return {row_number: row["_code"] for row_number, row in rows.items() if row["_code"]}


def lines(*found):
    return b"".join(json.dumps(each).encode() + b"\n" for each in found)


ENVELOPE = Source.model_validate(
    {
        "source": "erp",
        "entity": "changes",
        "doc": "Changes",
        "grain": "one row a change",
        "format": "ndjson",
        "columns": [
            {"name": "op", "from": "op", "doc": "Operation"},
            {"name": "id", "from": "after.id", "doc": "Id", "required": True},
            {"name": "price", "from": "after.price", "type": "decimal(8,2)", "doc": "Price"},
            {"name": "deep", "from": "source.at.ms", "type": "long", "doc": "Time"},
            {"name": "tags", "from": "after.tags", "json_type": "array", "doc": "Tags"},
            {"name": "etag", "from": "@odata.etag", "doc": "A key with a point in it"},
        ],
    }
)


def change(**more):
    return {"op": "u", "after": {"id": 7, "price": "1.50", "tags": ["a"]}, "source": {"at": {"ms": 5}}} | more


def test_a_column_may_be_a_value_within_an_object(read):
    """Typed as any other, at any depth; a key that is called so comes first."""
    sent = [
        change(),
        change(**{"@odata.etag": "W/1", "after.id": "literal"}),
        change(after={"id": "8", "price": None, "tags": None}, source=None),
        change(source={"at": "noon"}),
        change(after={"id": '\u00e9 " 中', "price": 2}),
    ]
    rows = read(ENVELOPE, lines(*sent))
    assert codes(rows) == {}
    found = [(row["id"], row["price"], row["deep"], row["tags"], row["etag"]) for row in rows.values()]
    assert found[:3] == [
        ("7", Decimal("1.50"), 5, '["a"]', None),
        ("literal", Decimal("1.50"), 5, '["a"]', "W/1"),
        ("8", None, None, None, None),
    ]
    assert (found[3][2], found[4][0]) == (None, '\u00e9 " 中'.replace("\u00e9", "é"))


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (change(after={"price": 1}), "missing_value"),
        (change(after=None), "missing_value"),
        (change(after="gone"), "missing_value"),
        (change(after={"id": 1, "price": "much"}), "bad_number"),
        (change(after={"id": 1, "tags": {"a": 1}}), "tags_not_array"),
        (change(source={"at": {"ms": "soon"}}), "bad_number"),
    ],
)
def test_a_bad_value_within_an_object_costs_its_row(read, found, code):
    """And no other."""
    assert codes(read(ENVELOPE, lines(change(), found, change()))) == {2: code}


def test_what_is_not_named_within_an_object_is_kept(read):
    """Of an object that is named in part the rest is in `extra`, and nothing of one that is named whole or is empty."""
    sent = [
        change(),
        change(after={"id": 1, "colour": "red"}, before=None, note='{"after":{}}, x'),
        change(source={"at": {"ms": 5}, "db": {"name": "erp"}}),
        change(source="a text"),
        change(source=None, more={}),
    ]
    extra = [row["extra"] and json.loads(row["extra"]) for row in read(ENVELOPE, lines(*sent)).values()]
    assert extra[0] in (None, {"source": {"at": {}}})
    assert {"after": {"colour": "red"}, "note": '{"after":{}}, x'}.items() <= extra[1].items()
    assert extra[2]["source"]["db"] == {"name": "erp"}
    assert extra[3] == {"source": "a text"}
    assert extra[4] == {"more": {}}


def test_an_object_that_is_kept_and_named_in_part_leaves_nothing(read):
    """It stands in a column of its own; beside it all that is not named is kept, and only that."""
    columns = [
        {"name": "id", "from": "id", "doc": "Id"},
        {"name": "context", "from": "context", "json_type": "object", "doc": "All of it"},
        {"name": "locale", "from": "context.locale", "doc": "Of it"},
    ]
    kept = Source.model_validate(ENVELOPE.model_dump(by_alias=True) | {"columns": columns})
    sent = [
        {"id": 1, "context": {"locale": "de", "page": {"url": "x"}}},
        {"id": 2, "context": {"locale": "de"}, "more": {"a": 1}},
        {"id": 3, "context.locale": "fr", "more": None},
        {"id": None, "context": None, "locale": "en"},
        {"more": 1},
    ]
    rows = read(kept, lines(*sent)).values()
    assert [row["locale"] for row in rows] == ["de", "de", "fr", None, None]
    extra = [row["extra"] and json.loads(row["extra"]) for row in rows]
    assert (extra[0], extra[1], extra[3], extra[4]) == (
        None,
        {"more": {"a": 1}},
        {"locale": "en"},
        {"more": 1},
    )
    assert extra[2] in (None, {}, {"more": None})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"op": "u", "op": "d", "after": {"id": 7}}', "repeated_key"),
        (b'{"op": "u", "after": {"id": 7}, "after": {"id": 8}}', "repeated_key"),
        (b'{"op": "u", "after": {"id": 7, "id": 8}}', "repeated_key"),
        (b'{"op": "u", "after": {"id": 7}, "source": {"at": {"ms": 1, "ms": 2}}}', "repeated_key"),
        (
            b'{"op": "u", "op": "u", "after": {"id": 7, "price": 1.10}}',
            "repeated_key",
        ),  # also where it is read again
        (b'{"op": "u", "after": {"id": 7, "x": 1, "x": 2}, "y": 1, "y": 2}', None),  # extra has both
        (b'{"op": "u", "after": {"id": 7}, "source": {"id": 8}, "id": 9}', None),
        (b'{"op": null, "after": {"id": 7}, "tags": [{"op": 1, "op": 2}]}', None),
        (b'{"op": "u", "after": []}', "missing_value"),
        (b'{"op": "u", "after": "op"}', "missing_value"),
    ],
)
def test_what_a_record_says_twice_is_set_aside(read, line, code):
    """Some readers take the first value, others the last (snowflakedb/snowflake-ingest-java#929)."""
    (row,) = read(ENVELOPE, line + b"\n").values()
    assert row["_code"] == code
    if code == "repeated_key":
        assert row["_original"] == line.decode()
    flat = Source.model_validate(ENVELOPE.model_dump(by_alias=True) | {"columns": [FLAT]})
    (row,) = read(flat, b'{"id": 1, "x": null, "id": 2}\n').values()
    assert row["_code"] == "repeated_key"


FLAT = {"name": "id", "from": "id", "doc": "Id", "required": True}
