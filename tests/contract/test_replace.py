"""Replacing files next to writers: over every catalog, no row is lost, none comes back, no watermark moves."""

from __future__ import annotations

import pytest
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.manifest import ManifestContent, ManifestFile
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation

from lakehouse.errors import CommitConflict, Terminal, Transient
from lakehouse.tables import commit, data_files
from lakehouse.tables.commit import append, file_records, live_files
from lakehouse.tables.replace_files import replace_files, replace_manifests
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import each_once, files_sql, in_threads, load_files, write

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _quick(quick_retries):
    """Waiting between attempts proves nothing."""


def rewritten(lake, table):
    """Return the table's live files, and one new file that holds their rows."""
    old = live_files(table)
    names = sorted({row["file"] for row in table.scan().to_arrow().to_pylist()})
    return old, write(lake.settings, table, files_sql(names)).files


def before_the_next_commit(monkeypatch, act):
    """Let `act` happen when the next commit of a replacement is ready and not yet at the catalog."""
    do_commit, acts = Table._do_commit, [act]

    def commit_late(table, *arguments, **named):
        if acts:
            acts.pop()()
        return do_commit(table, *arguments, **named)

    monkeypatch.setattr(Table, "_do_commit", commit_late)


def names_in(table):
    """Return the ids of the raw files that the summaries of live snapshots name."""
    return {record.file_id for snapshot in table.metadata.snapshots for record in file_records(snapshot)}


def test_rows_stay_and_the_head_too(any_lake):
    """A rewrite is a `replace` snapshot: other files, the same rows, nothing new for whoever watches the table."""
    table = any_lake.writer()
    for name in ("a", "b", "c"):
        any_lake.load(table, name)
    head = commit.head(table)
    old, new = rewritten(any_lake, table)
    committed = replace_files(table, old, new, same_rows=True)
    assert any_lake.rows == each_once(["a", "b", "c"])
    assert [file.file_path for file in live_files(table)] == [file.file_path for file in new]
    snapshot = any_lake.writer().current_snapshot()
    assert snapshot.snapshot_id == committed.snapshot_id
    assert snapshot.summary.operation == Operation.REPLACE
    assert snapshot.summary["total-records"] == "15"
    assert snapshot.summary["total-data-files"] == "1"
    assert commit.INPUTS not in snapshot.summary.additional_properties
    assert commit.head(any_lake.writer()) == head
    assert names_in(table) == {"a", "b", "c"}


def test_a_second_rewrite_keeps_the_head_as_well(any_lake):
    """The head goes from replacement to replacement, through manifests that are merged."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    any_lake.load(table, "b")
    head = commit.head(table)
    replace_files(table, *rewritten(any_lake, table), same_rows=True)
    replace_manifests(table)
    replace_files(table, *rewritten(any_lake, table), same_rows=True)
    assert commit.head(any_lake.writer()) == head
    assert any_lake.rows == each_once(["a", "b"])


def test_a_model_is_not_due_after_its_files_were_rewritten(any_lake):
    """What a model's rows were computed from is said by the replacement, too."""
    table = any_lake.writer()
    new = write(any_lake.settings, table, files_sql(["a"])).files
    replace_all(table, new, computed_from={"raw.x": "7"}, base=None)
    replace_files(table, *rewritten(any_lake, table), same_rows=True)
    assert commit.inputs(any_lake.writer()) == {"raw.x": "7"}


def test_rows_that_change_move_the_head(any_lake):
    """Without the promise of the same rows the snapshot is an overwrite, and whoever watches sees it."""
    table = any_lake.writer()
    any_lake.load(table, "a", "b")
    head, old = commit.head(table), live_files(table)
    new = write(any_lake.settings, table, files_sql(["b"])).files
    replace_files(table, old, new, same_rows=False)
    assert table.current_snapshot().summary.operation == Operation.OVERWRITE
    assert commit.head(table) != head
    assert any_lake.rows == each_once(["b"])
    replace_files(table, live_files(table), [], same_rows=False)
    assert any_lake.rows == []


def test_other_record_counts_are_refused(any_lake):
    """Files that hold fewer or more rows do not stand for the old ones; nothing is committed."""
    table = any_lake.writer()
    any_lake.load(table, "a", "b")
    new = write(any_lake.settings, table, files_sql(["a"])).files
    with pytest.raises(ValueError, match="10 rows would be replaced by 5"):
        replace_files(table, live_files(table), new, same_rows=True)
    with pytest.raises(ValueError, match="nothing"):
        replace_files(table, [], [], same_rows=True)
    assert len(any_lake.writer().metadata.snapshots) == 1


def test_what_is_appended_meanwhile_stays(any_lake, monkeypatch):
    """The attempt is built again from the new head; the head it carries is that of the new rows."""
    table, other = any_lake.writer(), any_lake.writer()
    any_lake.load(table, "a")
    any_lake.load(table, "b")
    old, new = rewritten(any_lake, table)
    before_the_next_commit(monkeypatch, lambda: any_lake.load(other, "c"))
    replace_files(table, old, new, same_rows=True)
    assert any_lake.rows == each_once(["a", "b", "c"])
    assert commit.head(any_lake.writer()) == str(other.current_snapshot().snapshot_id)
    assert names_in(table) == {"a", "b", "c"}
    assert table.current_snapshot().summary["total-records"] == "15"


def test_rows_that_went_meanwhile_do_not_come_back(any_lake, monkeypatch):
    """Another writer removes a file after the rewrite has read it: the rewrite is a lost race."""
    table, other = any_lake.writer(), any_lake.writer()
    any_lake.load(table, "a")
    any_lake.load(table, "b")
    old, new = rewritten(any_lake, table)

    def remove():
        gone = [file for file in live_files(other.refresh()) if file.file_path == old[0].file_path]
        replace_files(other, gone, [], same_rows=False)

    before_the_next_commit(monkeypatch, remove)
    with pytest.raises(CommitConflict, match="1 of 2 data files"):
        replace_files(table, old, new, same_rows=True)
    assert len(any_lake.rows) == 5
    data_files.discard(table, data_files.Written(new))
    assert len(any_lake.rows) == 5


def test_two_rewrites_of_one_file_are_one(any_lake, monkeypatch):
    """Both began with the same files: the second finds them gone, and its rows are not there twice."""
    table, other = any_lake.writer(), any_lake.writer()
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)
    others = write(any_lake.settings, table, files_sql(["a"])).files
    before_the_next_commit(monkeypatch, lambda: replace_files(other, old, others, same_rows=True))
    with pytest.raises(CommitConflict):
        replace_files(table, old, new, same_rows=True)
    assert any_lake.rows == each_once(["a"])
    with pytest.raises(CommitConflict):
        replace_files(table, old, new, same_rows=True)


def test_appends_beside_rewrites_lose_nothing(any_lake):
    """Three writers append while a fourth rewrites again and again: each row is there once, each id is known."""
    load_files(any_lake.settings, any_lake.writer(), "first")
    names = [f"{number}-{n}" for number in range(3) for n in range(6)]

    def work(number, barrier):
        table = any_lake.writer()
        barrier.wait(30)
        if number < 3:
            for n in range(6):
                any_lake.load(table, f"{number}-{n}")
            return 0
        done = 0
        for _ in range(5):
            table.refresh()
            replace_files(table, *rewritten(any_lake, table), same_rows=True)
            replace_manifests(table)
            done += 1
        return done

    assert in_threads(4, work)[3] == 5
    assert any_lake.rows == each_once([*names, "first"])
    table = any_lake.writer()
    assert names_in(table) == {*names, "first"}
    assert table.current_snapshot().summary["total-records"] == str(5 * 19)


def test_few_manifests_say_what_many_said(any_lake):
    """Data files keep the snapshot and the sequence number that brought them."""
    table = any_lake.writer()
    for n in range(6):
        any_lake.load(table, f"f{n}")

    def said():
        return {
            (entry.data_file.file_path, entry.snapshot_id, entry.sequence_number)
            for manifest in table.current_snapshot().manifests(table.io)
            for entry in manifest.fetch_manifest_entry(table.io)
        }

    before, head = said(), commit.head(table)
    replace_manifests(table)
    assert said() == before
    assert len(table.current_snapshot().manifests(table.io)) == 1
    assert commit.head(table) == head
    append(table, write(any_lake.settings, table, files_sql(["g"])).files)
    assert any_lake.rows == each_once([*(f"f{n}" for n in range(6)), "g"])


def test_manifests_are_cut_at_their_target(any_lake):
    """Many entries become several manifests of about the target size, none of them empty."""
    table = any_lake.writer()
    for n in range(6):
        any_lake.load(table, f"f{n}")
    one = table.current_snapshot().manifests(table.io)[0].manifest_length
    replace_manifests(table, target=one * 7 // 2)
    manifests = table.current_snapshot().manifests(table.io)
    assert [manifest.existing_files_count for manifest in manifests] == [3, 3]
    assert any_lake.rows == each_once([f"f{n}" for n in range(6)])


def test_an_answer_that_got_lost_is_looked_for(any_lake, monkeypatch):
    """The catalog commits and fails to say so: the replacement is found, and not done twice."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)
    do_commit = Table._do_commit

    def commit_and_fail(self, *arguments, **named):
        do_commit(self, *arguments, **named)
        raise ConnectionResetError

    monkeypatch.setattr(Table, "_do_commit", commit_and_fail)
    committed = replace_files(table, old, new, same_rows=True)
    assert any_lake.writer().current_snapshot().snapshot_id == committed.snapshot_id
    assert any_lake.rows == each_once(["a"])


def test_an_outcome_that_nobody_knows_is_told(any_lake, monkeypatch):
    """The commit fails in an unknown way and is not there: the files must stay, so it is no conflict."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)

    def fail(*_, **__):
        raise ConnectionResetError

    monkeypatch.setattr(Table, "_do_commit", fail)
    with pytest.raises(Transient, match="unknown") as told:
        replace_files(table, old, new, same_rows=True)
    assert not isinstance(told.value, CommitConflict)
    assert any_lake.rows == each_once(["a"])


def test_a_race_lost_for_ever_is_a_conflict(any_lake, monkeypatch):
    """All attempts fail: nothing is committed, nothing is lost."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)

    def fail(*_, **__):
        raise CommitFailedException("no")

    monkeypatch.setattr(Table, "_do_commit", fail)
    with pytest.raises(CommitConflict):
        replace_files(table, old, new, same_rows=True)
    monkeypatch.undo()
    assert any_lake.rows == each_once(["a"])


def test_files_of_another_partition_spec_are_not_added(any_lake):
    """The table was partitioned anew after the files were written: their values would be read as other columns'."""
    table = any_lake.catalog.load_table(any_lake.writer().name())
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)
    other = any_lake.catalog.load_table(table.name())
    with other.update_spec() as update:
        update.add_identity("file")
    with pytest.raises(CommitConflict, match="partition spec"):
        replace_files(table, old, new, same_rows=True)
    assert any_lake.rows == each_once(["a"])


def test_a_table_with_row_deletes_is_not_rewritten(any_lake, monkeypatch):
    """Another engine deletes rows by delete files, which we do not apply: the rows would come back."""
    table = any_lake.writer()
    any_lake.load(table, "a")
    old, new = rewritten(any_lake, table)
    monkeypatch.setattr(ManifestFile, "content", ManifestContent.DELETES)
    with pytest.raises(Terminal, match=r"delete files.*rewrite_data_files"):
        replace_files(table, old, new, same_rows=True)


def test_a_table_without_snapshot_has_no_manifests(any_lake):
    """Nothing is committed to an empty table."""
    table = any_lake.writer()
    with pytest.raises(ValueError, match="has no manifests"):
        replace_manifests(table)
    assert table.refresh().metadata.snapshots == []
