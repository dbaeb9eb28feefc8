"""Plans are pure: what was observed goes in, what should be done comes out; no table, no file, no clock."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestFile
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.typedef import Record

from lakehouse.tables.commit import FILES, HEAD
from lakehouse.tables.maintenance.listing import StoredFile
from lakehouse.tables.maintenance.observe import LiveFile, ObservedTable
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import (
    ExpiryPlan,
    MergePlan,
    ObservedFiles,
    ObservedSnapshots,
    RewritePlan,
    TableState,
    expected_state,
    plan_expiry,
    plan_maintenance,
    plan_merge,
    plan_orphans,
    plan_rewrite,
    table_state,
    unneeded_snapshots,
)

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
UNPARTITIONED = PartitionSpec()


def live_file(size, *, name="", partition=(), nulls=None, key=None, order=None):
    """Return a data file of a snapshot, of so many bytes."""
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=name or f"f-{size}-{key}-{partition}",
        file_format=FileFormat.PARQUET,
        partition=Record(*(partition or ())),
        record_count=1,
        file_size_in_bytes=size,
        null_value_counts={1: 0} if nulls is None else nulls,
        sort_order_id=order,
    )
    file.spec_id = UNPARTITIONED.spec_id
    return LiveFile(
        file, (1, size if key is None else key), None if partition is None else Record(*partition)
    )


def a_table(*files, target=100, manifests=(), snapshots=0, **more):
    return ObservedTable(target, UNPARTITIONED, files, manifests, snapshots, **more)


def sizes(plan):
    """Return the sizes of each bin's files, in the order in which they are read."""
    return [[file.file_size_in_bytes for file in each.files] for each in plan.bins]


@pytest.mark.parametrize(
    ("files", "bins"),
    [
        ([10, 10, 10, 10], []),  # fewer than five
        ([10, 10, 10, 10, 10], [[10] * 5]),
        ([10, 10, 10, 10, 75], []),  # three quarters of the target are large enough
        ([10, 10, 10, 10, 74], [[10, 10, 10, 10, 74]]),
        ([1, 1, 1, 1, 1, 16], [[1] * 5]),  # more than three times as large as all smaller ones in sum
        ([1, 1, 1, 1, 1, 15], [[1, 1, 1, 1, 1, 15]]),
        ([50] * 4 + [20], [[50, 50], [50, 50, 20]]),  # the rest would be small again: it is not cut off
        ([50] * 6, [[50, 50], [50, 50], [50, 50]]),
        ([40] * 6, [[40, 40, 40], [40, 40, 40]]),
        ([], []),
    ],
)
def test_which_files_become_one(files, bins):
    """By their sizes beside a target of 100 bytes, with the default policy."""
    table = a_table(*(live_file(size, name=str(number), key=number) for number, size in enumerate(files)))
    assert sizes(plan_rewrite(table, MaintenancePolicy())) == bins


def test_partitions_are_apart_and_the_smallest_bin_comes_first():
    """Files of two partitions never meet, whatever their values are."""
    files = [
        live_file(size, partition=(value,), key=number)
        for value, size in (("a", 20), (None, 10))
        for number in range(5)
    ]
    plan = plan_rewrite(a_table(*files), MaintenancePolicy())
    assert sizes(plan) == [[10] * 5, [20] * 5]
    assert (plan.files, plan.bytes, plan.partitions) == (10, 150, 2)


def test_files_of_an_older_spec_are_rewritten_however_few():
    """Some engines refuse a table of two specs; what is large enough stays for all that."""
    files = [live_file(10, key=1), live_file(20, key=2), live_file(90, key=3)]
    for live in files[1:]:
        live.file.spec_id = 7
    assert sizes(plan_rewrite(a_table(*files), MaintenancePolicy())) == [[20]]


def test_files_that_nothing_is_known_about_stay():
    """Those of another partition spec, and those without the counts by which a rewrite checks itself."""
    others = [live_file(10, partition=None, key=0), live_file(10, nulls={}, key=1)]
    known = [live_file(10, key=number) for number in range(2, 6)]
    assert plan_rewrite(a_table(*others, *known), MaintenancePolicy()).bins == ()


def test_neighbours_in_the_sort_order_meet():
    """Whatever order the manifests list them in."""
    files = [live_file(50, key=key) for key in (5, 2, 4, 1, 3, 6)]
    plan = plan_rewrite(a_table(*files), MaintenancePolicy())
    keys = {live.file.file_path: live.sort_key[1] for live in files}
    assert [[keys[file.file_path] for file in each.files] for each in plan.bins] == [[1, 2], [3, 4], [5, 6]]


def manifest(length):
    return ManifestFile.from_args(manifest_path=f"m{length}", manifest_length=length)


@pytest.mark.parametrize(("small", "merged"), [(2, 0), (3, 3), (0, 0)])
def test_manifests_are_merged_when_they_are_many(small, merged):
    """More than the policy leaves alone; large ones do not count."""
    manifests = [manifest(number) for number in range(small)] + [manifest(2**30)]
    plan = plan_merge(a_table(manifests=manifests), MaintenancePolicy(max_small_manifests=2))
    assert [each.manifest_length for each in plan.manifests] == list(range(merged))
    assert plan.claims == 0


def test_files_that_claim_a_sort_order_are_counted():
    """Older releases wrote the claim; 0 is Iceberg's word for no order."""
    files = [live_file(10, key=number, order=order) for number, order in enumerate((None, 0, 1, 1))]
    assert plan_merge(a_table(*files), MaintenancePolicy()).claims == 2


def test_a_table_with_delete_files_is_left_alone():
    """A rewrite that does not apply them would bring rows back; the plan says so."""
    files = [live_file(10, key=number, order=1) for number in range(9)]
    table = a_table(*files, manifests=[manifest(1)] * 40, delete_files=3)
    assert plan_rewrite(table, MaintenancePolicy()) == RewritePlan((), 100, 0, 3)
    assert plan_merge(table, MaintenancePolicy()) == MergePlan()


# ------------------------------------------------------------------ snapshots


def snapshot(number, hours_old, *, files=(), head=""):
    """Return the snapshot of a number, whose summary names raw files."""
    records = [
        {
            "file_id": name, "bucket": "b", "key": "k", "version": "v", "bytes": 1, "received": 1, "loaded": 1,
            "duplicates": 0, "quarantined": 0, "started_at": "2026-01-01T00:00:00Z",
        }
        for name in files
    ]  # fmt: skip
    properties = {FILES: json.dumps(records)} | ({HEAD: head} if head else {})
    return Snapshot(
        snapshot_id=number,
        sequence_number=number,
        timestamp_ms=int((NOW - dt.timedelta(hours=hours_old)).timestamp() * 1000),
        manifest_list=f"l{number}",
        summary=Summary(Operation.APPEND, **properties),
    )


def snapshots(*hours_old, **more):
    """Return snapshots of these ages, oldest first, and what may hold them."""
    made = tuple(snapshot(number, hours) for number, hours in enumerate(hours_old, start=1))
    return ObservedSnapshots(made, **more)


def expirable(observed, **policy):
    policy = MaintenancePolicy(**{"min_snapshots_to_keep": 1, **policy})
    return [each.snapshot_id for each in plan_expiry(observed, policy, NOW).expirable]


@pytest.mark.parametrize(
    ("observed", "policy", "ids"),
    [
        (snapshots(9, 8, 7), {}, [1, 2]),
        (snapshots(9, 8, 7), {"min_snapshots_to_keep": 2}, [1]),
        (snapshots(9, 8, 7), {"min_snapshots_to_keep": 3}, []),
        (snapshots(9, 8, 7), {"min_snapshots_to_keep": 99}, []),
        (snapshots(9, 0.5, 0), {}, [1]),  # younger than an hour: a reader may have it
        (snapshots(9, 1, 0), {}, [1]),  # an hour, and not older
        (snapshots(9, 8, 7), {"max_snapshot_age": dt.timedelta(hours=8)}, [1]),
        (snapshots(9, 8, 7, referenced=frozenset({1})), {}, [2]),  # a tag names it
        (snapshots(), {}, []),
    ],
)
def test_which_snapshots_expire(observed, policy, ids):
    """Beyond the newest, older than readers need, named by nobody."""
    assert expirable(observed, **policy) == ids


@pytest.mark.parametrize(
    ("consumers", "ids", "kept"),
    [
        ({"m": "2"}, [1], {"m": 2}),  # it has read 1, and stands at 2
        ({"m": "4"}, [1, 2, 3], {}),
        ({"m": "nobody knows it"}, [], {"m": 3}),
        ({"m": "3", "n": "2"}, [1], {"m": 1, "n": 2}),
        ({}, [1, 2, 3], {}),
    ],
)
def test_consumers_hold_what_they_have_not_read(consumers, ids, kept):
    """From the head that each has come to."""
    observed = snapshots(9, 8, 7, 6, consumers=consumers)
    plan = plan_expiry(observed, MaintenancePolicy(min_snapshots_to_keep=1), NOW)
    assert [each.snapshot_id for each in plan.expirable] == ids
    assert plan.kept_for_consumers == kept


def test_a_consumer_holds_nothing_for_longer_than_its_lag():
    """A reader that nobody mends must not stop everybody's commits."""
    observed = snapshots(9, 8, 7, consumers={"m": "1"})
    assert expirable(observed, max_consumer_lag=dt.timedelta(hours=8)) == [1]


def test_a_head_stands_for_the_snapshots_that_rewrote_its_rows():
    """A reader has come to the rows, whichever snapshot holds them by now."""
    rewritten = snapshot(2, 8, head="1")
    observed = ObservedSnapshots(
        (snapshot(1, 9), rewritten, snapshot(3, 7), snapshot(4, 6)), consumers={"m": "1"}
    )
    assert expirable(observed) == [1]


def test_a_summary_stays_until_the_ledger_lists_its_files():
    """All of them; it is counted, and not held by anybody else."""
    made = (snapshot(1, 9, files=["a", "b"]), snapshot(2, 8, files=["c"]), snapshot(3, 7))
    observed = ObservedSnapshots(made, in_ledger=frozenset({"a", "c"}))
    policy = MaintenancePolicy(min_snapshots_to_keep=1)
    assert plan_expiry(observed, policy, NOW) == ExpiryPlan((made[1],), kept_for_ledger=1)
    assert unneeded_snapshots(observed, policy, NOW) == [made[0], made[1]]


# ------------------------------------------------------------------ orphans


@pytest.mark.parametrize(
    ("path", "days_old", "orphan"),
    [
        ("data/x.parquet", 4, True),
        ("data/x.parquet", 3, False),  # not more than three days
        ("data/live.parquet", 4, False),
        ("metadata/m.avro", 4, True),
        ("metadata/1.metadata.json", 4, True),
        ("metadata/s.puffin", 4, True),
        ("metadata/s.stats", 4, True),
        ("metadata/README.txt", 99, False),
        ("data/x.parquet.tmp", 99, False),
    ],
)
def test_which_files_are_orphans(path, days_old, orphan):
    """Of Iceberg's kinds, old enough, and reachable from nowhere."""
    file = StoredFile(path, 7, NOW - dt.timedelta(days=days_old))
    observed = ObservedFiles((file,), frozenset({"data/live.parquet"}), frozenset({1}))
    plan = plan_orphans(observed, MaintenancePolicy(), NOW)
    assert (plan.paths, plan.bytes) == (([path], 7) if orphan else ([], 0))
    assert plan.snapshot_ids == {1}


# ------------------------------------------------------------------ all together


def test_one_plan_of_everything_and_what_is_expected_of_it():
    """Counts of what there is, less what goes, plus what it becomes."""
    policy = MaintenancePolicy(min_snapshots_to_keep=1, max_small_manifests=1)
    files = [live_file(10, key=number) for number in range(6)] + [live_file(99)]
    manifests = (manifest(1), manifest(2), manifest(3))
    table = a_table(*files, manifests=manifests, snapshots=3)
    stored = ObservedFiles((StoredFile("x.parquet", 5, NOW - dt.timedelta(days=9)),), frozenset())
    plan = plan_maintenance(table, snapshots(9, 8, 7), stored, policy, NOW)
    assert plan.merge == MergePlan(manifests)
    before = table_state(table, policy)
    assert before == TableState(files=7, small_files=6, bytes=159, manifests=3, snapshots=3)
    assert expected_state(before, plan) == TableState(
        files=2, small_files=1, bytes=159, manifests=1, snapshots=1, orphans=0
    )


def test_a_table_with_nothing_to_do_is_expected_to_stay():
    """An empty one, say."""
    table = a_table()
    plan = plan_maintenance(table, snapshots(), ObservedFiles((), frozenset()), MaintenancePolicy(), NOW)
    before = table_state(table, MaintenancePolicy())
    assert before == TableState(0, 0, 0, 0, 0)
    assert expected_state(before, plan) == TableState(0, 0, 0, 0, 0, orphans=0)
