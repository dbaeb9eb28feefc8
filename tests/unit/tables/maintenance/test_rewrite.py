"""Rewriting small files: the same rows, sorted, in few files; large ones are left alone; lost races cost nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.table import Table
from pyiceberg.types import LongType, StringType

from lakehouse.errors import CommitConflict, Terminal, Transient
from lakehouse.tables import commit, data_files
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.contract import columns, partitions
from lakehouse.tables.maintenance import rewrite as rewriting
from lakehouse.tables.maintenance.observe import observe
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.rewrite import differing, rewrite
from lakehouse.tables.maintenance.table_plan import plan_rewrite, table_state
from lakehouse.tables.replace_files import replace_files
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import a_contract, duck_of, each_once, files_sql, load_files, rows_of, write

POLICY = MaintenancePolicy()


@pytest.fixture
def catalog(lake):
    return open_catalog(lake)


def sorted_contract(**more):
    """Return a table of people and times, partitioned by day, sorted by time."""
    kinds = columns(
        ("who", "string", "Who", "pii"),
        ("at", "timestamptz", "When"),
        ("n", "int", "Number"),
        ("f", "string", "F"),
    )
    return a_contract(columns=kinds, partition=partitions("day(at)"), sort=("at",), **more)


def made(catalog, contract):
    """Make a table and open it as maintenance does: as it is, not as a writer of some contract sees it."""
    return catalog.load_table(ensure(catalog, contract).name())


def bins_of(table, policy=POLICY):
    """Return the bins that the table should be rewritten in."""
    return plan_rewrite(observe(table, policy), policy).bins


def state_of(table, policy=POLICY):
    """Return how many files the table has, and how many of them are small."""
    return table_state(observe(table, policy), policy)


def fill(lake, table, number, rows=20, days=3):
    """Append one file a day, of rows in no order."""
    query = f"""SELECT 'w{number}-' || i AS who, TIMESTAMPTZ '2026-01-01 00:00:00Z' + to_days(d::INT)
        + to_seconds((i * 7919 + {number} * 31) % 86400) AS at, i::INT AS n, NULL AS f
        FROM range({rows}) AS r(i), range({days}) AS d(d)"""
    return append(table, write(lake, table, query).files, carries=[f"f{number}"])


def on_disk(table):
    """Return the data files in the table's folder."""
    return {f"file://{path}" for path in Path(table.location().removeprefix("file://")).rglob("*.parquet")}


def test_each_partition_becomes_one_sorted_file(lake, catalog):
    """The rows and the exact counts stay, the bounds are those of the rows, personal data has none."""
    table = made(catalog, sorted_contract())
    for number in range(6):
        fill(lake, table, number)
    before = rows_of(table)
    done = rewrite(lake, table, POLICY)
    assert (done.files, done.into, done.commits, done.lost) == (18, 3, 1, 0)
    assert rows_of(table) == before
    files = live_files(table)
    assert [file.record_count for file in files] == [120] * 3
    for file in files:
        times = pq.read_table(file.file_path.removeprefix("file://")).column("at").to_pylist()
        assert times == sorted(times)
        assert file.partition[0] == (times[0].date() - dt.date(1970, 1, 1)).days
        assert 1 not in file.lower_bounds
        assert {2, 3} == file.lower_bounds.keys() == file.upper_bounds.keys()
        assert file.null_value_counts == {1: 0, 2: 0, 3: 0, 4: 120}
    assert table.scan("at >= '2026-01-03T00:00:00+00:00'").to_arrow().num_rows == 120


def test_what_was_rewritten_is_left_alone(lake, catalog):
    """A second look finds nothing to do; four new files are not enough, the fifth is."""
    table = made(catalog, a_contract())
    for number in range(5):
        load_files(lake, table, f"f{number}")
    assert rewrite(lake, table, POLICY).into == 1
    assert rewrite(lake, table, POLICY).into == 0
    for number in range(3):
        load_files(lake, table, f"g{number}")
    assert bins_of(table) == ()
    load_files(lake, table, "g3")
    assert rewrite(lake, table, POLICY).files == 5
    assert rows_of(table) == each_once([*(f"f{n}" for n in range(5)), *(f"g{n}" for n in range(4))])


def test_a_large_file_is_not_read_again_for_a_few_small_ones(lake, catalog):
    """It waits until the small ones are a third of it; what has three quarters of the target is never touched."""
    table = made(catalog, a_contract())
    query = "SELECT md5(i || 'x') AS file, i AS n FROM range(3000) AS r(i)"
    append(table, write(lake, table, query).files)
    large = live_files(table)[0]
    for number in range(6):
        load_files(lake, table, f"f{number}")
    [found] = bins_of(table)
    assert large not in found.files
    assert len(found.files) == 6
    eager = MaintenancePolicy(max_size_ratio=1000)
    barely_small = replace(eager, target_file_bytes=large.file_size_in_bytes * 10 // 7)
    for policy in (eager, barely_small):
        assert large in bins_of(table, policy)[0].files
    large_enough = replace(eager, target_file_bytes=large.file_size_in_bytes * 4 // 3)
    assert large not in bins_of(table, large_enough)[0].files


def test_a_row_is_written_a_few_times_only(lake, catalog):
    """Sixty small commits with a rewrite after every fifth: what is read stays a small multiple of what came."""
    table = made(catalog, a_contract())
    came = read = 0
    for number in range(60):
        files = write(
            lake, table, f"SELECT md5(i || '{number}') AS file, i AS n FROM range(200) AS r(i)"
        ).files
        append(table, files)
        came += sum(file.file_size_in_bytes for file in files)
        if number % 5 == 4:
            read += rewrite(lake, table, POLICY).bytes
    assert read < 5 * came
    assert state_of(table).files <= 12
    assert len(rows_of(table)) == 60 * 200


def test_files_are_as_large_as_the_table_wants_them(lake, catalog):
    """`write.target-file-size-bytes` decides; neighbours in the sort order meet in one file; commits are bounded."""
    table = made(catalog, a_contract(sort=("n",), properties={"write.target-file-size-bytes": "20000"}))
    for number in range(40):
        query = f"SELECT md5(i || '') AS file, {number * 7 % 40} * 100 + i AS n FROM range(60) AS r(i)"
        append(table, write(lake, table, query).files)
    before = rows_of(table)
    total = state_of(table).bytes
    done = rewrite(lake, table, MaintenancePolicy(max_commit_bytes=30_000))
    assert done.into == len(live_files(table))
    assert total // 30_000 <= done.into <= total // 20_000 + 1
    assert done.commits >= 3
    assert rows_of(table) == before
    ranges = sorted((row["n"]["lower_bound"], row["n"]["upper_bound"]) for row in metrics(table))
    assert all(first[1] < second[0] for first, second in pairwise(ranges))
    assert replace(state_of(table), small_files=0) == state_of(table, MaintenancePolicy(small_file_share=0))
    with table.transaction() as change:
        change.set_properties({"write.target-file-size-bytes": "big"})
    with pytest.raises(Terminal, match="'big', not a number of bytes"):
        rewrite(lake, table, POLICY)


def metrics(table):
    """Return the readable metrics of the live files."""
    return table.refresh().inspect.files().column("readable_metrics").to_pylist()


def test_a_writer_of_an_older_release_does_not_lose_newer_columns(lake, catalog):
    """Who has the table as its own contract shows it rewrites it as it is, all the same."""
    contract = a_contract()
    table = made(catalog, contract)
    with table.update_schema() as update:
        update.add_column("new", StringType())
    for number in range(5):
        append(table, write(lake, table, f"SELECT 'a' AS file, {number} AS n, 'x' AS new").files)
    old = ensure(catalog, contract)
    assert old.schema().column_names == ["file", "n"]
    assert rewrite(lake, old, POLICY).files == 5
    assert sorted(rows_of(table)) == [("a", number, "x") for number in range(5)]


def test_odd_partitions_are_kept(lake, catalog):
    """Null, quotes, slashes: the value is taken from the old files, not from a path."""
    contract = a_contract(partition=partitions("identity(file)"))
    table = made(catalog, contract)
    values = "NULL, '', 'a/b', 'it''s', 'x=1', '%2F', '__HIVE_DEFAULT_PARTITION__'"
    for number in range(5):
        append(table, write(lake, table, f"SELECT unnest([{values}]) AS file, {number} AS n").files)
    before = sorted(map(str, rows_of_any(table)))
    partitions_before = {str(file.partition) for file in live_files(table)}
    done = rewrite(lake, table, POLICY)
    assert done.into == len(partitions_before)
    assert {str(file.partition) for file in live_files(table)} == partitions_before
    assert sorted(map(str, rows_of_any(table))) == before


def rows_of_any(table):
    return [tuple(row.values()) for row in table.refresh().scan().to_arrow().to_pylist()]


def test_files_of_older_schemas_are_read_as_the_table_is_now(lake, catalog):
    """A column that came later is null in them, a narrower number is widened, a renamed column is found by its id."""
    table = made(catalog, sorted_contract())
    for number in range(3):
        fill(lake, table, number, days=1)
    with table.update_schema() as update:
        update.add_column("new", LongType())
        update.update_column("n", LongType())
        update.rename_column("who", "person")
    big = (
        "SELECT 'z' AS person, TIMESTAMPTZ '2026-01-01 12:00:00Z' AS at, 5000000000 AS n, 'f' AS f, 7 AS new"
    )
    for _ in range(3):
        append(table, write(lake, table, big).files)
    before = sorted(map(str, rows_of_any(table)))
    assert rewrite(lake, table, POLICY).files == 6
    assert sorted(map(str, rows_of_any(table))) == before
    [file] = live_files(table)
    assert file.null_value_counts == {1: 0, 2: 0, 3: 0, 4: 60, 5: 60}
    assert table.scan("n = 5000000000").to_arrow().num_rows == 3


def test_a_schema_that_changes_meanwhile_does_no_harm(lake, catalog, monkeypatch):
    """The column comes after the files were written and before they are committed; so do rows that have it."""
    table = made(catalog, a_contract())
    for number in range(5):
        load_files(lake, table, f"f{number}")

    def grow(*_):
        other = catalog.load_table(table.name())
        with other.update_schema() as update:
            update.add_column("new", StringType())
        append(other, write(lake, other, "SELECT 'g' AS file, 1 AS n, 'x' AS new").files)

    meanwhile(monkeypatch, grow)
    assert rewrite(lake, table, POLICY).files == 5
    rows = rows_of_any(table)
    assert len(rows) == 26
    assert [row for row in rows if row[2] is not None] == [("g", 1, "x")]


def meanwhile(monkeypatch, act):
    """Let `act` happen once, when the new files are written and not yet committed."""
    real, acts = rewriting.replace_files, [act]

    def replace_late(table, *arguments, **named):
        if acts:
            acts.pop()(table)
        return real(table, *arguments, **named)

    monkeypatch.setattr(rewriting, "replace_files", replace_late)


def test_a_lost_race_is_run_again_with_what_is_left(lake, catalog, monkeypatch):
    """Somebody removes one of the files: what was written goes, no row comes back, the others are rewritten."""
    table = made(catalog, a_contract())
    for number in range(6):
        load_files(lake, table, f"f{number}")
    gone = live_files(table)[0]
    meanwhile(
        monkeypatch, lambda _: replace_files(catalog.load_table(table.name()), [gone], [], same_rows=False)
    )
    done = rewrite(lake, table, POLICY)
    assert (done.files, done.into, done.lost) == (5, 1, 0)
    assert len(rows_of(table)) == 25
    reached = {file.file_path for file in live_files(table)}
    assert {path for path in on_disk(table) if "/rewrite-" in path} == reached


def test_a_table_that_somebody_replaces_each_time_is_left(lake, catalog, monkeypatch):
    """Every round loses against a model that is computed again; the model's rows stand, nothing is left behind."""
    table = made(catalog, a_contract())

    def fill_anew(*_):
        other = catalog.load_table(table.name())
        base = other.current_snapshot()
        files = [write(lake, other, files_sql([f"f{number}"])).files[0] for number in range(5)]
        replace_all(other, files, computed_from={}, base=base.snapshot_id if base else None)

    fill_anew()
    real = rewriting.replace_files
    monkeypatch.setattr(rewriting, "replace_files", lambda *a, **k: (fill_anew(), real(*a, **k)))
    assert rewrite(lake, table, POLICY).lost == 1
    assert rows_of(table) == each_once([f"f{number}" for number in range(5)])
    assert not {path for path in on_disk(table) if "/rewrite-" in path}


def test_a_file_that_cannot_be_read_leaves_everything_as_it_was(lake, catalog):
    """One of the files is gone from the store: the rewrite fails, and what it has written by then is deleted."""
    table = made(catalog, sorted_contract())
    for number in range(5):
        fill(lake, table, number)
    head, before = commit.head(table), on_disk(table)
    lost = bins_of(table)[-1].files[0].file_path
    Path(lost.removeprefix("file://")).unlink()
    with pytest.raises(Exception, match=r"No files found|Cannot open"):
        rewrite(lake, table, POLICY)
    assert commit.head(table.refresh()) == head
    assert len(table.metadata.snapshots) == 5
    assert on_disk(table) == before - {lost}


def test_values_that_cannot_be_read_by_field_id_are_not_lost(lake, catalog):
    """A file that somebody registered without field ids would be read as nulls: the rewrite refuses."""
    table = made(catalog, a_contract())
    for number in range(5):
        load_files(lake, table, f"f{number}")
    for file in live_files(table):
        path = file.file_path.removeprefix("file://")
        with duck_of(lake) as con:
            con.execute(f"CREATE TABLE t AS FROM read_parquet('{path}'); COPY t TO '{path}'")
    before = on_disk(table)
    with pytest.raises(Terminal, match=r"would not hold what the old ones hold \(file, n\)"):
        rewrite(lake, table, POLICY)
    assert len(table.refresh().metadata.snapshots) == 5
    assert on_disk(table) == before


def test_differences_are_named(lake, catalog):
    """Rows and values are counted; the same in other files is the same."""
    table = made(catalog, a_contract())
    both = write(lake, table, files_sql(["a", "b"])).files
    parts = [write(lake, table, files_sql([name])).files[0] for name in "ab"]
    nulls = write(lake, table, "SELECT CAST(NULL AS VARCHAR) AS file, n FROM range(10) AS r(n)").files
    assert differing(table, both, parts) == []
    assert differing(table, both, parts[:1]) == ["rows", "file", "n"]
    assert differing(table, both, nulls) == ["file"]


@pytest.mark.parametrize("took_effect", [True, False])
def test_on_an_unknown_outcome_no_file_is_deleted(lake, catalog, monkeypatch, took_effect):
    """The catalog fails in an unknown way: if the commit is found it counts; if not, it may still come."""
    table = made(catalog, a_contract())
    for number in range(5):
        load_files(lake, table, f"f{number}")
    do_commit, before = Table._do_commit, on_disk(table)

    def fail(self, *arguments, **named):
        if took_effect:
            do_commit(self, *arguments, **named)
        raise ConnectionResetError

    monkeypatch.setattr(Table, "_do_commit", fail)
    if took_effect:
        assert rewrite(lake, table, POLICY).into == 1
    else:
        with pytest.raises(Transient, match="unknown") as raised:
            rewrite(lake, table, POLICY)
        assert not isinstance(raised.value, CommitConflict)
    assert len(on_disk(table) - before) == 1
    assert rows_of(table) == each_once([f"f{number}" for number in range(5)])


def test_read_sql_reads_one_file_by_ids(lake, catalog):
    """What a rewrite reads is what the table shows."""
    table = made(catalog, a_contract())
    load_files(lake, table, "a")
    with duck_of(lake) as con:
        query = data_files.read_sql(table, [live_files(table)[0].file_path])
        assert sorted(con.execute(query).fetchall()) == each_once(["a"])
