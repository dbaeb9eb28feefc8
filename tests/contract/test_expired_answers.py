"""A commit's answer is lost, and its snapshot has expired by the time that one looks: no file that is in use goes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pyiceberg.exceptions import CommitFailedException

from lakehouse.errors import CommitConflict, Transient
from lakehouse.tables import appending, commit
from lakehouse.tables.commit import AlreadyCommittedError, append, live_files
from lakehouse.tables.replace_files import replace_files, replace_manifests
from lakehouse.tables.replace_table import replace_all
from tests.support.lakes import a_record, each_once, files_sql, write

pytestmark = pytest.mark.stack
REFUSED, UNKNOWN = CommitFailedException("the table has changed"), ConnectionError("the answer is lost")


@pytest.fixture(autouse=True)
def _quick(quick_retries):
    """Waiting between attempts proves nothing."""


@pytest.fixture
def asleep(any_lake, monkeypatch):
    """Let the next commit of a table take effect; before its writer hears `error`, `meanwhile` happens."""

    def falls_asleep(table, meanwhile, error):
        real, calls = table.catalog.commit_table, []

        def commit_table(*arguments):
            answer = real(*arguments)
            if calls:
                return answer
            calls.append("asleep")
            monkeypatch.setattr(table.catalog, "commit_table", real)
            meanwhile()
            raise error

        monkeypatch.setattr(table.catalog, "commit_table", commit_table)

    return falls_asleep


def expire_all_but_head(lake):
    """Expire every snapshot but the current one, as maintenance would in some hours."""
    table = lake.writer().refresh()
    head = table.current_snapshot().snapshot_id
    gone = [each.snapshot_id for each in table.metadata.snapshots if each.snapshot_id != head]
    table.maintenance.expire_snapshots().by_ids(gone).commit()


def others_append(lake):
    """Another writer commits, and ours is not the head any more."""
    lake.load(lake.writer(), "other")
    expire_all_but_head(lake)


def others_merge_manifests(lake):
    """No manifest of ours is left; its data files stand in another one."""
    lake.load(lake.writer(), "other")
    replace_manifests(lake.writer())
    expire_all_but_head(lake)


def others_append_twice(lake, table):
    """Others' snapshots list a manifest of ours, and ours alone expires."""
    for name in ("other", "third"):
        lake.load(lake.writer(), name)
    after = lake.writer()
    known = {each.snapshot_id for each in table.metadata.snapshots}
    ours = next(each.snapshot_id for each in after.metadata.snapshots if each.snapshot_id not in known)
    after.maintenance.expire_snapshots().by_ids([ours]).commit()


def others_rewrite(lake):
    """Our rows are in another file."""
    table = lake.writer()
    names = sorted({row["file"] for row in table.scan().to_arrow().to_pylist()})
    replace_files(
        table, live_files(table), write(lake.settings, table, files_sql(names)).files, same_rows=True
    )
    expire_all_but_head(lake)


@pytest.mark.parametrize("error", [UNKNOWN, REFUSED], ids=["unknown", "refused"])
@pytest.mark.parametrize("retries", [0, 3])
@pytest.mark.parametrize("meanwhile", [others_append, others_merge_manifests])
def test_an_append_whose_snapshot_has_expired_counts(any_lake, asleep, error, retries, meanwhile):
    """The table still refers to its files: it took effect, and each row is there once."""
    setup = any_lake.writer()
    setup.transaction().set_properties({"commit.retry.num-retries": str(retries)}).commit_transaction()
    any_lake.load(setup, "before")
    table = any_lake.writer()
    asleep(table, lambda: meanwhile(any_lake), error)
    any_lake.load(table, "a")
    assert any_lake.rows == each_once(["a", "before", "other"])


@pytest.mark.parametrize("error", [UNKNOWN, REFUSED], ids=["unknown", "refused"])
def test_an_append_whose_rows_are_in_other_files_by_now(any_lake, asleep, error):
    """Nobody can tell any more; whoever tries again finds the ids in the ledger, and no row comes or goes."""
    any_lake.load(any_lake.writer(), "before")
    table = any_lake.writer()
    asleep(table, lambda: others_rewrite(any_lake), error)
    with pytest.raises(Transient if error is UNKNOWN else CommitConflict):
        any_lake.load(table, "a")
    assert any_lake.rows == each_once(["a", "before"])
    with pytest.raises(AlreadyCommittedError):
        any_lake.load(any_lake.writer(), "a", already=lambda ids: ids)
    assert any_lake.rows == each_once(["a", "before"])


@pytest.mark.parametrize("error", [UNKNOWN, REFUSED], ids=["unknown", "refused"])
def test_a_replacement_whose_snapshot_has_expired(any_lake, asleep, error):
    """Files were added to the new content since: it took effect."""
    table = any_lake.writer()
    new = write(any_lake.settings, table, files_sql(["a"]))
    asleep(table, lambda: others_append(any_lake), error)
    replace_all(table, new.files, computed_from={"in": "1"}, base=None)
    assert any_lake.rows == each_once(["a", "other"])


def test_a_replacement_that_was_replaced_since(any_lake, asleep):
    """Nothing of it is left; its writer is told to look again, and the newer rows stay."""
    table = any_lake.writer()
    new = write(any_lake.settings, table, files_sql(["a"]))

    def newer():
        other = any_lake.writer()
        written = write(any_lake.settings, other, files_sql(["newer"]))
        base = other.current_snapshot().snapshot_id
        replace_all(other, written.files, computed_from={"in": "2"}, base=base)
        expire_all_but_head(any_lake)

    asleep(table, newer, REFUSED)
    with pytest.raises(CommitConflict):
        replace_all(table, new.files, computed_from={"in": "1"}, base=None)
    assert any_lake.rows == each_once(["newer"])
    assert commit.inputs(any_lake.writer()) == {"in": "2"}


@pytest.mark.parametrize("error", [UNKNOWN, REFUSED], ids=["unknown", "refused"])
def test_a_rewrite_whose_snapshot_has_expired(any_lake, asleep, error):
    """Its files hold the rows now: they must not be deleted."""
    any_lake.load(any_lake.writer(), "a")
    table = any_lake.writer()
    old, new = live_files(table), write(any_lake.settings, table, files_sql(["a"]))
    asleep(table, lambda: others_append(any_lake), error)
    replace_files(table, old, new.files, same_rows=True)
    assert any_lake.rows == each_once(["a", "other"])


@pytest.mark.parametrize("error", [UNKNOWN, REFUSED], ids=["unknown", "refused"])
def test_a_merge_of_manifests_whose_snapshot_has_expired(any_lake, asleep, error):
    """Tried again, it merges anew, and what it wrote first stays: snapshots of others list that manifest."""
    for name in ("a", "b"):
        any_lake.load(any_lake.writer(), name)
    table = any_lake.writer()
    asleep(table, lambda: others_append_twice(any_lake, table), error)
    replace_manifests(table)
    assert any_lake.rows == each_once(["a", "b", "other", "third"])
    after = any_lake.writer()
    for snapshot in after.metadata.snapshots:
        for manifest in snapshot.manifests(after.io):
            assert manifest.fetch_manifest_entry(after.io)


def test_a_refusal_with_all_snapshots_there_is_one(any_lake):
    """No snapshot has expired and ours is not among them: the files may go, and no manifest is read to say so."""
    slow, quick = any_lake.writer(), any_lake.writer()
    any_lake.load(quick, "b", exclusive=True)
    written = write(any_lake.settings, slow, files_sql(["a"]))
    with pytest.raises(CommitConflict):
        appending.append_written(slow, written, records=[a_record("a")], exclusive=True)
    if any_lake.settings.catalog == "sql":
        assert not Path(urlsplit(written.files[0].file_path).path).exists()
    assert any_lake.rows == each_once(["b"])


def test_an_unreadable_manifest_is_no_answer(any_lake, asleep, monkeypatch):
    """Snapshots have expired, and what would tell whether ours was among them cannot be read: nobody knows."""
    any_lake.load(any_lake.writer(), "before")
    table = any_lake.writer()

    def unreadable(*_):
        raise OSError("SLOW_DOWN")

    def meanwhile():
        others_append(any_lake)
        monkeypatch.setattr("lakehouse.tables.maintenance.reachability.manifests_of", unreadable)

    asleep(table, meanwhile, REFUSED)
    with pytest.raises(Transient, match="manifests cannot be read") as told:
        any_lake.load(table, "a")
    assert not isinstance(told.value, CommitConflict)
    assert any_lake.rows == each_once(["a", "before", "other"])


def test_a_file_that_is_named_twice_is_refused(any_lake):
    """pyiceberg adds it twice, and every reader then finds its rows twice."""
    table = any_lake.writer()
    files = write(any_lake.settings, table, files_sql(["a"])).files
    with pytest.raises(ValueError, match="1 data file"):
        append(table, [*files, *files], records=[a_record("a")])
    with pytest.raises(ValueError, match="1 raw file"):
        append(table, files, records=[a_record("a"), a_record("a")])
    assert any_lake.rows == []
