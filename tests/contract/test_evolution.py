"""Tables grow and widen while others write, and programs older than the table go on writing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from lakehouse.errors import CommitConflict, Terminal
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.catalog import ensure, load
from lakehouse.tables.commit import append
from lakehouse.tables.contract import Column, Migration, columns, partitions
from lakehouse.tables.migrations import apply, shape
from lakehouse.tables.views import scan_sql
from tests.support.lakes import (
    a_contract,
    duck_of,
    fresh_catalog,
    in_processes,
    in_threads,
    load_files,
    write,
)

pytestmark = pytest.mark.stack
NARROW = columns(("n", "int", "N"), ("f", "float", "F"), ("d", "decimal(5,2)", "D"))
WIDE = columns(
    ("n", "long", "N"), ("f", "double", "F"), ("d", "decimal(12,2)", "D"), ("note", "string", "Note")
)
SMALL = "SELECT 2147483647 AS n, 0.5::FLOAT AS f, 999.99 AS d"


def put(lake, contract, query):
    """Write a query's rows as a program of this contract does."""
    table = ensure(lake.catalog, contract)
    append(table, write(lake.settings, table, query).files)


def both_engines(lake, name, where="true"):
    """Return the table's rows as DuckDB reads them; pyiceberg must agree."""
    table = load(lake.catalog, name)
    rows = [tuple(row.values()) for row in table.scan().to_arrow().to_pylist()]
    with duck_of(lake.settings, iceberg=True) as con:
        seen = con.execute(scan_sql(table)).fetchall()
        assert sorted(seen, key=str) == sorted(rows, key=str)
        return sorted(con.execute(f"{scan_sql(table)} WHERE {where}").fetchall(), key=str)


# --- wider types


def test_types_widen_and_old_files_are_read(any_lake):
    """int to long, float to double, more digits: the contract says so, and old rows keep their values."""
    old = a_contract(columns=NARROW)
    new = replace(old, columns=WIDE)
    put(any_lake, old, SMALL)
    put(
        any_lake,
        new,
        "SELECT 9223372036854775807 AS n, 1e300::DOUBLE AS f, 9999999999.99 AS d, 'new' AS note",
    )
    small = (2**31 - 1, 0.5, Decimal("999.99"), None)
    large = (2**63 - 1, 1e300, Decimal("9999999999.99"), "new")
    assert both_engines(any_lake, old.name) == sorted([small, large], key=str)
    assert both_engines(any_lake, old.name, "n = 2147483647") == [small]
    assert both_engines(any_lake, old.name, "n > 2147483647 AND d > 1000") == [large]
    assert both_engines(any_lake, old.name, "f = 0.5") == [small]
    assert [str(field.field_type) for field in load(any_lake.catalog, old.name).schema().fields] == [
        "long", "double", "decimal(12, 2)", "string",
    ]  # fmt: skip


def test_a_column_that_partitions_widens(any_lake):
    """Manifests keep the narrow value, and files are still found by it."""
    old = a_contract(columns=NARROW, partition=partitions("identity(n)"))
    put(any_lake, old, SMALL)
    put(any_lake, replace(old, columns=WIDE), "SELECT 3000000000 AS n, 0::DOUBLE AS f, 1 AS d, NULL AS note")
    assert len(both_engines(any_lake, old.name)) == 2
    assert [row[0] for row in both_engines(any_lake, old.name, "n = 2147483647")] == [2147483647]
    assert [row[0] for row in both_engines(any_lake, old.name, "n = 3000000000")] == [3000000000]


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ("long", "string"), ("string", "long"), ("long", "double"), ("double", "decimal(12,2)"),
        ("decimal(5,2)", "decimal(12,3)"), ("timestamptz", "date"), ("boolean", "int"),
    ],
)  # fmt: skip
def test_types_that_contradict_are_refused(lake, have, want):
    """Old files could not be read as the new type; the error says what to do instead."""
    catalog = catalogs.open_catalog(lake)
    contract = a_contract(columns=(Column("a", have, "A"),))
    ensure(catalog, contract)
    with pytest.raises(Terminal, match=r"numbered migration"):
        ensure(catalog, replace(contract, columns=(Column("a", want, "A"),)))


# --- programs that are older than the table


def test_an_older_program_writes_on(any_lake):
    """It has no word for the new columns and the wider types: its rows have null there, and are read as all others."""
    old = a_contract(columns=NARROW, sort=("n",))
    ensure(any_lake.catalog, old)
    new = replace(old, columns=WIDE, sort=("n",))
    ensure(any_lake.catalog, new)
    put(any_lake, old, SMALL)
    assert both_engines(any_lake, old.name) == [(2**31 - 1, 0.5, Decimal("999.99"), None)]
    assert [field.name for field in load(any_lake.catalog, old.name).schema().fields] == [
        "n",
        "f",
        "d",
        "note",
    ]
    assert str(load(any_lake.catalog, old.name).schema().find_type("n")) == "long"


def test_an_older_program_writes_on_after_a_migration(any_lake):
    """Renamed, dropped, partitioned and sorted anew: what it writes is found under the new names."""
    old = a_contract(sort=("file",), partition=partitions("identity(file)"))
    ensure(any_lake.catalog, old)
    new = replace(
        old,
        columns=columns(("path", "string", "Path"), ("at", "date", "At")),
        sort=("at",),
        partition=(*partitions("identity(path)"), *partitions("month(at)")),
        migrations=(
            Migration(1, "path it is", rename={"file": "path"}),
            Migration(2, "nobody reads n", drop={"n": 2}),
        ),
    )
    put(any_lake, new, "SELECT 'new' AS path, DATE '2026-01-31' AS \"at\"")
    before = load(any_lake.catalog, old.name).metadata_location
    written = ensure(any_lake.catalog, old)
    assert load(any_lake.catalog, old.name).metadata_location == before
    load_files(any_lake.settings, written, "old")
    rows = both_engines(any_lake, old.name)
    assert {row[0] for row in rows} == {"new", "old"}
    assert both_engines(any_lake, old.name, "path = 'old'") == [("old", None)] * 5
    assert load(any_lake.catalog, old.name).scan("path = 'old'").to_arrow().num_rows == 5


def test_a_program_that_cannot_partition_as_the_table_wants_says_so(lake):
    """Only where a newer one made the table from the start."""
    catalog = catalogs.open_catalog(lake)
    old = a_contract()
    more = (*old.columns, Column("day", "date", "Day"))
    ensure(catalog, replace(old, columns=more, partition=partitions("identity(day)")))
    with pytest.raises(Terminal, match="newer version"):
        ensure(catalog, old)


def test_personal_data_is_kept_out_of_manifests_of_older_tables(any_lake):
    """A tag that comes later holds from then on; it needs no migration."""
    ensure(any_lake.catalog, any_lake.contract)
    file, n = any_lake.contract.columns
    tagged = replace(any_lake.contract, columns=(replace(file, pii=True), n))
    table = ensure(any_lake.catalog, tagged)
    assert table.properties["write.metadata.metrics.column.file"] == "none"
    assert table.properties[shape.NUMBER] == "0"


# --- at the same time


def test_an_append_that_began_before_a_change_commits(any_lake, quick_retries):
    """Its files were written for the schema, the order and the partitions of before, and are read as such."""
    old = a_contract(partition=partitions("identity(file)"))
    stale = [ensure(any_lake.catalog, old) for _ in range(3)]
    written = [
        write(any_lake.settings, table, f"SELECT 'f{n}' AS file, {n} AS n") for n, table in enumerate(stale)
    ]
    append(stale[0], written[0].files)
    new = replace(
        old,
        columns=columns(("n2", "string", "File"), ("n", "long", "N"), ("note", "string", "Note")),
        partition=partitions("identity(n)", "identity(note)"),
        sort=("n",),
        migrations=(Migration(1, "n2 it is", rename={"file": "n2"}),),
    )
    ensure(any_lake.catalog, new)
    append(stale[1], written[1].files)  # lost to the first append: its manifest is written again
    append(stale[2], written[2].files)
    put(any_lake, new, "SELECT 'f3' AS n2, 3 AS n, 'x' AS note")
    assert both_engines(any_lake, old.name) == [
        ("f0", 0, None),
        ("f1", 1, None),
        ("f2", 2, None),
        ("f3", 3, "x"),
    ]
    for n in range(4):
        assert both_engines(any_lake, old.name, f"n2 = 'f{n}'") == both_engines(
            any_lake, old.name, f"n = {n}"
        )
        assert load(any_lake.catalog, old.name).scan(f"n2 = 'f{n}'").to_arrow().num_rows == 1


def test_processes_that_grow_a_table_while_they_load_it(any_lake):
    """Whoever is first: nobody fails, every file is in, and the table has all columns once."""
    ensure(any_lake.catalog, any_lake.contract)
    names = ["a", "b", "c"]
    in_processes(4, grow_and_load, any_lake.settings, any_lake.contract, names)
    table = load(any_lake.catalog, any_lake.contract.name)
    assert [field.name for field in table.schema().fields] == ["file", "n", "c0", "c1", "c2"]
    rows = both_engines(any_lake, any_lake.contract.name)
    assert len(rows) == 4 * len(names) * 5


def grow_and_load(number, barrier, settings, contract, names):
    """Load files, the table one column wider each time."""
    catalog = fresh_catalog(settings)
    barrier.wait(60)
    for step, name in enumerate(names, start=1):
        more = tuple(Column(f"c{n}", "string", "More") for n in range(step))
        table = ensure(catalog, replace(contract, columns=(*contract.columns, *more)))
        nulls = ", ".join(f"NULL AS c{n}" for n in range(step))
        rows = write(settings, table, f"SELECT '{name}-{number}' AS file, n, {nulls} FROM range(5) AS r(n)")
        append(table, rows.files, carries=[f"{name}-{number}"])


def test_a_change_that_always_loses_is_told(lake, quick_retries, monkeypatch):
    """After twenty lost races the caller plans again later; nothing is half done."""
    catalog = catalogs.open_catalog(lake)
    contract = a_contract()
    ensure(catalog, contract)
    real = apply.commit

    def lose(table, *arguments):
        other = catalog.load_table(contract.name)
        with other.transaction() as transaction:
            transaction.set_properties({"other": str(len(other.metadata.metadata_log))})
        stale = type(catalog).load_table
        monkeypatch.setattr(type(catalog), "load_table", lambda *_: table)
        try:
            real(table, *arguments)
        finally:
            monkeypatch.setattr(type(catalog), "load_table", stale)

    monkeypatch.setattr(apply, "commit", lose)
    with pytest.raises(CommitConflict, match="changed by others"):
        ensure(catalog, replace(contract, columns=(*contract.columns, Column("c", "string", "C"))))
    assert len(load(catalog, contract.name).schema().fields) == 2


def test_an_answer_that_never_came(lake, quick_retries, monkeypatch):
    """The change took effect, or it did not: the table is asked, and asked to change again."""
    catalog = catalogs.open_catalog(lake)
    contract = a_contract()
    ensure(catalog, contract)
    grown = replace(contract, columns=(*contract.columns, Column("c", "string", "C")))
    real = apply.commit

    def commit_and_vanish(*arguments):
        real(*arguments)
        raise ConnectionError

    monkeypatch.setattr(apply, "commit", commit_and_vanish)
    assert len(ensure(catalog, grown).schema().fields) == 3

    def vanish(*_):
        raise ConnectionError

    monkeypatch.setattr(apply, "commit", vanish)
    with pytest.raises(ConnectionError):
        ensure(catalog, replace(grown, columns=(*grown.columns, Column("d", "string", "D"))))


def test_threads_that_widen_at_once(any_lake):
    """All see the wide table."""
    old = a_contract(columns=NARROW)
    ensure(any_lake.catalog, old)

    def widen(number, barrier):
        barrier.wait(30)
        return str(ensure(fresh_catalog(any_lake.settings), replace(old, columns=WIDE)).schema())

    assert len(set(in_threads(4, widen))) == 1
