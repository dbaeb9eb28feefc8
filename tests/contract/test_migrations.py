"""Tables come to what their contracts say from whatever they were before, with the rows they have."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from lakehouse.errors import Terminal
from lakehouse.tables.catalog import ensure, load, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contract import Column, Contract, Migration, columns, partitions
from lakehouse.tables.migrations import shape
from lakehouse.tables.views import attach, scan_sql
from tests.support.evolution import a_row, docs, frozen, looks, made_by_the_first_release, present
from tests.support.lakes import a_contract, duck_of, in_threads, write

pytestmark = pytest.mark.stack
NOW = {contract.name: contract for contract in present()}


def by_id(table):
    """Return the table's rows as dictionaries by field id, without nulls."""
    names = {field.name: field.field_id for field in table.schema().fields}
    rows = table.refresh().scan().to_arrow().to_pylist()
    return [{names[name]: value for name, value in row.items() if value is not None} for row in rows]


# --- the tables of earlier releases


@pytest.mark.parametrize(("release", "old"), frozen(), ids=lambda value: getattr(value, "name", value))
def test_a_table_of_an_earlier_release_becomes_what_the_contract_says(lake, release, old):
    """Its rows stay as they were, and it cannot be told from a table made today."""
    catalog = open_catalog(lake)
    table = made_by_the_first_release(catalog, old) if release == "0.1.0" else ensure(catalog, old)
    append(table, write(lake, table, a_row(old)).files)
    before = by_id(table)
    now = NOW[old.name]
    after = ensure(catalog, now)
    fresh = ensure(catalog, replace(now, name=f"{now.namespace}.fresh"))
    assert looks(after) == looks(fresh)
    assert by_id(after) == [
        {number: value for number, value in row.items() if number not in now.dropped} for row in before
    ]
    append(after, write(lake, after, a_row(now)).files)
    assert len(by_id(after)) == 2


def test_every_number_was_frozen():
    """Before a contract gets a migration, what it was is frozen, so that the test above begins there."""
    kept = defaultdict(set)
    for _, contract in frozen():
        kept[contract.name].add(contract.number)
    first = {contract.name for release, contract in frozen() if release == "0.1.0"}
    assert first <= NOW.keys()
    for contract in NOW.values():
        assert set(range(contract.number)) <= kept[contract.name]


# --- every kind of change, from every version


def _versions() -> list[Contract]:
    """Return a contract's life: each is a release."""
    name = a_contract().name
    first = Contract(
        name, "A table", "one row a thing",
        columns(("id", "string", "Id"), ("n", "int", "N"), ("at", "timestamptz", "At")),
        partition=partitions("day(at)"), sort=("id",),
    )  # fmt: skip
    more = columns(("old", "string", "Old"), ("mail", "string", "Mail", "pii"))
    grown = replace(first, columns=(*first.columns, *more))
    renamed = replace(
        grown,
        columns=columns(
            ("key", "string", "Key"), ("n", "long", "N"), ("at", "timestamptz", "At"), ("old", "string", "Old"),
            ("mail", "string", "Mail", "pii"),
        ),
        sort=("key",),
        migrations=(Migration(1, "id said too little", rename={"id": "key"}),),
    )  # fmt: skip
    dropped = replace(
        renamed,
        columns=(*renamed.columns[:3], renamed.columns[4], Column("id", "decimal(9,2)", "Another id")),
        migrations=(*renamed.migrations, Migration(2, "nobody filled it", drop={"old": 4})),
    )
    laid_out = replace(
        dropped,
        columns=tuple(replace(column, doc=column.doc + ", said better") for column in dropped.columns),
        partition=partitions("month(at)", "identity(n)"),
        sort=("at", "key"),
        properties={"commit.retry.num-retries": "30", "write.parquet.row-group-limit": "1000"},
        migrations=(*dropped.migrations, Migration(3, "months are enough")),
    )
    last = replace(
        laid_out,
        columns=(
            replace(laid_out.columns[0], name="thing"),
            *laid_out.columns[1:4],
            replace(laid_out.columns[4], type="decimal(12,2)"),
        ),
        sort=(),
        migrations=(*laid_out.migrations, Migration(4, "thing it is", rename={"key": "thing"})),
    )
    return [first, grown, renamed, dropped, laid_out, last]


@pytest.mark.parametrize("start", range(6))
def test_a_reader_sees_a_table_as_it_will_be_once_it_is_migrated(lake, start):
    """Whoever only reads changes nothing, and gets the rows and types that everybody gets afterwards."""
    catalog = open_catalog(lake)
    old, newest = _versions()[start], _versions()[-1]
    newest = replace(newest, name=old.name)
    table = ensure(catalog, old)
    append(table, write(lake, table, a_row(old)).files)
    metadata = load(catalog, old.name).metadata_location
    names = ", ".join(f'"{column.name}"' for column in newest.columns)
    with duck_of(lake, iceberg=True) as con:
        attach(con, catalog, [old.name], [newest])
        before = con.sql(f"SELECT {names} FROM {old.name}")
        seen = (before.columns, before.types, before.fetchall())
        assert load(catalog, old.name).metadata_location == metadata
        ensure(catalog, newest)
        attach(con, catalog, [old.name])
        after = con.sql(f"SELECT {names} FROM {old.name}")
        assert seen == (after.columns, after.types, after.fetchall())


@pytest.mark.parametrize("start", range(6))
def test_from_every_version_to_the_newest(any_lake, start):
    """Whatever it has skipped, a table ends as one made today, one commit later, and keeps its rows."""
    versions = _versions()
    old, newest = versions[start], versions[-1]
    table = ensure(any_lake.catalog, old)
    append(table, write(any_lake.settings, table, a_row(old)).files)
    before = by_id(table)
    metadata = load(any_lake.catalog, old.name).metadata.metadata_log
    migrated = ensure(any_lake.catalog, newest)
    assert len(migrated.metadata.metadata_log) == len(metadata) + (start < 5)
    fresh = ensure(any_lake.catalog, replace(newest, name=a_contract().name))
    assert looks(migrated) == looks(fresh)
    assert docs(migrated) == docs(fresh)
    assert by_id(migrated) == [
        {number: value for number, value in row.items() if number != 4} for row in before
    ]
    # A second row, under the new spec, and both engines read the two.
    append(migrated, write(any_lake.settings, migrated, a_row(newest)).files)
    rows = [tuple(row.values()) for row in migrated.refresh().scan().to_arrow().to_pylist()]
    assert len(rows) == 2
    with duck_of(any_lake.settings, iceberg=True) as con:
        sql = scan_sql(load(any_lake.catalog, newest.name))
        assert sorted(con.execute(sql).fetchall(), key=str) == sorted(rows, key=str)
        assert con.execute(f"{sql} WHERE \"at\" > TIMESTAMPTZ '2026-02-01' AND thing = 'text'").fetchall()


def test_step_by_step_is_the_same(any_lake):
    """A table that saw every release ends as one that skipped them, and a repeat commits nothing."""
    versions = _versions()
    for version in versions:
        table = ensure(any_lake.catalog, version)
        append(table, write(any_lake.settings, table, a_row(version)).files)
    fresh = ensure(any_lake.catalog, replace(versions[-1], name=a_contract().name))
    table = ensure(any_lake.catalog, versions[-1])
    assert looks(table) == looks(fresh)
    assert len(by_id(table)) == 6
    before = load(any_lake.catalog, versions[-1].name).metadata_location
    for _ in range(2):
        ensure(any_lake.catalog, versions[-1])
    assert load(any_lake.catalog, versions[-1].name).metadata_location == before


def test_the_number_rises_in_the_commit_that_changes_the_table(any_lake, monkeypatch):
    """A program killed at any moment leaves a table that is either before a migration or after it."""
    versions = _versions()
    ensure(any_lake.catalog, versions[1])
    real, seen = type(any_lake.catalog).commit_table, []

    def commit_table(self, table, requirements, updates):
        seen.append(updates)
        return real(self, table, requirements, updates)

    monkeypatch.setattr(type(any_lake.catalog), "commit_table", commit_table)
    ensure(any_lake.catalog, versions[-1])
    assert len(seen) == 1
    assert any(getattr(update, "updates", {}).get(shape.NUMBER) == "4" for update in seen[0])


def test_programs_of_all_versions_at_once(any_lake):
    """Whoever comes when: the table ends at the newest, none fails, and every row is there."""
    versions = _versions()

    def work(number, barrier):
        barrier.wait(30)
        for _ in range(2):
            version = versions[number]
            table = ensure(any_lake.catalog, version)
            append(table, write(any_lake.settings, table, a_row(version)).files)

    ensure(any_lake.catalog, versions[0])
    in_threads(len(versions), work)
    table = ensure(any_lake.catalog, versions[-1])
    assert looks(table) == looks(ensure(any_lake.catalog, replace(versions[-1], name=a_contract().name)))
    rows = by_id(table)
    assert len(rows) == 12
    assert {row[1] for row in rows} == {"text"}
    assert {row[2] for row in rows} <= {2**31 - 1, 2**63 - 1}


# --- what no migration may do


def _changed(**more):
    return replace(a_contract(), **more)


@pytest.mark.parametrize(
    "wrong",
    [
        (Migration(2, "out of order"),),
        (Migration(1, "twice"), Migration(1, "twice")),
        (Migration(1, "to nothing", rename={"old": "nothing"}),),
        (Migration(1, "one", drop={"a": 1}), Migration(2, "again", drop={"b": 1})),
        (Migration(1, "none", drop={"a": 0}),),
    ],
    ids=["gap", "same number", "unknown target", "dropped twice", "no id"],
)
def test_migrations_that_contradict_themselves_are_refused(wrong):
    """When they are written, not when they run."""
    with pytest.raises(ValueError, match=r"raw\.t"):
        _changed(migrations=wrong)


def test_a_drop_that_names_another_columns_id_is_refused(any_lake):
    """The id is counted by a person: dropping the wrong column would hide its values from everybody."""
    table = any_lake.writer()
    changed = replace(
        any_lake.contract,
        columns=any_lake.contract.columns[:1],
        migrations=(Migration(1, "n is not needed", drop={"n": 1}),),
    )
    with pytest.raises(Terminal, match="drops n as field id 1, which is file"):
        ensure(any_lake.catalog, changed)
    assert looks(any_lake.writer()) == looks(table)


def test_a_column_that_partitions_files_stays(any_lake):
    """Its values stand in the manifests, which nobody could read without it."""
    contract = a_contract(partition=partitions("identity(n)"))
    ensure(any_lake.catalog, contract)
    changed = replace(
        contract,
        columns=contract.columns[:1],
        partition=(),
        migrations=(Migration(1, "n is not needed", drop={"n": 2}),),
    )
    with pytest.raises(Terminal, match="partitioned by it"):
        ensure(any_lake.catalog, changed)


def test_a_place_that_was_dropped_is_not_taken_again(any_lake):
    """An id means one column for ever: old files have the dropped one's values under it."""
    contract = any_lake.contract
    any_lake.writer()
    without = replace(
        contract, columns=contract.columns[:1], migrations=(Migration(1, "no n", drop={"n": 2}),)
    )
    assert [field.field_id for field in ensure(any_lake.catalog, without).schema().fields] == [1]
    more = replace(without, columns=(*without.columns, Column("m", "string", "M")))
    assert [field.field_id for field in ensure(any_lake.catalog, more).schema().fields] == [1, 3]
    forgot = replace(contract, migrations=(Migration(1, "the drop was taken out"),))
    with pytest.raises(Terminal, match="which the table has had and dropped"):
        ensure(any_lake.catalog, forgot)
