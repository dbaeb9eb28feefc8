"""Data files: what Iceberg is given of them is what DuckDB wrote."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from pyiceberg.expressions import (
    BooleanExpression,
    EqualTo,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThanOrEqual,
    NotNull,
    StartsWith,
)
from pyiceberg.expressions.visitors import _InclusiveMetricsEvaluator
from pyiceberg.transforms import DayTransform, MonthTransform, YearTransform
from pyiceberg.types import TimestamptzType

from lakehouse.tables import data_files
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.contract import columns, partitions
from tests.support.lakes import a_contract, duck_of, rows_of, write

UTC = dt.UTC
EVERY_TYPE = columns(
    ("s", "string", "Text"),
    ("i", "int", "Number"),
    ("n", "long", "Number"),
    ("d", "double", "Number"),
    ("b", "boolean", "Flag"),
    ("day", "date", "Day"),
    ("ts", "timestamptz", "When"),
    ("amount", "decimal(12,2)", "Amount"),
    ("wide", "decimal(38,10)", "Amount"),
)

texts = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("a\ud7ff\ue000\U0010ffff\x00é中'\""), min_size=14, max_size=20),
    st.integers(9_990, 10_010).map(lambda n: "x" * n),
    st.integers(4_990, 5_010).map(lambda n: "é" * n),
)
values = st.tuples(
    texts,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.decimals(Decimal("-9999999999.99"), Decimal("9999999999.99"), places=2),
    st.decimals(-(10**27), 10**27, places=10, allow_nan=False),
)
rows = st.lists(
    values.flatmap(lambda row: st.tuples(*(st.one_of(st.none(), st.just(v)) for v in row))),
    min_size=1,
    max_size=6,
)


def a_table(lake, **more):
    return ensure(open_catalog(lake), a_contract(**more))


def written_rows(lake, table, given_rows):
    """Write Python rows as data files of the table."""
    with duck_of(lake) as con:
        return _written(con, table, given_rows)


def _written(con, table, given_rows):
    names = [field.name for field in table.schema().fields]
    kinds = ", ".join(f"{f.name} {data_files.duck_type(f.field_type)}" for f in table.schema().fields)
    con.execute(f"CREATE OR REPLACE TABLE given ({kinds})")
    con.executemany(
        f"INSERT INTO given VALUES ({', '.join('?' * len(names))})", [list(row) for row in given_rows]
    )
    return data_files.write(con, table, "SELECT * FROM given", f"test-{uuid.uuid4()}")


def as_literal(value):
    return value.isoformat() if isinstance(value, dt.date) else value


def true_predicates(name, found) -> list[BooleanExpression]:
    """Return predicates on a column that some row of the file fulfils."""
    present = [value for value in found if value is not None]
    predicates: list[BooleanExpression] = [IsNull(name)] if len(present) < len(found) else []
    for value in present:
        if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
            continue
        bound = as_literal(value)
        predicates += [NotNull(name), EqualTo(name, bound)]
        if not isinstance(value, bool):
            predicates += [GreaterThanOrEqual(name, bound), LessThanOrEqual(name, bound), In(name, {bound})]
        if isinstance(value, str) and value:
            predicates += [StartsWith(name, value[:length]) for length in (1, 15, 16, 17, len(value))]
    return predicates


@pytest.fixture
def every_type(lake):
    """Return a connection and a table with a column of each type."""
    with duck_of(lake) as con:
        yield con, a_table(lake, columns=EVERY_TYPE)


@tried(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=rows)
def test_bounds_never_prune_a_match(every_type, given_rows):
    """For whatever values of every type: a predicate that a row fulfils does not rule its file out."""
    con, table = every_type
    (file,) = _written(con, table, given_rows).files
    assert file.record_count == len(given_rows)
    for number, field in enumerate(table.schema().fields):
        found = [row[number] for row in given_rows]
        assert file.null_value_counts[field.field_id] == found.count(None)
        for predicate in true_predicates(field.name, found):
            assert _InclusiveMetricsEvaluator(table.schema(), predicate).eval(file), predicate


def test_bounds_do_prune(every_type):
    """Bounds are there, and tight enough to be of use: what no row can fulfil rules the file out."""
    con, table = every_type
    at = dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)
    row = ("m" * 40, -7, -(2**40), 1.5, True, dt.date(1969, 12, 31), at, Decimal("-0.05"), Decimal("-1.5"))
    (file,) = _written(con, table, [row]).files
    outside = [
        EqualTo("s", "n" + "m" * 40),
        LessThanOrEqual("s", "m" * 15),
        EqualTo("i", -6),
        EqualTo("n", -(2**40) - 1),
        GreaterThanOrEqual("day", "1970-01-01"),
        GreaterThanOrEqual("ts", "1970-01-01T00:00:00+00:00"),
        LessThanOrEqual("ts", "1969-12-31T23:59:59.999998+00:00"),
        GreaterThanOrEqual("amount", Decimal("-0.04")),
        LessThanOrEqual("wide", Decimal("-1.5000000001")),
    ]
    for predicate in outside:
        assert not _InclusiveMetricsEvaluator(table.schema(), predicate).eval(file), predicate


def test_values_that_python_cannot_hold_have_no_bounds(every_type):
    """Infinite times and those beyond the year 9999 are written, and rule nothing out."""
    con, table = every_type
    query = (
        "SELECT NULL AS s, 1 AS i, 1 AS n, 1 AS d, true AS b, 1 AS amount, 1 AS wide, "
        "unnest([DATE '0044-03-15 (BC)', DATE '12000-01-01', 'infinity'::DATE]) AS day, "
        "unnest([TIMESTAMPTZ '0044-03-15 (BC)', TIMESTAMPTZ '12000-01-01', 'infinity'::TIMESTAMPTZ]) AS ts"
    )
    (file,) = data_files.write(con, table, query, "attempt").files
    names = {field.name: field.field_id for field in table.schema().fields}
    assert {names["day"], names["ts"]}.isdisjoint(file.lower_bounds)
    assert file.record_count == 3


def test_scans_find_what_duckdb_finds(lake):
    """pyiceberg and DuckDB's own Iceberg reader, both pruning, find the rows that reading everything finds.

    Not partitioned: DuckDB 1.5.5 rounds days and months before 1970 towards zero and prunes too much there.
    """
    table = a_table(lake, columns=EVERY_TYPE, sort=("ts",))
    nan, ab = float("nan"), "a" * 15 + "b"
    made = [
        ("\ud7ff" * 17, 1, -1, nan, True, dt.date(1969, 1, 1), dt.datetime(1969, 1, 1, tzinfo=UTC), "-1.05", "0"),
        ("é" * 6_000, 2, 0, -0.0, None, None, dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), "0.00", "-1"),
        ("a" * 12_000, None, 1, 0.0, False, dt.date(2024, 2, 29), dt.datetime(1970, 1, 1, tzinfo=UTC), None, "1"),
        (None, -5, None, float("inf"), True, dt.date(1, 1, 1), None, "9999999999.99", "0.0000000001"),
        (ab, 7, 2**62, None, True, dt.date(9999, 12, 31), dt.datetime(2024, 2, 29, 23, tzinfo=UTC), "3", None),
    ]  # fmt: skip
    for row in made:  # a file each
        append(table, written_rows(lake, table, [row]).files)
        table.refresh()
    with duck_of(lake, iceberg=True) as con:
        paths = [file.file_path for file in live_files(table)]
        con.execute(f"CREATE TABLE everything AS FROM read_parquet({paths}, hive_partitioning=false)")
        for where in (
            "s = repeat('a', 12000)", "s >= 'b'", f"s = '{made[0][0]}'", "s LIKE 'é%'", "s < 'aaaaaaaaaaaaaaac'",
            "i < 0", "i IS NULL", "n >= 0", "n <= -1", "d = 0", "d < 1", "b = false", "b IS NULL", "day < '1970-01-01'",
            "day = '2024-02-29'", "ts < '1970-01-01T00:00:00+00:00'", "ts >= '1969-12-31T23:59:59.999999+00:00'",
            "ts IS NULL", "ts = '2024-02-29T23:00:00+00:00'", "amount < 0", "amount = 0", "amount >= 3", "wide > 0",
            "wide = -1", "wide IS NULL",
        ):  # fmt: skip
            plain = where.replace("repeat('a', 12000)", f"'{'a' * 12_000}'")
            expected = con.execute(f"SELECT n FROM everything WHERE {plain} ORDER BY n").fetchall()
            scan = f"SELECT n FROM iceberg_scan('{table.metadata_location}') WHERE {plain} ORDER BY n"
            assert con.execute(scan).fetchall() == expected, where
            found = table.scan(row_filter=plain, selected_fields=("n",)).to_arrow().column("n").to_pylist()
            assert sorted(found, key=lambda n: (n is None, n or 0)) == [n for (n,) in expected], where


def test_long_texts_in_one_row_group_do_not_hide_those_of_others(lake):
    """A row group whose texts are too long for statistics leaves its file without bounds, not with wrong ones."""
    table = a_table(lake)
    query = "SELECT CASE WHEN range < 122880 THEN 'm' ELSE repeat('é', 6000) END AS file, range AS n FROM range(122890)"
    (file,) = write(lake, table, query).files
    assert _InclusiveMetricsEvaluator(table.schema(), GreaterThanOrEqual("file", "é")).eval(file)


def test_files_carry_the_tables_field_ids_and_types(lake):
    """Readers find columns by field id, and the types are the contract's whatever the query computed."""
    table = a_table(lake, columns=EVERY_TYPE)
    query = (
        "SELECT sum(x) AS amount, sum(x) AS wide, count(*) AS i, sum(1) AS n, avg(1) AS d, now() AS day, now() AS ts, "
        "1 AS b, 5 AS s FROM (SELECT unnest([1.005::DECIMAL(10,3), 2]) AS x)"
    )
    (file,) = write(lake, table, query).files
    schema = pq.read_schema(file.file_path.removeprefix("file://"))
    assert [(int(f.metadata[b"PARQUET:field_id"]), f.name, str(f.type)) for f in schema] == [
        (1, "s", "string"),
        (2, "i", "int32"),
        (3, "n", "int64"),
        (4, "d", "double"),
        (5, "b", "bool"),
        (6, "day", "date32[day]"),
        (7, "ts", "timestamp[us, tz=UTC]"),
        (8, "amount", "decimal128(12, 2)"),
        (9, "wide", "decimal128(38, 10)"),
    ]
    append(table, [file])
    assert rows_of(table)[0][7] == Decimal("3.01")


def test_a_query_without_rows_leaves_no_files(lake):
    """Nothing to commit means no files, partitioned or not."""
    assert write(lake, a_table(lake), "SELECT 'x' AS file, 1 AS n WHERE false").files == []
    parted = a_table(lake, partition=partitions("identity(file)"))
    assert write(lake, parted, "SELECT 'x' AS file, 1 AS n WHERE false").files == []


def test_rows_are_sorted_within_each_file(lake):
    """As the contract's sort order says, so that bounds of row groups are narrow, nulls first; no file claims it."""
    table = a_table(lake, partition=partitions("identity(file)"), sort=("n",))
    numbers = "CASE WHEN r % 50 > 2 THEN (r * 7919) % 1000 END"
    written = write(lake, table, f"SELECT 'p' || r % 3 AS file, {numbers} AS n FROM range(1000) AS t(r)")
    assert written.rows == 1000
    assert len(written.files) == 3
    for file in written.files:
        numbers = (
            pq.read_table(file.file_path.removeprefix("file://"), partitioning=None).column("n").to_pylist()
        )
        assert None in numbers
        assert numbers == sorted(numbers, key=lambda number: (number is not None, number))
        assert not file.sort_order_id


MOMENTS = [
    None,
    dt.datetime(1, 1, 1, tzinfo=UTC),
    dt.datetime(1900, 2, 28, 23, 59, 59, 999_999, UTC),
    dt.datetime(1968, 2, 29, tzinfo=UTC),
    dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC),
    dt.datetime(1970, 1, 1, tzinfo=UTC),
    dt.datetime(2024, 2, 29, 12, tzinfo=UTC),
    dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
]


@pytest.mark.parametrize(
    ("transform", "reference"),
    [("day", DayTransform()), ("month", MonthTransform()), ("year", YearTransform())],
)
def test_partition_values_are_icebergs(lake, transform, reference):
    """Times before 1970 and nulls too; and a scan for one moment finds exactly its row."""
    kinds = columns(("ts", "timestamptz", "When"), ("n", "long", "Number"))
    table = a_table(lake, columns=kinds, partition=partitions(f"{transform}(ts)"))
    written = written_rows(lake, table, [(moment, n) for n, moment in enumerate(MOMENTS)])
    expected = reference.transform(TimestamptzType())
    for file in written.files:
        found = (
            pq.read_table(file.file_path.removeprefix("file://"), partitioning=None).column("ts").to_pylist()
        )
        epoch = dt.datetime(1970, 1, 1, tzinfo=UTC)
        micros = [None if at is None else (at - epoch) // dt.timedelta(microseconds=1) for at in found]
        assert {expected(each) for each in micros} == {file.partition[0]}
    append(table, written.files)
    table.refresh()
    for n, moment in enumerate(MOMENTS):
        where = IsNull("ts") if moment is None else EqualTo("ts", moment.isoformat())
        assert table.scan(row_filter=where).to_arrow().column("n").to_pylist() == [n]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("string", ["a/b=c %41", "__HIVE_DEFAULT_PARTITION__", "NULL", "", "é中", 'it\'s "x"', None]),
        ("long", [-1, 0, 2**62, None]),
        ("int", [-1, 7, None]),
        ("date", [dt.date(1969, 12, 31), dt.date(2024, 2, 29), None]),
        ("boolean", [True, False, None]),
        ("decimal(12,2)", [Decimal("-0.05"), Decimal("3.10"), None]),
        ("timestamptz", [MOMENTS[4], MOMENTS[6], None]),
    ],
)
def test_identity_partitions_keep_every_value(lake, kind, found):
    """Of every type, whatever the value looks like in a path."""
    kinds = columns(("p", kind, "Part"), ("n", "long", "Number"))
    table = a_table(lake, columns=kinds, partition=partitions("identity(p)"))
    append(table, written_rows(lake, table, [(value, n) for n, value in enumerate(found)]).files)
    table.refresh()
    for n, value in enumerate(found):
        where = IsNull("p") if value is None else EqualTo("p", as_literal(value))
        assert table.scan(row_filter=where).to_arrow().to_pylist() == [{"p": value, "n": n}]
    with duck_of(lake, iceberg=True) as con:
        con.execute(f"CREATE VIEW t AS FROM iceberg_scan('{table.metadata_location}')")
        assert con.execute("SELECT p, n FROM t ORDER BY n").fetchall() == [
            (v, n) for n, v in enumerate(found)
        ]


@pytest.mark.parametrize("folder", ["with space", "per%20cent", "中文"])
def test_a_warehouse_may_have_any_name(lake, tmp_path, folder):
    """Data and metadata end up in the same folder, and are found again."""
    (tmp_path / folder).mkdir()
    moved = lake.model_copy(update={"warehouse": f"file://{tmp_path}/{folder}"})
    catalog = open_catalog(moved)
    table = ensure(catalog, a_contract(partition=partitions("identity(file)")))
    append(table, write(moved, table, "SELECT 'a b%' AS file, 1 AS n").files)
    assert rows_of(table) == [("a b%", 1)]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir() and "warehouse" not in path.name] != []
    assert list((tmp_path / folder).rglob("*.parquet"))
    assert not list(Path(lake.warehouse.removeprefix("file://")).rglob("*.parquet"))


def test_no_personal_data_in_manifests(lake):
    """Bounds of personal columns would stand in clear in manifests long after the row is erased."""
    kinds = columns(("email", "string", "E-mail", "pii"), ("city", "string", "City"))
    table = a_table(lake, columns=kinds)
    append(
        table, write(lake, table, "SELECT 'erin.planted@example.org' AS email, 'planted-city' AS city").files
    )
    table.refresh()
    texts = [json.dumps(table.metadata.model_dump(mode="json"))]
    for manifest in table.current_snapshot().manifests(table.io):
        texts.append(repr(manifest))
        texts += [
            repr(entry) + repr(_bytes(entry.data_file)) for entry in manifest.fetch_manifest_entry(table.io)
        ]
    everything = "".join(texts)
    assert "planted-city" in everything  # what is looked through is what holds the bounds
    assert "erin" not in everything


def _bytes(file):
    return [bytes(value) for bounds in (file.lower_bounds, file.upper_bounds) for value in bounds.values()]
