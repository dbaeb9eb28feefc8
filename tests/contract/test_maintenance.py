"""Maintenance next to writers, over every catalog: no row is lost or doubled, every file's id is still known."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import boto3
import pytest

from lakehouse import aws
from lakehouse.errors import CommitConflict
from lakehouse.tables.commit import file_records, live_files
from lakehouse.tables.maintenance import orphans
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.rewrite import rewrite
from tests.support.lakes import (
    ROWS_A_FILE,
    each_once,
    files_sql,
    fresh_catalog,
    in_processes,
    load_files,
    rows_of,
    write,
)

pytestmark = pytest.mark.stack
WRITERS, FILES = 2, 8


def append_or_rewrite(number, barrier, settings, contract):
    """Append files one by one, or rewrite again and again beside those who do."""
    catalog = fresh_catalog(settings)
    table = catalog.load_table(contract.name)
    barrier.wait(60)
    if number < WRITERS:
        for n in range(FILES):
            load_files(settings, table, f"{number}-{n}")
        return
    missing = True
    while missing:  # as long as the writers write
        with suppress(CommitConflict):
            rewrite(settings, table, MaintenancePolicy(min_files_to_rewrite=2, max_size_ratio=1000))
        missing = len(rows_of(table)) < ROWS_A_FILE * (WRITERS * FILES + 1)


def test_processes_append_beside_two_that_rewrite(any_lake):
    """Two writers and two rewriters, each a process with a catalog of its own."""
    any_lake.load(any_lake.writer(), "first")
    in_processes(WRITERS + 2, append_or_rewrite, any_lake.settings, any_lake.contract)
    names = [f"{number}-{n}" for number in range(WRITERS) for n in range(FILES)]
    table = any_lake.catalog.load_table(any_lake.contract.name)
    assert rows_of(table) == each_once([*names, "first"])
    known = {record.file_id for snapshot in table.metadata.snapshots for record in file_records(snapshot)}
    assert known == {*names, "first"}
    assert len(live_files(table)) < len(names)
    assert table.current_snapshot().summary["total-records"] == str(len(rows_of(table)))


@pytest.fixture
def clients(any_lake, monkeypatch):
    """Clients for the store that the lake is in."""
    found = any_lake.settings
    if found.s3_endpoint:
        client = boto3.client(
            "s3",
            endpoint_url=found.s3_endpoint,
            aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key.get_secret_value(),
            region_name=found.region,
            config=aws._CONFIG,
        )
        monkeypatch.setattr(aws, "_client", lambda _: client)


@pytest.mark.usefixtures("clients")
def test_rewritten_expired_and_swept_the_rows_are_there(any_lake):
    """A table's whole life: what is left in the store is what it refers to, and all of it is readable."""
    ensured = any_lake.writer()
    for number in range(6):
        any_lake.load(ensured, f"f{number}")
    left = write(any_lake.settings, ensured, files_sql(["left"])).files[0].file_path
    table = any_lake.catalog.load_table(any_lake.contract.name)
    old = {file.file_path for file in live_files(table)}
    assert rewrite(any_lake.settings, table, MaintenancePolicy()).into == 1
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=4)
    assert orphans.remove(table).paths == []
    assert orphans.remove(table, now=later).paths == [left]
    assert rows_of(table) == each_once([f"f{number}" for number in range(6)])
    table.maintenance.expire_snapshots().by_ids(
        [snapshot.snapshot_id for snapshot in table.metadata.snapshots[:-1]]
    ).commit()
    gone = orphans.remove(table.refresh(), now=later).paths
    assert old <= set(gone)
    assert rows_of(table) == each_once([f"f{number}" for number in range(6)])
    assert expire(any_lake.catalog, table, MaintenancePolicy(min_snapshots_to_keep=0)).snapshots == 0
