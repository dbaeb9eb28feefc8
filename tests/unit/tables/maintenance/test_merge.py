"""Small manifests are merged when they are many."""

from __future__ import annotations

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.maintenance.merge import merge_manifests
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.support.lakes import a_contract, each_once, load_files, rows_of


def test_manifests_are_merged_once_they_are_too_many(lake):
    """Those that were merged are returned; a second look finds nothing to do, and the rows stay."""
    table = ensure(open_catalog(lake), a_contract())
    policy = MaintenancePolicy(max_small_manifests=3)
    assert merge_manifests(table, policy).manifests == ()
    for number in range(4):
        assert merge_manifests(table, policy).manifests == ()
        load_files(lake, table, f"f{number}")
    assert len(merge_manifests(table, policy).manifests) == 4
    assert len(table.refresh().current_snapshot().manifests(table.io)) == 1
    assert merge_manifests(table, policy).manifests == ()
    assert rows_of(table) == each_once([f"f{number}" for number in range(4)])
