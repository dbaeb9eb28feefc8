"""Expiry: what nobody needs goes, file by file, and nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from lakehouse.tables import ledger, maintenance
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import AlreadyCommittedError, append, live_files, replace_all
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.views import attach
from tests.support.lakes import (
    a_contract,
    a_record,
    duck_of,
    each_once,
    files_sql,
    load_files,
    rows_of,
    write,
)

AT_ONCE = dt.timedelta(0)
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


@pytest.fixture
def catalog(lake):
    return open_catalog(lake)


@pytest.fixture
def table(catalog):
    return ensure(catalog, a_contract())


def note(lake, catalog, *names):
    """Copy files into the ledger, as `books` does."""
    books = ensure(catalog, LEDGER)
    nulls = ", ".join(f"NULL AS {column.name}" for column in LEDGER.columns[1:])
    listed = ", ".join(f"('{name}')" for name in names)
    append(books, write(lake, books, f"SELECT f AS file_id, {nulls} FROM (VALUES {listed}) AS v(f)").files)


def stored(lake):
    """Return every file of the warehouse but the metadata.json ones, which commits remove by themselves."""
    root = Path(lake.warehouse.removeprefix("file://"))
    return {f"file://{p}" for p in root.rglob("*") if p.is_file() and not p.name.endswith(".json")}


def reached(table):
    """Return every file that a snapshot of the table refers to."""
    found = set()
    for snapshot in table.refresh().metadata.snapshots:
        found.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            found.add(manifest.manifest_path)
            found |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
    return found


def replaced(lake, table, *names):
    """Replace the table's content, as models do."""
    base = table.current_snapshot()
    new = write(lake, table, files_sql(names))
    return replace_all(table, new.files, computed_from={}, base=base.snapshot_id if base else None)


def test_expiry_deletes_exactly_what_nobody_reaches(lake, catalog, table):
    """Before and after, the warehouse is listed: what went is what only the expired snapshots referred to."""
    replaced(lake, table, "a")
    replaced(lake, table, "b")
    load_files(lake, table, "c")
    note(lake, catalog, "c")
    replaced(lake, table, "d")
    replaced(lake, table, "e")
    in_flight = write(lake, table, files_sql(["f"])).files[0].file_path
    before, of_ledger = stored(lake), reached(ensure(catalog, LEDGER))
    gone = maintenance.expire(catalog, table, now=LATER, keep=2, keep_for=AT_ONCE)
    assert len(table.refresh().metadata.snapshots) == 2
    after = stored(lake)
    assert after == (before & reached(table)) | of_ledger | {in_flight}
    assert (gone.snapshots, gone.files) == (3, len(before - after))
    assert rows_of(table) == each_once(["e"])
    last, current = table.metadata.snapshots
    assert last.snapshot_id != current.snapshot_id
    assert table.scan(snapshot_id=last.snapshot_id).to_arrow().num_rows == 5


def test_files_that_live_on_stay(lake, catalog, table):
    """Appended files are in the snapshots after theirs, too: expiring the first ones loses no row."""
    names = [f"f{n}" for n in range(6)]
    for name in names:
        load_files(lake, table, name)
    note(lake, catalog, *names)
    data = {file.file_path for file in live_files(table)}
    gone = maintenance.expire(catalog, table, now=LATER, keep=1, keep_for=AT_ONCE)
    assert (gone.snapshots, gone.files) == (5, 5)  # five manifest lists, and nothing else
    assert data <= stored(lake)
    assert rows_of(table) == each_once(names)
    with duck_of(lake, iceberg=True) as con:
        attach(con, catalog, [".".join(table.name())])
        assert con.execute(f"SELECT count(*) FROM {'.'.join(table.name())}").fetchone() == (30,)


def test_young_and_few_snapshots_stay(lake, catalog, table):
    """Neither the newest fifty nor those of the last hour go: readers pin them."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    assert maintenance.expire(catalog, table, now=LATER).snapshots == 0
    assert maintenance.expire(catalog, table, keep=1).snapshots == 0
    assert maintenance.expire(catalog, table, now=LATER, keep=1).snapshots == 2


def test_a_reader_that_connected_before_reads_on(lake, catalog, table):
    """Fifty commits later the views of a connection still show what they showed."""
    load_files(lake, table, "a")
    with duck_of(lake, iceberg=True) as con:
        name = ".".join(table.name())
        attach(con, catalog, [name])
        for number in range(50):
            append(table, [], records=[a_record(f"f{number}", 0)])
        note(lake, catalog, *(f"f{number}" for number in range(50)), "a")
        maintenance.expire(catalog, table, now=dt.datetime.now(dt.UTC), keep=1)
        assert con.execute(f"SELECT count(*) FROM {name}").fetchone() == (5,)


def test_a_file_that_is_not_in_the_ledger_keeps_its_snapshot(lake, catalog, table):
    """Its summary is the only word on that file: without it, the file would be loaded again."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a")
    maintenance.expire(catalog, table, now=LATER, keep=1, keep_for=AT_ONCE)
    known = {record.file_id for _, _, record in ledger.in_summaries(table.refresh())}
    assert known == {"b", "c"}
    assert ledger.known(catalog, table, {"a", "b", "c", "d"}) == {"a", "b", "c"}


def test_a_file_is_loaded_once_after_its_snapshot_expired(lake, catalog, table):
    """The ledger answers where summaries no longer do."""
    for name in ("a", "b"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b")
    maintenance.expire(catalog, table, now=LATER, keep=1, keep_for=AT_ONCE)
    load_files(lake, table, "c")
    with pytest.raises(AlreadyCommittedError) as refused:
        load_files(lake, table, "a", "d", already=lambda ids: ledger.in_ledger(catalog, ids))
    assert refused.value.ids == {"a"}
    assert rows_of(table) == each_once(["a", "b", "c"])


def test_a_commit_in_the_middle_of_an_expiry_is_safe(lake, catalog, table, monkeypatch):
    """A writer commits after the expiry has looked and before it deletes: its files stay."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    stale = catalog.load_table(table.name())
    look, others = maintenance._reachable, ["d"]

    def look_and_let_others_write(*arguments):
        found = look(*arguments)
        while others:
            load_files(lake, table, others.pop())
            replaced(lake, table, "e")
        return found

    monkeypatch.setattr(maintenance, "_reachable", look_and_let_others_write)
    maintenance.expire(catalog, stale, now=LATER, keep=1, keep_for=AT_ONCE)
    assert rows_of(table) == each_once(["e"])
    assert reached(table) <= stored(lake)
    for snapshot in table.metadata.snapshots:
        table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()


def test_a_table_without_anything_to_expire_is_left_alone(lake, catalog, table):
    """No snapshot, no commit."""
    assert maintenance.expire(catalog, table, now=LATER, keep=0, keep_for=AT_ONCE) == maintenance.Expired(
        0, 0
    )
    load_files(lake, table, "a")
    note(lake, catalog, "a")
    assert maintenance.expire(catalog, table, now=LATER, keep=0, keep_for=AT_ONCE) == maintenance.Expired(
        0, 0
    )
    assert rows_of(table) == each_once(["a"])
