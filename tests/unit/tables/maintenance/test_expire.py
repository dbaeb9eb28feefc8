"""Expiry: what nobody needs goes, file by file, and nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from pyiceberg.table import Table

from lakehouse.errors import Transient
from lakehouse.tables import commit, ledger
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import AlreadyCommittedError, append, live_files
from lakehouse.tables.contracts import LEDGER
from lakehouse.tables.maintenance import reachability
from lakehouse.tables.maintenance.expire import Expired, expire, observe_snapshots, watermarks
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import plan_expiry
from lakehouse.tables.replace_files import replace_manifests
from lakehouse.tables.replace_table import replace_all
from lakehouse.tables.views import attach
from tests.support.lakes import (
    a_contract,
    a_record,
    duck_of,
    each_once,
    files_sql,
    fresh_catalog,
    in_threads,
    load_despite_others,
    load_files,
    rows_of,
    write,
)

AT_ONCE = dt.timedelta(0)


def keeping(snapshots, keep_for=AT_ONCE, **more):
    """Return the policy that keeps this many snapshots."""
    return MaintenancePolicy(min_snapshots_to_keep=snapshots, max_snapshot_age=keep_for, **more)


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
    nulls = ", ".join(
        f"{'1' if column.name == 'table_name' else 'NULL'} AS {column.name}" for column in LEDGER.columns[1:]
    )
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
    gone = expire(catalog, table, keeping(2), now=LATER)
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
    gone = expire(catalog, table, keeping(1), now=LATER)
    assert (gone.snapshots, gone.files) == (5, 5)  # five manifest lists, and nothing else
    assert data <= stored(lake)
    assert rows_of(table) == each_once(names)
    with duck_of(lake, iceberg=True) as con:
        attach(con, catalog, [".".join(table.name())])
        assert con.execute(f"SELECT count(*) FROM {'.'.join(table.name())}").fetchone() == (30,)


def test_data_that_merged_manifests_name_stays(lake, catalog, table):
    """The manifests that brought the files go with their snapshots; the files are live in the merged one."""
    names = [f"f{n}" for n in range(4)]
    for name in names:
        load_files(lake, table, name)
    note(lake, catalog, *names)
    replace_manifests(table)
    gone = expire(catalog, table, keeping(1), now=LATER)
    assert (gone.snapshots, gone.files) == (4, 8)  # manifest lists and manifests
    assert rows_of(table) == each_once(names)


def test_young_and_few_snapshots_stay(lake, catalog, table):
    """Neither the newest fifty nor those of the last hour go: readers pin them."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    assert expire(catalog, table, now=LATER).snapshots == 0
    assert expire(catalog, table, MaintenancePolicy(min_snapshots_to_keep=1)).snapshots == 0
    assert expire(catalog, table, MaintenancePolicy(min_snapshots_to_keep=1), now=LATER).snapshots == 2


def test_a_reader_that_connected_before_reads_on(lake, catalog, table):
    """Fifty commits later the views of a connection still show what they showed."""
    load_files(lake, table, "a")
    with duck_of(lake, iceberg=True) as con:
        name = ".".join(table.name())
        attach(con, catalog, [name])
        for number in range(50):
            append(table, [], records=[a_record(f"f{number}", 0)])
        note(lake, catalog, *(f"f{number}" for number in range(50)), "a")
        expire(catalog, table, MaintenancePolicy(min_snapshots_to_keep=1), now=dt.datetime.now(dt.UTC))
        assert con.execute(f"SELECT count(*) FROM {name}").fetchone() == (5,)


def test_a_file_that_is_not_in_the_ledger_keeps_its_snapshot(lake, catalog, table):
    """Its summary is the only word on that file: without it, the file would be loaded again."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a")
    expire(catalog, table, keeping(1), now=LATER)
    known = {record.file_id for _, _, record in ledger.in_summaries(table.refresh())}
    assert known == {"b", "c"}
    assert ledger.known(catalog, table, {"a", "b", "c", "d"}) == {"a", "b", "c"}


def test_a_file_is_loaded_once_after_its_snapshot_expired(lake, catalog, table):
    """The ledger answers where summaries no longer do."""
    for name in ("a", "b"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b")
    expire(catalog, table, keeping(1), now=LATER)
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
    look, others = reachability.manifests_of, ["d"]

    def look_and_let_others_write(*arguments):
        found = look(*arguments)
        while others:
            load_files(lake, table, others.pop())
            replaced(lake, table, "e")
        return found

    monkeypatch.setattr(reachability, "manifests_of", look_and_let_others_write)
    expire(catalog, stale, keeping(1), now=LATER)
    assert rows_of(table) == each_once(["e"])
    assert reached(table) <= stored(lake)
    for snapshot in table.metadata.snapshots:
        table.scan(snapshot_id=snapshot.snapshot_id).to_arrow()


def test_a_table_without_anything_to_expire_is_left_alone(lake, catalog, table):
    """No snapshot, no commit."""
    assert expire(catalog, table, keeping(0), now=LATER) == Expired(0, 0)
    load_files(lake, table, "a")
    note(lake, catalog, "a")
    assert expire(catalog, table, keeping(0), now=LATER) == Expired(0, 0)
    assert rows_of(table) == each_once(["a"])


def test_what_a_branch_or_a_tag_names_stays(lake, catalog, table):
    """Somebody put a name to it."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    first = table.metadata.snapshots[0].snapshot_id
    table.manage_snapshots().create_tag(first, "audit").commit()
    assert expire(catalog, table, keeping(0), now=LATER).snapshots == 1
    assert table.scan(snapshot_id=first).to_arrow().num_rows == 5


def read_up_to(lake, catalog, table, head):
    """Return a table whose rows were computed from another one's at a head."""
    reader = ensure(catalog, a_contract())
    base = reader.current_snapshot()
    replace_all(
        reader,
        write(lake, reader, files_sql(["x"])).files,
        computed_from={".".join(table.name()): head},
        base=base.snapshot_id if base else None,
    )
    return reader


def test_expiry_stops_at_a_consumers_watermark(lake, catalog, table):
    """What a reader has not come past stays, with the snapshot it stands at; when it has read on, it goes."""
    names = [f"f{n}" for n in range(6)]
    for name in names:
        load_files(lake, table, name)
    note(lake, catalog, *names)
    stands_at = str(table.metadata.snapshots[2].snapshot_id)
    reader = read_up_to(lake, catalog, table, stands_at)
    reader_name = ".".join(reader.name())
    consumers = watermarks([reader, table])[".".join(table.name())]
    assert consumers == {reader_name: stands_at}
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    observed = observe_snapshots(catalog, table, keeping(1), consumers, soon)
    assert plan_expiry(observed, keeping(1), soon).kept_for_consumers == {reader_name: 3}
    assert expire(catalog, table, keeping(1), consumers=consumers, now=soon).snapshots == 2
    assert str(table.metadata.snapshots[0].snapshot_id) == stands_at
    consumers = {reader_name: commit.head(table)}
    assert expire(catalog, table, keeping(1), consumers=consumers, now=soon).snapshots == 3


def test_a_rewrite_does_not_hide_a_watermark(lake, catalog, table):
    """A reader that has come to the rows which a replacement holds needs none of the snapshots before."""
    load_files(lake, table, "a")
    load_files(lake, table, "b")
    note(lake, catalog, "a", "b")
    head = commit.head(table)
    replace_manifests(table)
    replace_manifests(table)
    assert expire(catalog, table, keeping(1), consumers={"marts.m": head}, now=LATER).snapshots == 3
    assert commit.head(table) == head


def test_a_reader_that_stands_still_for_ever_holds_a_week_back(lake, catalog, table):
    """A model that nobody mends must not stop everybody's commits, which get slower with each snapshot."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    now = dt.datetime.now(dt.UTC)
    consumers = {"marts.stuck": "1"}
    early, late = now + dt.timedelta(days=6), now + dt.timedelta(days=8)
    assert expire(catalog, table, keeping(1), consumers=consumers, now=early).snapshots == 0
    assert expire(catalog, table, keeping(1), consumers=consumers, now=late).snapshots == 2


def test_an_expiry_beside_writers_is_tried_again(lake, catalog, table):
    """Somebody commits between the look and the commit, again and again: the expiry comes through, nothing is lost."""
    names = [f"f{n}" for n in range(8)]
    for name in names:
        load_files(lake, table, name)
    note(lake, catalog, *names)

    def work(number, barrier):
        own = fresh_catalog(lake).load_table(table.name())
        barrier.wait(30)
        if number:
            for n in range(8):
                load_despite_others(lake, own, {f"{number}-{n}"})
            return 0
        return sum(expire(catalog, own, keeping(keep), now=LATER).snapshots for keep in (6, 4, 2))

    assert in_threads(3, work)[0] >= 6
    assert rows_of(table) == each_once([*names, *(f"{number}-{n}" for number in (1, 2) for n in range(8))])
    assert reached(table) <= stored(lake)


def test_an_expiry_whose_answer_got_lost_deletes_the_files_all_the_same(lake, catalog, table, monkeypatch):
    """It took effect: what it freed would stay for days. Where it did not, nothing is deleted."""
    for name in ("a", "b", "c"):
        load_files(lake, table, name)
    note(lake, catalog, "a", "b", "c")
    do_commit, before = Table._do_commit, stored(lake)

    def fail(*_, **__):
        raise ConnectionResetError

    monkeypatch.setattr(Table, "_do_commit", fail)
    with pytest.raises(Transient, match="unknown"):
        expire(catalog, table, keeping(1), now=LATER)
    assert stored(lake) == before

    def commit_and_fail(self, *arguments, **named):
        do_commit(self, *arguments, **named)
        raise ConnectionResetError

    monkeypatch.setattr(Table, "_do_commit", commit_and_fail)
    assert expire(catalog, table, keeping(1), now=LATER) == Expired(2, 2)
    assert len(before - stored(lake)) == 2
