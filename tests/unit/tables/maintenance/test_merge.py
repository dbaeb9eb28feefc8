"""Small manifests are merged when they are many."""

from __future__ import annotations

from pyiceberg.manifest import DataFile

from lakehouse.tables import commit
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.maintenance.merge import merge_manifests
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.support.lakes import a_contract, each_once, files_sql, load_files, rows_of, write


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


def test_claims_of_a_sort_order_are_taken_out(lake):
    """Files of older releases claim to be sorted and are not: their manifests are written anew, and no row moves."""
    table = ensure(open_catalog(lake), a_contract(sort=("n",)))
    load_files(lake, table, "a")
    [file] = write(lake, table, files_sql(["b"])).files
    said = [file[position] for position in range(len(file))]
    claiming = DataFile(*said[:-1], 1)
    claiming.spec_id = 0
    append(table, [claiming])
    assert [each.sort_order_id for each in live_files(table)] == [1, None]
    head, before = commit.head(table), table.current_snapshot().manifests(table.io)
    assert merge_manifests(table, MaintenancePolicy()).claims == 1
    assert [each.sort_order_id for each in live_files(table.refresh())] == [None, None]
    assert {each.file_path for each in live_files(table)} >= {file.file_path}
    after = table.current_snapshot().manifests(table.io)
    assert {each.manifest_path for each in after} & {each.manifest_path for each in before} == {
        before[1].manifest_path
    }
    assert (commit.head(table), rows_of(table)) == (head, each_once(["a", "b"]))
    by_name = {entry.data_file.file_path: entry.data_file for entry in commit.live_entries(table)}
    assert by_name[file.file_path].lower_bounds == file.lower_bounds
    assert merge_manifests(table, MaintenancePolicy()).claims == 0
