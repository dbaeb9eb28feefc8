"""A clock that was set back stops no commit, whichever catalog it is; without our dating of snapshots it does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from lakehouse.errors import Transient
from lakehouse.tables import table_time
from lakehouse.tables.catalog import ensure
from lakehouse.tables.commit import append
from lakehouse.tables.contract import Column
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_files import replace_manifests
from lakehouse.tables.replace_table import replace_all
from tests.support.clocks import refusals, settable_clock
from tests.support.lakes import a_record

pytestmark = pytest.mark.stack
KEEP_ONE = MaintenancePolicy(min_snapshots_to_keep=1, max_snapshot_age=dt.timedelta(0))
LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def filled_in_the_future(lake):
    """Make a table with one commit by a clock that ran an hour ahead, and has been set right since."""
    table = ensure(lake.catalog, lake.contract)
    with settable_clock() as clock:
        clock.step(3_600)
        append(table, [], records=[a_record("a", 0)])
    return table.refresh()


def test_every_kind_of_commit_goes_on(any_lake):
    """Appending, replacing, rewriting, expiring, changing columns; and readers in Java and Go accept the table."""
    table = filled_in_the_future(any_lake)
    wider = replace(any_lake.contract, columns=(*any_lake.contract.columns, Column("c", "string", "C")))
    for change in (
        lambda: append(table, [], records=[a_record("b", 0)]),
        lambda: ensure(any_lake.catalog, wider),
        lambda: replace_manifests(table),
        lambda: expire(any_lake.catalog, table, KEEP_ONE, now=LATER),
        lambda: replace_all(table, [], computed_from={}, base=table.current_snapshot().snapshot_id),
    ):
        change()
        assert refusals(table.refresh().metadata) == []
    newest = any_lake.catalog.load_table(any_lake.contract.name)
    assert len(newest.schema().fields) == len(wider.columns)


def test_snapshots_of_a_clock_that_ran_ahead_expire(any_lake):
    """By what their successors' clocks say: a snapshot from the future would never be old."""
    table = filled_in_the_future(any_lake)
    append(table, [], records=[a_record("b", 0)])
    kept = MaintenancePolicy(min_snapshots_to_keep=1, max_snapshot_age=dt.timedelta(minutes=5))
    in_ten_minutes = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=10)
    assert (
        expire(any_lake.catalog, table, kept, now=in_ten_minutes).snapshots == 0
    )  # the ledger lists neither
    replace_all(table, [], computed_from={}, base=table.refresh().current_snapshot().snapshot_id)
    times = table_time.committed_ms(table.refresh().metadata.snapshots, in_ten_minutes.timestamp() * 1000)
    assert max(times.values()) <= dt.datetime.now(dt.UTC).timestamp() * 1000


def test_a_catalog_refuses_what_the_clock_says(any_lake, monkeypatch):
    """SeaweedFS's own words; SQLite's catalog takes it, and Spark cannot open the table any more."""
    table = filled_in_the_future(any_lake)
    monkeypatch.setattr(table_time, "dated", lambda updates, _: tuple(updates))
    if any_lake.settings.catalog == "rest":
        with pytest.raises(Transient, match="BadRequestError"):
            append(table, [], records=[a_record("b", 0)])
    else:
        append(table, [], records=[a_record("b", 0)])
        assert refusals(table.refresh().metadata) == [
            "expected sorted snapshot log entries", "invalid update timestamp: before last metadata log entry",
        ]  # fmt: skip
