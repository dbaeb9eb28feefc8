"""Exactly-once commits: one suite over SQLite and the REST catalog, of writers that race, retry and lose answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table.snapshots import Operation, Summary
from pyiceberg.table.update.snapshot import _FastAppendFiles, _OverwriteFiles

from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables import commit
from lakehouse.tables.catalog import load
from lakehouse.tables.commit import AlreadyCommittedError, append, carried, head
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import (
    Lake,
    a_record,
    duck_of,
    each_once,
    files_sql,
    in_processes,
    race_files,
    rows_of,
    write,
)

if TYPE_CHECKING:
    from pyiceberg.table import Table

pytestmark = pytest.mark.stack


def test_racing_processes_load_each_file_once(any_lake):
    """Four processes load the same ten files, in different order: each row is there once.

    On SQLite they make the table at once, too; SeaweedFS could not, and there they find it made.
    """
    if any_lake.settings.catalog == "rest":
        any_lake.writer()
    names = [f"file{n}" for n in range(10)]
    in_processes(4, race_files, any_lake.settings, any_lake.contract, names)
    assert any_lake.rows == each_once(names)


@pytest.mark.parametrize("before", [(), ("z",)], ids=["empty", "filled"])
def test_the_guard_stands_inside_the_retry(any_lake, before, quick_retries):
    """A writer that planned before another one committed the same file finds that out at its retry."""
    if before:
        any_lake.load(any_lake.writer(), *before)
    slow, quick = any_lake.writer(), any_lake.writer()
    any_lake.load(quick, "a")
    any_lake.load(quick, "b")
    with pytest.raises(AlreadyCommittedError, match=r"^1 of the ids") as refused:
        any_lake.load(slow, "a", "c")
    assert refused.value.ids == {"a"}
    assert any_lake.rows == each_once([*before, "a", "b"])


def test_writers_of_different_files_both_succeed(any_lake, quick_retries):
    """The guard refuses what is there already and nothing else."""
    slow, quick = any_lake.writer(), any_lake.writer()
    any_lake.load(quick, "a")
    any_lake.load(slow, "b")
    assert any_lake.rows == each_once(["a", "b"])


@pytest.mark.parametrize("before", [(), ("z",)], ids=["empty", "filled"])
def test_a_change_that_brought_no_rows_is_no_conflict(any_lake, before, monkeypatch, quick_retries):
    """A property of the table came in between: neither an append nor a replacement has to be planned again."""
    if before:
        any_lake.load(any_lake.writer(), *before)
    table = any_lake.writer()
    real, refused = table.catalog.commit_table, []

    def come_second(*arguments):
        if not refused:
            refused.append("the metadata has changed")
            any_lake.writer().transaction().set_properties({"comment": "a"}).commit_transaction()
            raise CommitFailedException(refused[0])
        return real(*arguments)

    monkeypatch.setattr(table.catalog, "commit_table", come_second)
    appended = any_lake.load(table, "a", exclusive=True).snapshot_id
    assert any_lake.rows == each_once([*before, "a"])
    new = write(any_lake.settings, table, files_sql(["new"]))
    refused.clear()
    replace_all(table, new.files, computed_from={}, base=appended)
    assert any_lake.rows == each_once(["new"])
    assert refused


def test_what_is_in_the_table_is_refused_before_any_commit(any_lake):
    """A file of long ago is found in the summaries, or in the ledger where these no longer reach."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    any_lake.load(table, "b")
    with pytest.raises(AlreadyCommittedError):
        any_lake.load(any_lake.writer(), "a")
    asked = []
    with pytest.raises(AlreadyCommittedError) as refused:
        any_lake.load(any_lake.writer(), "c", "d", already=lambda ids: asked.append(ids) or {"d", "x"})
    assert (refused.value.ids, asked) == ({"d"}, [{"c", "d"}])
    assert any_lake.rows == each_once(["a", "b"])


def test_a_file_without_rows_is_in_the_table_too(any_lake):
    """A file whose rows are all bad leaves its id: it is not read again. A commit of nothing names nothing."""
    table = any_lake.writer()
    append(table, [], records=[a_record("bad", 0)], carries=["note"])
    assert carried(any_lake.writer().current_snapshot()) == {"bad", "note"}
    append(table, [])
    nothing = any_lake.writer().current_snapshot().summary.additional_properties
    assert not {commit.FILES, commit.CARRIES} & set(nothing)
    for again in ({"records": [a_record("bad", 0)]}, {"carries": ["note"]}):
        with pytest.raises(AlreadyCommittedError):
            append(any_lake.writer(), [], **again)
    assert any_lake.rows == []


@pytest.mark.parametrize("before", [(), ("z",)], ids=["empty", "filled"])
def test_an_expired_link_in_the_chain_is_a_conflict(any_lake, before, quick_retries):
    """Where expiry has cut the way back to the base, nobody knows what was committed: plan again."""
    if before:
        any_lake.load(any_lake.writer(), *before)
    slow, quick = any_lake.writer(), any_lake.writer()
    first = any_lake.load(quick, "a").snapshot_id
    any_lake.load(quick, "b")
    any_lake.load(quick, "c")
    quick.maintenance.expire_snapshots().by_ids([first]).commit()
    with pytest.raises(CommitConflict, match="snapshots were expired"):
        any_lake.load(slow, "a")
    assert any_lake.rows == each_once([*before, "a", "b", "c"])


# --- answers that get lost


def test_a_commit_whose_answer_was_lost_counts(any_lake, monkeypatch):
    """The catalog commits and the connection breaks: the rows are there, and nothing of theirs is deleted."""
    table = any_lake.writer()
    real = table.catalog.commit_table

    def commit_and_break(*arguments):
        real(*arguments)
        raise ConnectionError("the answer is lost")

    with monkeypatch.context() as broken:
        broken.setattr(table.catalog, "commit_table", commit_and_break)
        committed = any_lake.load(table, "a")
    assert any_lake.rows == each_once(["a"])
    head_now = any_lake.writer().current_snapshot().snapshot_id
    assert committed == commit.Committed(".".join(table.name()), head_now)


@pytest.mark.parametrize("retries", [0, 3])
def test_a_commit_that_is_refused_because_it_took_effect_counts(any_lake, monkeypatch, retries):
    """Below us a client that heard nothing asks again, and is refused by its own first attempt; also at the last."""
    any_lake.writer().transaction().set_properties(
        {"commit.retry.num-retries": str(retries)}
    ).commit_transaction()
    table = any_lake.writer()
    real = table.catalog.commit_table

    def commit_and_refuse(*arguments):
        real(*arguments)
        raise CommitFailedException("the table has changed")

    with monkeypatch.context() as broken:
        broken.setattr(table.catalog, "commit_table", commit_and_refuse)
        committed = any_lake.load(table, "a")
    assert any_lake.rows == each_once(["a"])
    assert committed.snapshot_id == any_lake.writer().current_snapshot().snapshot_id


def test_a_replacement_whose_answer_was_lost_counts(any_lake, monkeypatch):
    """The same for a model's table."""
    table = any_lake.writer()
    real = table.catalog.commit_table

    def commit_and_break(*arguments):
        real(*arguments)
        raise ConnectionError("the answer is lost")

    written = write(any_lake.settings, table, files_sql(["a"]))
    with monkeypatch.context() as broken:
        broken.setattr(table.catalog, "commit_table", commit_and_break)
        replace_all(table, written.files, computed_from={"x": "1"}, base=None)
    assert any_lake.rows == each_once(["a"])


def test_a_commit_that_never_arrived_is_tried_again(any_lake, monkeypatch):
    """The catalog does not answer and has not committed: Transient, and nothing is in the table."""
    table = any_lake.writer()
    name = ".".join(table.name())

    def break_off(*_):
        raise ConnectionError("no answer")

    with monkeypatch.context() as broken:
        broken.setattr(table.catalog, "commit_table", break_off)
        with pytest.raises(Transient, match=f"^{name}: .* is not in the table") as told:
            any_lake.load(table, "a")
        assert not isinstance(told.value, CommitConflict)
        broken.setattr(table.catalog, "load_table", break_off)  # nor can it be asked afterwards
        with pytest.raises(Transient, match=f"^{name}: .* does not answer"):
            any_lake.load(table, "a")
    assert any_lake.rows == []
    any_lake.load(any_lake.writer(), "a")
    assert any_lake.rows == each_once(["a"])


# --- writers that compared themselves with the rows


def test_an_exclusive_append_refuses_rows_it_has_not_seen(any_lake, quick_retries):
    """A batch that looked for duplicates must look again after another batch has added rows."""
    slow, quick = any_lake.writer(), any_lake.writer()
    any_lake.load(quick, "a", exclusive=True)
    with pytest.raises(CommitConflict, match=f"^{'.'.join(slow.name())}: rows were added"):
        any_lake.load(slow, "b", exclusive=True)
    any_lake.load(any_lake.writer(), "b", exclusive=True)
    assert any_lake.rows == each_once(["a", "b"])


def test_an_exclusive_append_refuses_a_single_row(any_lake, quick_retries):
    """It may be the same message."""
    slow, quick = any_lake.writer(), any_lake.writer()
    append(quick, write(any_lake.settings, quick, "SELECT 'a' AS file, 1 AS n").files)
    with pytest.raises(CommitConflict):
        any_lake.load(slow, "b", exclusive=True)
    assert any_lake.rows == [("a", 1)]


def test_an_exclusive_append_goes_past_commits_without_new_rows(any_lake, quick_retries):
    """Rewritten files and files without good rows are no reason to look again."""
    any_lake.load(any_lake.writer(), "a")
    slow, quick = any_lake.writer(), any_lake.writer()
    append(quick, [], records=[a_record("bad", 0)])
    _rewrite(any_lake, quick)
    any_lake.load(slow, "b", exclusive=True)
    assert any_lake.rows == each_once(["a", "b"])


def test_of_two_replacements_the_second_is_refused(any_lake, quick_retries):
    """A model computed from older inputs must not overwrite what is newer, found out early or at the retry."""
    slow, quick, late = any_lake.writer(), any_lake.writer(), any_lake.writer()
    new = write(any_lake.settings, quick, files_sql(["new"]))
    old = write(any_lake.settings, slow, files_sql(["old"]))
    replace_all(quick, new.files, computed_from={"in": "2"}, base=None)
    with pytest.raises(CommitConflict, match="has changed since"):
        replace_all(slow, old.files, computed_from={"in": "1"}, base=None)
    with pytest.raises(CommitConflict, match=f"^{'.'.join(late.name())} was written by another"):
        replace_all(late.refresh(), old.files, computed_from={"in": "1"}, base=None)
    assert any_lake.rows == each_once(["new"])
    assert commit.inputs(any_lake.writer()) == {"in": "2"}


def test_rows_that_nothing_was_computed_from(any_lake):
    """A table that was never filled, or filled by appends, names no inputs."""
    table = any_lake.writer()
    assert commit.inputs(table) == {}
    any_lake.load(table, "a")
    assert commit.inputs(any_lake.writer()) == {}


def test_a_replacement_replaces_everything(any_lake):
    """What the table held before is gone from its current snapshot, and stays readable in the one before."""
    table = any_lake.writer()
    before = any_lake.load(table, "a", "b").snapshot_id
    new = write(any_lake.settings, table, files_sql(["c"]))
    replace_all(table, new.files, computed_from={"in": "1"}, base=before)
    assert any_lake.rows == each_once(["c"])
    assert table.scan(snapshot_id=before).to_arrow().num_rows == 10
    with duck_of(any_lake.settings, iceberg=True) as con:
        seen = con.execute(f"SELECT count(*) FROM iceberg_scan('{table.refresh().metadata_location}')")
        assert seen.fetchone() == (5,)


def test_rewriting_files_does_not_move_the_head(any_lake):
    """Stages compare heads: a rewrite, which changes no row, must not wake them."""
    assert head(None) == ""
    table = any_lake.writer()
    assert head(table) == ""
    snapshot = any_lake.load(table, "a").snapshot_id
    assert head(any_lake.writer()) == str(snapshot)
    _rewrite(any_lake, table)
    assert any_lake.writer().current_snapshot().snapshot_id != snapshot
    assert head(any_lake.writer()) == str(snapshot)
    later = any_lake.load(any_lake.writer(), "b").snapshot_id
    assert head(any_lake.writer()) == str(later)


class _Rewriting(_OverwriteFiles):
    """A producer of `replace` snapshots, which pyiceberg only reads."""

    def _summary(self, snapshot_properties):
        summary = super()._summary(snapshot_properties)
        return Summary(operation=Operation.REPLACE, **summary.additional_properties)


def _rewrite(lake: Lake, table: Table) -> None:
    """Replace the table's files by others with the same rows, as compaction does."""
    rows = ", ".join(f"('{file}', {n})" for file, n in rows_of(table))
    new = write(lake.settings, table, f"SELECT * FROM (VALUES {rows}) AS v(file, n)")
    producer = _Rewriting(
        operation=Operation.OVERWRITE,
        transaction=table.transaction(),
        io=table.io,
        snapshot_properties={commit.HEAD: head(table)},
    )
    for file in commit.live_files(table):
        producer.delete_data_file(file)
    for file in new.files:
        producer.append_data_file(file)
    producer.commit()
    producer._transaction.commit_transaction()


def test_an_append_by_others_carries_nothing_of_ours(any_lake):
    """Snapshots of other writers (Spark, a plain append) have no ids, and do no harm."""
    table = any_lake.writer()
    other = _FastAppendFiles(operation=Operation.APPEND, transaction=table.transaction(), io=table.io)
    other.commit()
    other._transaction.commit_transaction()
    assert carried(any_lake.writer().current_snapshot()) == set()
    any_lake.load(any_lake.writer(), "a")
    summary = any_lake.writer().current_snapshot().summary.additional_properties
    assert json.loads(summary[commit.FILES])[0]["file_id"] == "a"
    assert load(any_lake.catalog, "raw.nothing") is None
