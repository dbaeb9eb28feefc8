"""What a commit carries, and how its summary is read; tests/contract/test_exactly_once.py says that it comes once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pyiceberg.table.snapshots import Operation, Snapshot, Summary

from lakehouse.tables import commit
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import (
    FILES,
    AlreadyCommittedError,
    append,
    as_record,
    carried,
    file_records,
    head_of,
)
from tests.support.lakes import a_contract, a_record


@pytest.fixture
def catalog(lake):
    return open_catalog(lake)


@pytest.fixture
def table(catalog):
    return ensure(catalog, a_contract())


def test_a_replay_is_another_commit_of_the_same_file(table):
    """Its number distinguishes it from the first load, and from another replay with the same number."""
    append(table, [], records=[a_record("a", 0)])
    append(table, [], records=[replace(a_record("a", 0), replay=1)])
    for number, ids in ((0, {"a"}), (1, {"a/1"})):
        with pytest.raises(AlreadyCommittedError) as refused:
            append(table, [], records=[replace(a_record("a", 0), replay=number)])
        assert refused.value.ids == ids


def test_two_replays_with_one_number_meet_in_the_guard(catalog, table):
    """Also when both began before either was there."""
    stale = catalog.load_table(table.name())
    append(table, [], records=[replace(a_record("a", 0), replay=1)])
    with pytest.raises(AlreadyCommittedError):
        append(stale, [], records=[replace(a_record("a", 0), replay=1)])


def test_records_of_all_versions_read(table):
    """Old ones say nothing of replays, later ones may say more."""
    append(table, [], records=[a_record("a", 0)])
    snapshot = table.refresh().current_snapshot()
    row = json.loads(snapshot.summary.additional_properties[FILES])[0]
    old = {name: value for name, value in row.items() if name not in ("replay", "set_aside")}
    assert as_record(old) == as_record(row | {"later": 1}) == file_records(snapshot)[0] == a_record("a", 0)
    assert a_record("a").id == "a"
    assert replace(a_record("a"), replay=3).id == "a/3"


def test_a_snapshot_without_a_summary_carries_nothing():
    """Iceberg lets writers leave it out."""
    snapshot = Snapshot(snapshot_id=7, manifest_list="m")
    assert snapshot.summary is None
    assert carried(snapshot) == set()
    assert head_of(snapshot) == "7"


@pytest.mark.parametrize(
    ("received", "loaded", "duplicates", "quarantined", "balanced"),
    [(0, 0, 0, 0, True), (6, 3, 2, 1, True), (6, 3, 2, 0, False), (5, 3, 2, 1, False)],
)
def test_a_record_says_whether_a_row_went_missing(received, loaded, duplicates, quarantined, balanced):
    """Each row is loaded, a duplicate, or in quarantine."""
    record = replace(
        a_record("a"), received=received, loaded=loaded, duplicates=duplicates, quarantined=quarantined
    )
    assert record.balanced is balanced


def test_the_head_of_a_rewrite_is_that_of_the_rows(table):
    """What the rows were computed from is passed on with it; a table without snapshots has neither."""
    assert (commit.head(table), commit.head(None), commit.inputs(table)) == ("", "", {})
    summary = Summary(Operation.APPEND, **{commit.INPUTS: '{"raw.x": "7"}'})
    computed = Snapshot(snapshot_id=7, manifest_list="m", summary=summary)
    passed_on = commit.same_rows_as(computed)
    assert passed_on == {commit.HEAD: "7", commit.INPUTS: '{"raw.x": "7"}'}
    rewritten = Snapshot(snapshot_id=8, manifest_list="m", summary=Summary(Operation.REPLACE, **passed_on))
    assert commit.same_rows_as(rewritten) == passed_on
    assert commit.same_rows_as(Snapshot(snapshot_id=9, manifest_list="m")) == {commit.HEAD: "9"}


def test_a_commit_carries_ids_of_files_and_others(table):
    """An append without data files still commits them; the table then knows all of them."""
    append(table, [], records=[a_record("a", 0)], carries=["x"])
    snapshot = table.refresh().current_snapshot()
    assert carried(snapshot) == {"a", "x"}
    assert [record.file_id for record in file_records(snapshot)] == ["a"]
    with pytest.raises(AlreadyCommittedError) as refused:
        append(table, [], carries=["x", "y"])
    assert refused.value.ids == {"x"}
