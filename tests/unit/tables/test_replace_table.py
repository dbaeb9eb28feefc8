"""What a replacement leaves of what it replaces; tests/contract/test_replace.py runs it over every catalog."""

from __future__ import annotations

import pytest

from lakehouse.errors import CommitConflict
from lakehouse.tables import commit
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.replace_table import note_inputs, replace_all
from tests.support.lakes import a_contract, each_once, files_sql, load_files, rows_of, write


@pytest.fixture
def table(lake):
    return ensure(open_catalog(lake), a_contract())


def head_id(table):
    snapshot = table.refresh().current_snapshot()
    return snapshot.snapshot_id if snapshot else None


def replaced(lake, table, *names, content=""):
    """Replace the table's rows by those of some files."""
    files = write(lake, table, files_sql(names)).files
    return replace_all(table, files, computed_from={"in": "1"}, base=head_id(table), content=content)


def test_new_inputs_of_the_same_rows_move_no_head(lake, table):
    """No file is written or removed; what is noted stays noted."""
    replaced(lake, table, "a", content="d")
    head, files = commit.head(table), commit.live_files(table)
    note_inputs(table, computed_from={"in": "2"}, base=head_id(table))
    assert (commit.head(table), commit.inputs(table), commit.content(table)) == (head, {"in": "2"}, "d")
    assert commit.live_files(table) == files
    assert rows_of(table) == each_once(["a"])
    totals = table.current_snapshot().summary
    assert (totals["total-records"], totals["total-data-files"]) == ("5", "1")


def test_who_comes_second_looks_again(lake, table):
    """Also with nothing but news of the inputs."""
    replaced(lake, table, "a", content="d")
    base = head_id(table)
    load_files(lake, table, "b")
    with pytest.raises(CommitConflict, match="another run"):
        note_inputs(table, computed_from={"in": "2"}, base=base)
    assert commit.inputs(table) == {}
    assert commit.content(table) == ""


def test_no_dead_manifest_is_kept(lake, table):
    """Twenty replacements leave two manifests: the one of the rows, and the one that says what went last."""
    for number in range(20):
        replaced(lake, table, f"f{number}")
    manifests = table.current_snapshot().manifests(table.io)
    assert [(each.added_files_count, each.deleted_files_count) for each in manifests] == [(1, 0), (0, 1)]
    assert manifests[1].added_snapshot_id == table.current_snapshot().snapshot_id
    note_inputs(table, computed_from={"in": "2"}, base=head_id(table))
    assert len(table.current_snapshot().manifests(table.io)) == 1
    assert rows_of(table) == each_once(["f19"])


def test_a_table_that_was_rolled_back_names_the_inputs_of_what_it_holds(lake, table):
    """Its watermark goes back with its rows, so that the next look computes it again."""
    first = replaced(lake, table, "a").snapshot_id
    files = write(lake, table, files_sql(["b"])).files
    replace_all(table, files, computed_from={"in": "2"}, base=head_id(table))
    table.manage_snapshots().set_current_snapshot(snapshot_id=first).commit()
    assert (commit.inputs(table.refresh()), rows_of(table)) == ({"in": "1"}, each_once(["a"]))
