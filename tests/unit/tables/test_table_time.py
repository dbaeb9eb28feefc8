"""The time of a table: of commits by a clock that was set, and of snapshots that seem to be from the future."""

from __future__ import annotations

import time

import pytest
from pyiceberg.table.snapshots import Operation, Snapshot, Summary

from lakehouse.tables import table_time
from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, head
from tests.support.clocks import refusals, settable_clock
from tests.support.lakes import a_contract, a_record


def snapshot(number, at, clock=None):
    noted = {} if clock is None else {table_time.CLOCK: str(clock)}
    return Snapshot(
        snapshot_id=number, sequence_number=number, timestamp_ms=at, manifest_list="m",
        summary=Summary(Operation.APPEND, **noted),
    )  # fmt: skip


def test_a_commit_by_a_clock_that_was_set_back_is_dated_after_the_last_one(lake):
    """A millisecond after it; what the clock said is noted beside it. With a right clock nothing is."""
    table = ensure(open_catalog(lake), a_contract())
    with settable_clock() as clock:
        append(table, [], records=[a_record("a", 0)])
        first = table.refresh().current_snapshot()
        clock.step(-3_600)
        append(table, [], records=[a_record("b", 0)])
        second = table.refresh().current_snapshot()
    assert table_time.CLOCK not in first.summary.additional_properties
    assert second.timestamp_ms == first.timestamp_ms + 1
    noted = int(second.summary.additional_properties[table_time.CLOCK])
    assert noted == pytest.approx(first.timestamp_ms - 3_600_000, abs=60_000)
    assert refusals(table.metadata) == []


def test_a_change_of_metadata_alone_brings_its_own_time(lake):
    """By a snapshot of the same rows, where the clock is behind; the head does not move. Else it comes alone."""
    catalog, contract = open_catalog(lake), a_contract()
    table = ensure(catalog, contract)
    append(table, [], records=[a_record("a", 0)])
    before = head(table.refresh())
    from lakehouse.tables.migrations import apply
    from lakehouse.tables.migrations.schema_diff import plan

    for ahead, snapshots in ((0, 1), (-3_600, 2)):
        with settable_clock() as clock:
            clock.step(ahead)
            newer = a_contract(contract.name, properties={"note": str(ahead)})
            apply.commit(table, newer, plan(table.refresh().metadata, newer))
        assert len(table.refresh().metadata.snapshots) == snapshots
        assert head(table) == before
        assert refusals(table.metadata) == []


def test_a_table_is_behind_only_by_more_than_clocks_differ(lake):
    """Two machines' clocks are never quite alike."""
    table = ensure(open_catalog(lake), a_contract())
    append(table, [], records=[a_record("a", 0)])
    metadata = table.refresh().metadata
    for ahead, behind in ((0, False), (-20, False), (-61, True)):
        with settable_clock() as clock:
            clock.step(ahead)
            assert table_time.is_behind(metadata) is behind
    assert time.time() * 1000 >= table_time.last_ms(metadata)


@pytest.mark.parametrize(
    ("snapshots", "times"),
    [
        ([], {}),
        ([snapshot(1, 10), snapshot(2, 20)], {1: 10, 2: 20}),
        # The clock ran ahead for the first; the second's writer noted what his own said.
        ([snapshot(1, 5_000), snapshot(2, 5_001, clock=40)], {1: 40, 2: 40}),
        # What is not in the future by now counts as dated, whatever a clock said then.
        ([snapshot(1, 90), snapshot(2, 91, clock=1)], {1: 90, 2: 91}),
        # Nobody noted anything: as young as can be.
        ([snapshot(1, 5_000)], {1: 100}),
    ],
)
def test_a_snapshot_from_the_future_is_as_old_as_those_after_it_say(snapshots, times):
    """At 100: else what was committed while the clock ran ahead would never expire."""
    assert table_time.committed_ms(snapshots, 100) == times
