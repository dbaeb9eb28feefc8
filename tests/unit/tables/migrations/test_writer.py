"""A table as a writer sees it whose contract is older: its own columns, under its own names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lakehouse.errors import Terminal
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.contract import Migration, columns, partitions
from lakehouse.tables.migrations.writer import for_writer
from tests.support.lakes import a_contract

OLD = columns(("a", "string", "A"), ("b", "long", "B"))


def names(table):
    return [field.name for field in table.schema().fields]


def test_a_newer_table_is_shown_with_the_writers_columns(lake):
    """Renamed ones under the old name, added ones not at all; a sort order by others is none."""
    catalog = open_catalog(lake)
    old = a_contract(columns=OLD)
    ensure(catalog, old)
    newer = replace(
        old,
        columns=columns(("x", "string", "A"), ("b", "long", "B"), ("c", "long", "C")),
        sort=("c",),
        migrations=(Migration(1, "why", rename={"a": "x"}),),
    )
    table = ensure(catalog, newer)
    assert names(table) == ["x", "b", "c"]
    seen = for_writer(catalog.load_table(old.name), old)
    assert names(seen) == ["a", "b"]
    assert seen.sort_order().fields == []
    assert names(seen.refresh()) == ["a", "b"]
    same = for_writer(catalog.load_table(old.name), newer)
    assert (names(same), len(same.sort_order().fields)) == (["x", "b", "c"], 1)


def test_a_writer_stays_with_a_partition_spec_that_it_knows(lake):
    """The newest one of its own columns; where there is none it cannot write."""
    catalog = open_catalog(lake)
    old = a_contract(columns=OLD)
    ensure(catalog, old)
    newer = replace(
        old, columns=(*OLD, *columns(("c", "long", "C"))), partition=partitions("identity(c)"),
        migrations=(Migration(1, "why"),),
    )  # fmt: skip
    table = ensure(catalog, newer)
    seen = for_writer(catalog.load_table(old.name), old)
    assert (len(table.spec().fields), len(seen.spec().fields)) == (1, 0)
    parted = a_contract(columns=newer.columns, partition=newer.partition)
    ensure(catalog, parted)
    with pytest.raises(Terminal, match="partitioned by columns that this program does not know"):
        for_writer(catalog.load_table(parted.name), replace(parted, columns=OLD, partition=()))
