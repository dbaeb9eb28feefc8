"""Every catalog makes the tables that contracts describe, by configuration alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse import aws
from lakehouse.errors import Terminal
from lakehouse.settings import Settings
from lakehouse.tables.catalog import ensure, open_catalog, table_names
from lakehouse.tables.commit import AlreadyCommittedError, append
from lakehouse.tables.contract import columns, partitions
from lakehouse.tables.views import attach
from tests.support import cloud as clouds
from tests.support.lakes import (
    Lake,
    a_contract,
    duck_of,
    each_once,
    fresh_catalog,
    in_threads,
    rows_of,
    write,
)

pytestmark = pytest.mark.stack


# --- making tables


def test_threads_that_make_a_table_at_once_get_one(any_lake):
    """Callers that make a table in the same moment get the same one, whether they share a catalog or not."""

    def make(number, barrier):
        catalog = any_lake.catalog if number % 2 else fresh_catalog(any_lake.settings)
        barrier.wait(30)
        return str(ensure(catalog, any_lake.contract).metadata.table_uuid)

    assert len(set(in_threads(8, make))) == 1
    assert any_lake.contract.name in table_names(any_lake.catalog)


def test_a_catalog_may_be_opened_by_many_at_once(lake):
    """SQLite's own tables are made by whoever opens the file first; the others find them."""
    for number in range(4):
        new = lake.model_copy(update={"catalog_uri": f"{lake.catalog_uri}.{number}"})

        def open_and_look(_, barrier, settings=new):
            barrier.wait(30)
            return table_names(fresh_catalog(settings))

        assert in_threads(6, open_and_look) == [[]] * 6


def test_a_table_is_what_its_contract_says(any_lake):
    """Field ids, types, partition, sort and the metrics that keep personal data out come from the contract."""
    contract = a_contract(
        columns=columns(
            ("id", "string", "Id"),
            ("email", "string", "E-mail", "pii"),
            ("amount", "decimal(12,2)", "Amount"),
            ("at", "timestamptz", "When"),
        ),
        sort=("at", "id"),
    )
    table = ensure(any_lake.catalog, contract)
    assert [(f.field_id, f.name, str(f.field_type), f.doc) for f in table.schema().fields] == [
        (1, "id", "string", "Id"),
        (2, "email", "string", "E-mail"),
        (3, "amount", "decimal(12, 2)", "Amount"),
        (4, "at", "timestamptz", "When"),
    ]
    assert [field.source_id for field in table.sort_order().fields] == [4, 1]
    assert table.properties["write.metadata.metrics.column.email"] == "none"
    assert table.properties["commit.retry.num-retries"] == "20"
    assert table.metadata.format_version == 2


@pytest.mark.parametrize(
    "drifted",
    [
        columns(("n", "long", "Number"), ("file", "string", "File")),
        columns(("file", "string", "File"), ("n", "string", "Number")),
        columns(("file", "string", "File"), ("m", "long", "Number")),
    ],
    ids=["reordered", "retyped", "renamed"],
)
def test_a_contract_that_contradicts_its_table_is_refused(any_lake, drifted):
    """Nothing is written where contract and table disagree: the rows would land in wrong columns."""
    any_lake.writer()
    with pytest.raises(Terminal, match=any_lake.contract.name):
        ensure(any_lake.catalog, replace(any_lake.contract, columns=drifted))


def test_a_contract_grows_at_its_end(any_lake):
    """A column that is new at the contract's end is added to the table; older rows have null in it."""
    any_lake.load(any_lake.writer(), "a")
    more = (*any_lake.contract.columns, *columns(("note", "string", "Note", "pii")))
    grown = replace(any_lake.contract, columns=more)

    def grow(number, barrier):
        barrier.wait(30)
        return ensure(fresh_catalog(any_lake.settings), grown).schema().find_field("note").field_id

    assert set(in_threads(3, grow)) == {3}
    table = ensure(any_lake.catalog, grown)
    assert table.properties["write.metadata.metrics.column.note"] == "none"
    written = write(any_lake.settings, table, "SELECT 'b' AS file, 1 AS n, 'new' AS note")
    append(table, written.files)
    assert ("b", 1, "new") in rows_of(table)
    assert ("a", 0, None) in rows_of(table)


# --- Glue: moto's ignores who commits first, so only what one writer does is tested on it


def test_glue_is_configuration_alone(monkeypatch, tmp_path):
    """The same calls make, fill and read a table, and refuse a file that is there."""
    with clouds.cloud(monkeypatch):
        aws.s3().create_bucket(Bucket="t-lake")
        monkeypatch.setenv("LAKEHOUSE_CATALOG", "glue")
        monkeypatch.setenv("LAKEHOUSE_WAREHOUSE", "s3://t-lake/")
        monkeypatch.setenv("LAKEHOUSE_SCRATCH", str(tmp_path))
        settings = Settings()
        lake = Lake(settings, open_catalog(settings), a_contract(partition=partitions("identity(file)")))
        lake.load(lake.writer(), "a", "b")
        lake.load(lake.writer(), "c")
        assert lake.rows == each_once(["a", "b", "c"])
        with pytest.raises(AlreadyCommittedError):
            lake.load(lake.writer(), "b")
        with duck_of(settings, iceberg=True) as con:
            attach(con, lake.catalog)
            assert con.execute(f"SELECT count(*) FROM {lake.contract.name}").fetchone() == (15,)
        assert table_names(lake.catalog) == [lake.contract.name]
        with pytest.raises(Terminal):
            ensure(
                lake.catalog,
                replace(lake.contract, columns=columns(("n", "long", "N"), ("file", "string", "F"))),
            )
