"""Small days become months, or years: one file where there were hundreds, and every filter finds what it found."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, IdentityTransform, MonthTransform, YearTransform
from pyiceberg.typedef import Record
from pyiceberg.types import DateType

from lakehouse.engine import duck
from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables import commit, views
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.contract import Migration, columns, partitions
from lakehouse.tables.maintenance import coarser
from lakehouse.tables.maintenance.coarser import CoarserPlan, in_spec, partition_in, plan_coarser, spec_of
from lakehouse.tables.maintenance.observe import LiveFile, ObservedTable, observe
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.run import MaintenanceContext, look, maintain
from tests.support.lakes import a_contract, rows_of, write

TRANSFORMS = {
    "day": DayTransform,
    "month": MonthTransform,
    "year": YearTransform,
    "identity": IdentityTransform,
}
POLICY = MaintenancePolicy(min_partitions_to_coarsen=3, coarser_partition_bytes=100)
FIRST = dt.date(2023, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()


def spec(*fields):
    """Return a spec of (column, transform) pairs."""
    return PartitionSpec(
        *(
            PartitionField(source_id, 1000 + position, TRANSFORMS[transform](), f"c{source_id}_{transform}")
            for position, (source_id, transform) in enumerate(fields)
        )
    )


def a_file(partition, size=1, spec_id=0):
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=f"{partition}-{size}",
        file_format=FileFormat.PARQUET,
        partition=Record(*partition),
        record_count=1,
        file_size_in_bytes=size,
    )
    file.spec_id = spec_id
    return file


def by_day(sizes, of=None):
    """Return a table of a file a day."""
    of = of or spec((1, "day"))
    files = (LiveFile(a_file((FIRST + n,), size), (0,), Record(FIRST + n)) for n, size in enumerate(sizes))
    return ObservedTable(1_000, of, tuple(files), (), 0, {1: "at"})


@pytest.mark.parametrize(
    ("sizes", "transform"),
    [
        ([1] * 2, ""),  # too few to matter
        ([1] * 3, "year"),
        ([1] * 800, "month"),  # a year has more than 100 bytes
        ([10] * 800, ""),  # so has a month
        ([0] * 1_000 + [50] * 30, "year"),  # the typical year counts, not the largest
    ],
)
def test_the_coarsest_partition_that_fits(sizes, transform):
    """A typical one of them, by the bytes in it."""
    plan = plan_coarser(by_day(sizes), POLICY)
    wanted = CoarserPlan("c1_day", "at", transform, len(sizes)) if transform else CoarserPlan()
    assert plan == wanted
    assert bool(plan) is bool(transform)


@pytest.mark.parametrize(
    "fields", [(), ((1, "year"),), ((1, "identity"),), ((1, "day"), (2, "day")), ((2, "identity"),)]
)
def test_what_is_not_by_one_day_stays(fields):
    """Years are the coarsest; of two fields by time nobody says which."""
    table = replace(by_day([1] * 9), spec=spec(*fields))
    assert plan_coarser(table, POLICY) == CoarserPlan()
    assert spec_of(table, CoarserPlan()) == table.spec


@given(st.dates())
def test_a_coarser_value_is_what_iceberg_computes(day):
    """Of every day there is: pyiceberg's transforms are the oracle."""
    days = DayTransform().transform(DateType())(day.toordinal() - dt.date(1970, 1, 1).toordinal())
    for old, new in (("day", "month"), ("day", "year"), ("month", "year"), ("day", "day")):
        source = TRANSFORMS[old]().transform(DateType())(days)
        target = TRANSFORMS[new]().transform(DateType())(days)
        specs = {0: spec((1, old)), 1: spec((1, new))}
        assert partition_in(a_file((source,)), specs, specs[1]) == Record(target)


@pytest.mark.parametrize(
    ("old", "new", "partition", "expected"),
    [
        (((1, "day"),), ((1, "month"),), (None,), Record(None)),
        (((1, "month"),), ((1, "day"),), (5,), None),  # it may be any day of the month
        (((2, "day"),), ((1, "month"),), (5,), None),
        (((1, "identity"),), ((1, "month"),), (5,), None),
        (((1, "day"),), ((1, "month"),), (10**9,), None),  # beyond any calendar
        (((2, "identity"), (1, "day")), ((1, "year"), (2, "identity")), ("x", 0), Record(0, "x")),
        (((1, "day"),), (), (5,), Record()),
    ],
)
def test_where_rows_of_another_spec_are(old, new, partition, expected):
    """None where they may be in several partitions of the new one."""
    specs = {0: spec(*old), 1: spec(*new)}
    assert partition_in(a_file(partition), specs, specs[1]) == expected
    if expected is None:
        live = LiveFile(a_file(partition), (0,), Record(*partition))
        table = ObservedTable(1, specs[0], (live,), (), 0)
        assert in_spec(table, specs[1]).files[0].partition is None


# ------------------------------------------------------------------ real tables


CONTRACT_COLUMNS = columns(("ts", "timestamptz", "When"), ("n", "long", "Number"), ("who", "string", "Who"))
REAL_POLICY = MaintenancePolicy(min_partitions_to_coarsen=10)


def days_sql(days, each=3):
    """Return the SELECT of some rows of every day from 2023 on."""
    return (
        f"SELECT TIMESTAMPTZ '2023-01-01 00:00:00+00' + to_hours(r * 24 // {each}) AS ts, r AS n, 'w' || r % 7 AS who "
        f"FROM range({days * each}) AS t(r)"
    )


@pytest.fixture
def table(lake):
    contract = a_contract(columns=CONTRACT_COLUMNS, partition=partitions("day(ts)"), sort=("ts",))
    catalog = open_catalog(lake)
    made = catalog.load_table(ensure(catalog, contract).name())
    append(made, write(lake, made, days_sql(400)).files)
    return made


def files_read(lake, table, condition):
    """Return how many rows DuckDB finds, and how many files it reads for them."""
    con = duck.connect(lake)
    try:
        query = f"FROM ({views.scan_sql(table)}) WHERE {condition}"
        [(rows,)] = con.execute(f"SELECT count(*) {query}").fetchall()
        plan = con.execute(f"EXPLAIN ANALYZE SELECT sum(n) {query}").fetchall()[0][1]
        return rows, int(plan.split("Total Files Read:")[1].split()[0].strip("│"))
    finally:
        con.close()


ONE_DAY = "ts >= TIMESTAMPTZ '2023-03-05 00:00:00+00' AND ts < TIMESTAMPTZ '2023-03-06 00:00:00+00'"


def test_small_days_become_few_files(lake, table):
    """400 files become two, of years; the rows stay, the head too, and a day still reads one file."""
    before, head = rows_of(table), commit.head(table)
    assert len(live_files(table)) == 400
    assert files_read(lake, table, ONE_DAY) == (3, 1)
    dry = look(open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    done = maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    assert done.plan.coarser == dry.plan.coarser == CoarserPlan("ts_day", "ts", "year", 400)
    assert (done.before.files, done.after.files, dry.after.files) == (400, 2, 2)
    assert (rows_of(table), commit.head(table)) == (before, head)
    assert {file.spec_id for file in live_files(table)} == {table.spec().spec_id}
    assert files_read(lake, table, ONE_DAY) == (3, 1)
    scanned = table.scan("ts >= '2023-03-05T00:00:00+00:00' and ts < '2023-03-06T00:00:00+00:00'")
    assert (scanned.to_arrow().num_rows, len(list(scanned.plan_files()))) == (3, 1)
    again = maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    assert (again.plan.coarser, again.plan.rewrite.bins) == (CoarserPlan(), ())


def test_a_writer_of_before_goes_on(lake, table):
    """Who has loaded the table writes days, which stand beside the years until they are merged with them."""
    contract = a_contract(
        ".".join(table.name()), columns=CONTRACT_COLUMNS, partition=partitions("day(ts)"), sort=("ts",)
    )
    writer = ensure(open_catalog(lake), contract)
    written = write(lake, writer, days_sql(20))
    maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    append(writer, written.files)
    table.refresh()
    assert len(rows_of(table)) == 1_260
    assert files_read(lake, table, ONE_DAY)[0] == 3
    assert files_read(lake, table, "ts < TIMESTAMPTZ '2023-01-21 00:00:00+00'")[0] == 120
    maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    assert len(rows_of(table)) == 1_260
    assert {file.spec_id for file in live_files(table)} == {table.spec().spec_id}
    append(ensure(open_catalog(lake), contract), write(lake, table, days_sql(20)).files)
    maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    assert len(rows_of(table)) == 1_320
    assert len(live_files(table)) <= 4


def test_a_migration_leaves_coarser_partitions(lake, table):
    """The contract says `day`, which years keep apart no less than it promises."""
    maintain(lake, open_catalog(lake), table, REAL_POLICY, MaintenanceContext())
    newer = a_contract(
        ".".join(table.name()),
        columns=CONTRACT_COLUMNS,
        partition=partitions("day(ts)"),
        sort=("ts", "n"),
        migrations=(Migration(1, "Another order"),),
    )
    ensure(open_catalog(lake), newer)
    table.refresh()
    assert [str(field.transform) for field in table.spec().fields] == ["year"]
    assert len(table.sort_order().fields) == 2


@pytest.mark.parametrize(
    ("happens", "raised"), [(CommitFailedException("no"), CommitConflict), (ConnectionError("no"), Transient)]
)
def test_what_the_catalog_refuses_is_told(table, monkeypatch, happens, raised):
    """And what it did all the same is found."""
    plan = plan_coarser(observe(table, REAL_POLICY), REAL_POLICY)
    real = Table._do_commit

    def refuse(*_, **__):
        raise happens

    monkeypatch.setattr(Table, "_do_commit", refuse)
    with pytest.raises(raised) as told:
        coarser.apply(table, plan)
    assert type(told.value) is raised

    def lose_the_answer(self, *arguments, **named):
        real(self, *arguments, **named)
        raise happens

    monkeypatch.setattr(Table, "_do_commit", lose_the_answer)
    coarser.apply(table, plan)
    assert [field.name for field in table.spec().fields] == ["ts_year"]
