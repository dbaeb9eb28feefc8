"""What is observed of a table: its live files in sort order, its manifests, the size that files should have."""

from __future__ import annotations

import pytest

from lakehouse.errors import Terminal
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.maintenance.observe import observe
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from tests.support.lakes import a_contract, write

POLICY = MaintenancePolicy(target_file_bytes=7)


def test_an_empty_table_has_nothing(lake):
    """No snapshot, no file, no manifest."""
    observed = observe(ensure(open_catalog(lake), a_contract()), POLICY)
    assert (observed.files, observed.manifests, observed.snapshots) == ((), (), 0)
    assert observed.target_file_bytes == 7


def test_files_are_ordered_by_where_they_begin(lake):
    """By the lower bound of the first sort column; files without one come first."""
    table = ensure(open_catalog(lake), a_contract(sort=("n",)))
    for first in ("20", "3", "NULL"):
        append(table, write(lake, table, f"SELECT 'a' AS file, {first}::BIGINT AS n").files)
    observed = observe(table, POLICY)
    keys = sorted(live.sort_key for live in observed.files)
    assert keys[0][0] == 0
    assert keys[1:] == [(1, 3), (1, 20)]
    assert (len(observed.manifests), observed.snapshots) == (3, 3)


@pytest.mark.parametrize("size", ["big", "0", "-1", ""])
def test_a_target_that_is_no_size_is_refused(lake, size):
    """It names the property and the table."""
    table = ensure(open_catalog(lake), a_contract(properties={"write.target-file-size-bytes": size}))
    with pytest.raises(Terminal, match=f"{size!r}, not a number of bytes"):
        observe(table, POLICY)


def test_a_table_may_say_its_own_target(lake):
    """In Iceberg's property, before the policy."""
    table = ensure(open_catalog(lake), a_contract(properties={"write.target-file-size-bytes": "123"}))
    assert observe(table, POLICY).target_file_bytes == 123
