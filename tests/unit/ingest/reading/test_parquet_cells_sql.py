"""Cells of Parquet say as text and as JSON what their file says, whatever type they have."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from importlib.resources import files

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.errors import BadFile
from lakehouse.sources import definition

EIGHT_THIRTY = datetime(2026, 1, 5, 8, 30)  # noqa: DTZ001 - what a clock shows
ORDERS = (files("lakehouse.sources") / "definitions/shop_orders.yaml").read_text("utf-8")
SHOP = definition.parse(ORDERS, "shop_orders")
IN_SHANGHAI = definition.parse(
    ORDERS.replace("format: csv\n", "format: csv\ntime_zone: Asia/Shanghai\n"), "x"
)
SPARK = b"parquet-mr version 1.13.1"  # writes no more than others do, but names itself so


def parquet(by: bytes = b"", **columns: object) -> bytes:
    """Return a file of one order, with other columns; `by`: what its writer calls itself."""
    order = {"order_id": ["o1"], "ordered_at": ["2026-01-05 08:30:00"], "amount": ["1.00"]}
    out = io.BytesIO()
    pq.write_table(pa.table(order | columns), out, use_deprecated_int96_timestamps=True)
    content = out.getvalue()
    (own,) = {pq.ParquetFile(out).metadata.created_by.encode()}
    return content.replace(own, by.ljust(len(own))) if by else content


def only(rows):
    (row,) = rows.values()
    assert row["_code"] is None, (row["_code"], row["_reason"])
    return row


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (pa.array([[float("nan"), float("inf"), -float("inf"), 1.5]]), "[null,null,null,1.5]"),
        (pa.array([[float("nan")]], pa.list_(pa.float32())), "[null]"),
        (
            pa.array([{"a": float("nan"), "b": 'NaN, "-Infinity"\\'}]),
            '{"a":null,"b":"NaN, \\"-Infinity\\"\\\\"}',
        ),
        (pa.array([[("NaN", float("nan"))]], pa.map_(pa.string(), pa.float64())), '{"NaN":null}'),
        (pa.array([["NaN"]]), '["NaN"]'),
        (pa.array([[{"x": [1]}]]), '[{"x":[1]}]'),
        (pa.array([float("nan")]), "null"),
        (pa.array([b"J\xc3\xbcrgen"]), '"Jürgen"'),
    ],
)
def test_what_no_column_names_is_json(read, values, kept):
    """Numbers that are none are null, however deep they stand, and texts that look so stay."""
    row = only(read(SHOP, parquet(note=values)))
    assert row["extra"] == f'{{"note":{kept}}}'
    json.loads(row["extra"], parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("value", "name"),
    [(b"k-1", "k-1"), ("客户".encode(), "客户"), (b"k1\0\0", "k1"), (b"\xff\xfe", r"\xFF\xFE"), (None, None)],
)
def test_a_text_that_its_writer_names_none_is_one(read, value, name):
    """As Impala and old Hive write them; bytes that are no UTF-8 are shown as such."""
    assert only(read(SHOP, parquet(customer_id=pa.array([value], pa.binary()))))["customer_id"] == name


@pytest.mark.parametrize(
    ("source", "by", "hour"),
    [(SHOP, b"", 8), (SHOP, SPARK, 8), (IN_SHANGHAI, b"", 0), (IN_SHANGHAI, SPARK, 8)],
)
def test_a_timestamp_of_96_bits_is_what_its_writer_means(read, source, by, hour):
    """Spark writes moments; of others it is what clocks of the source show."""
    row = only(read(source, parquet(by, ordered_at=pa.array([EIGHT_THIRTY]), note=pa.array([EIGHT_THIRTY]))))
    assert row["ordered_at"] == datetime(2026, 1, 5, hour, 30, tzinfo=UTC)
    assert json.loads(row["extra"])["note"] == "2026-01-05 08:30:00" + ("Z" if by else "")


def test_an_id_that_a_short_float_has_rounded_is_none(read):
    """16777217 is 16777216 there, and two customers would be one; as an amount it is what the file says."""
    ids = pa.array([16777216.0, 4711.0], pa.float32())
    orders = {
        "order_id": ["o1", "o2"],
        "ordered_at": ["2026-01-05 08:30:00"] * 2,
        "amount": ids,
        "customer_id": ids,
    }
    out = io.BytesIO()
    pq.write_table(pa.table(orders), out)
    rows = read(SHOP, out.getvalue())
    assert [rows[number]["_code"] for number in (1, 2)] == ["bad_id", None]
    assert (rows[2]["customer_id"], str(rows[1]["amount"])) == ("4711", "16777216.00")


def test_a_column_that_the_file_has_twice_is_told(read):
    """Nobody knows which one is meant; of columns that nobody mapped, and within nested ones, it is no matter."""
    columns = [
        ("order_id", "o1"),
        ("ordered_at", "2026-01-05 08:30:00"),
        ("amount", "1.00"),
        ("amount", "2.00"),
    ]

    def parquet_of(*columns):
        out = io.BytesIO()
        pq.write_table(
            pa.Table.from_arrays([pa.array([cell]) for _, cell in columns], [n for n, _ in columns]), out
        )
        return out.getvalue()

    with pytest.raises(BadFile) as refused:
        read(SHOP, parquet_of(*columns))
    assert refused.value.code == "duplicate_column"
    others = [("x", {"amount": 1, "y": {"z": 1}}), ("x", "b"), ("amount_1", "c")]
    assert read(SHOP, parquet_of(*columns[:3], *others))[1]["_code"] is None
