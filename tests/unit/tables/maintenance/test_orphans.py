"""Orphans: what nothing refers to goes when it is old; on the least doubt nothing goes at all."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from lakehouse.errors import Terminal
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import live_files
from lakehouse.tables.maintenance import listing, orphans
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_files import replace_files
from tests.support.lakes import a_contract, each_once, files_sql, load_files, rows_of, write

LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=4)


@pytest.fixture
def table(lake):
    table = ensure(open_catalog(lake), a_contract())
    load_files(lake, table, "a")
    load_files(lake, table, "b")
    return table


def local(path):
    return Path(path.removeprefix("file://"))


def on_disk(table):
    root = local(table.location())
    return {str(path) for path in root.rglob("*") if path.is_file()}


def age(path, days):
    """Make a file look as if it was written some days ago."""
    then = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).timestamp()
    os.utime(path, (then, then))


def left_behind(table, name="data/attempt/part.parquet", days=4):
    """Return a file that a killed attempt left."""
    path = local(table.location()) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left")
    age(path, days)
    return path


def test_what_attempts_left_goes_and_the_rest_stays(lake, table):
    """Data, manifests and metadata that nothing names go; what the table's snapshots reach stays."""
    replace_files(table, live_files(table), write(lake, table, files_sql(["a", "b"])).files, same_rows=True)
    before = on_disk(table)
    left = [
        left_behind(table, name)
        for name in ("data/x/part.parquet", "metadata/m0.avro", "metadata/00009-x.metadata.json")
    ]
    found = orphans.remove(table)
    assert sorted(found.paths) == sorted(f"file://{path}" for path in left)
    assert found.bytes == 12
    assert on_disk(table) == before
    assert rows_of(table) == each_once(["a", "b"])
    assert orphans.remove(table, now=LATER).paths == []


def test_a_young_file_stays(lake, table):
    """It may belong to a commit that is under way."""
    young = local(write(lake, table, files_sql(["c"])).files[0].file_path)
    left = left_behind(table, days=2)
    old = left_behind(table, "data/old.parquet", days=4)
    orphans.remove(table)
    assert young.exists()
    assert left.exists()
    assert not old.exists()
    orphans.remove(table, MaintenancePolicy(min_orphan_age=dt.timedelta(days=1)))
    assert not left.exists()


def test_what_is_no_table_file_stays(table):
    """Somebody else's file is somebody else's."""
    note = left_behind(table, "metadata/README.txt", days=99)
    orphans.remove(table)
    assert note.exists()


def test_a_listing_that_fails_midway_deletes_nothing(table, monkeypatch):
    """A page of the listing is refused, a folder cannot be opened: no orphan that was seen by then is deleted."""
    left = left_behind(table)
    real = listing.stored_files

    def broken(location):
        yield from list(real(location))[:-1]
        raise OSError("slow down")

    monkeypatch.setattr(orphans, "stored_files", broken)
    with pytest.raises(OSError, match="slow down"):
        orphans.remove(table)
    assert left.exists()
    monkeypatch.undo()
    walk = os.walk

    def walk_and_stumble(top, onerror):
        yield next(iter(walk(top)))
        onerror(PermissionError("data"))

    monkeypatch.setattr(os, "walk", walk_and_stumble)
    with pytest.raises(PermissionError):
        orphans.remove(table)
    assert left.exists()


def test_a_listing_that_lacks_what_the_table_needs_deletes_nothing(table, monkeypatch):
    """It says it is complete and is not, or shows another place."""
    left = left_behind(table)
    lost = live_files(table)[0].file_path
    real = listing.stored_files
    monkeypatch.setattr(
        orphans, "stored_files", lambda location: (file for file in real(location) if file.path != lost)
    )
    with pytest.raises(Terminal, match="1 files that the table refers to are not in the listing"):
        orphans.remove(table)
    assert left.exists()


@pytest.mark.parametrize("which", ["manifest", "manifest list"])
def test_an_unreadable_manifest_deletes_nothing(table, which):
    """What it names is not known, so nothing is known to be an orphan."""
    left = left_behind(table)
    snapshot = table.current_snapshot()
    path = local(
        snapshot.manifest_list if which == "manifest list" else snapshot.manifests(table.io)[0].manifest_path
    )
    path.write_bytes(b"torn")
    with pytest.raises(Exception):  # noqa: B017 - whatever the reader says of it
        orphans.remove(table)
    assert left.exists()


def test_what_is_committed_after_the_listing_is_no_orphan(lake, table, monkeypatch):
    """The files lay there for days before their commit, and were listed before it: reachability is found later."""
    files = write(lake, table, files_sql(["c"])).files
    age(local(files[0].file_path), 9)
    left = left_behind(table)
    real = listing.stored_files

    def list_and_let_others_commit(location):
        yield from list(real(location))
        replace_files(open_catalog(lake).load_table(table.name()), [], files, same_rows=False)

    monkeypatch.setattr(orphans, "stored_files", list_and_let_others_commit)
    assert orphans.remove(table).paths == [f"file://{left}"]
    assert rows_of(table) == each_once(["a", "b", "c"])


@pytest.mark.parametrize("other", ["", "/", "/inner", "/.."])
def test_a_location_that_is_shared_is_left_alone(table, other):
    """Another table's files would look like orphans."""
    left = left_behind(table)
    location = table.location()
    neighbour = location.rpartition("/")[0] if other == "/.." else location + other
    with pytest.raises(Terminal, match="shared"):
        orphans.remove(table, neighbours=[neighbour])
    assert left.exists()
    orphans.remove(table, neighbours=[f"{location}_2", location[:-1]])
    assert not left.exists()


def test_looking_deletes_nothing(table):
    """`find` says what `remove` would delete."""
    left = left_behind(table)
    assert orphans.find(table).paths == [f"file://{left}"]
    assert left.exists()


def test_a_file_that_is_committed_after_it_was_planned_stays(lake, table):
    """A plan may be stale: what a snapshot refers to by now is no orphan, and is not reported as deleted."""
    files = write(lake, table, files_sql(["c"])).files
    age(local(files[0].file_path), 9)
    left = left_behind(table)
    plan = orphans.find(table)
    assert sorted(plan.paths) == sorted([files[0].file_path, f"file://{left}"])
    replace_files(open_catalog(lake).load_table(table.name()), [], files, same_rows=False)
    assert orphans.apply(table, plan).paths == [f"file://{left}"]
    assert not left.exists()
    assert rows_of(table) == each_once(["a", "b", "c"])
