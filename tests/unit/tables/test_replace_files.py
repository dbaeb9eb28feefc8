"""Which manifests are small, and what a replacement refuses; tests/contract/test_replace.py runs it beside writers."""

from __future__ import annotations

import pytest
from pyiceberg.manifest import ManifestFile

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import head, live_files
from lakehouse.tables.policy import ManifestPolicy
from lakehouse.tables.replace_files import replace_files, replace_manifests, small_manifests
from tests.support.lakes import a_contract, each_once, files_sql, load_files, rows_of, write


def manifest(length):
    return ManifestFile.from_args(manifest_path=f"m{length}", manifest_length=length)


def test_a_manifest_is_small_below_half_of_the_target():
    """The target is Iceberg's default, or the caller's."""
    half = ManifestPolicy.target_bytes // 2
    manifests = [manifest(length) for length in (1, half - 1, half)]
    assert small_manifests(manifests) == manifests[:2]
    assert small_manifests(manifests, target=3) == []
    assert small_manifests([], target=3) == []


def test_files_become_others_with_the_same_rows(lake):
    """In one commit that does not move the head; other numbers of rows are refused."""
    table = ensure(open_catalog(lake), a_contract())
    load_files(lake, table, "a")
    load_files(lake, table, "b")
    before = head(table)
    with pytest.raises(ValueError, match="10 rows would be replaced by 5"):
        replace_files(table, live_files(table), write(lake, table, files_sql(["a"])).files, same_rows=True)
    replace_files(table, live_files(table), write(lake, table, files_sql(["a", "b"])).files, same_rows=True)
    assert len(live_files(table)) == 1
    assert rows_of(table) == each_once(["a", "b"])
    assert head(table) == before


def test_merged_manifests_keep_the_target_size(lake):
    """Several where one would be larger than that; the rows stay."""
    table = ensure(open_catalog(lake), a_contract())
    for number in range(6):
        load_files(lake, table, f"f{number}")
    one = table.current_snapshot().manifests(table.io)[0].manifest_length
    replace_manifests(table, target=one * 7 // 2)
    manifests = table.current_snapshot().manifests(table.io)
    assert [each.existing_files_count for each in manifests] == [3, 3]
    assert rows_of(table) == each_once([f"f{number}" for number in range(6)])
