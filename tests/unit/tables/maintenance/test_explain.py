"""The sentences that say why a table is maintained are those of its plan."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from lakehouse.tables.maintenance.coarser import CoarserPlan
from lakehouse.tables.maintenance.explain import explain
from lakehouse.tables.maintenance.listing import StoredFile
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.maintenance.table_plan import (
    Bin,
    ExpiryPlan,
    MaintenancePlan,
    MergePlan,
    OrphanPlan,
    RewritePlan,
)

POLICY = MaintenancePolicy(min_snapshots_to_keep=7)
DELETE_FILES = (
    "1 delete files of another engine, which has to rewrite its table first "
    "(Spark: CALL system.rewrite_data_files)"
)
SMALL = SimpleNamespace(file_size_in_bytes=1)
NOTHING = MaintenancePlan(CoarserPlan(), RewritePlan(), MergePlan(), ExpiryPlan(), OrphanPlan(), POLICY)


def test_nothing_to_do_needs_no_words():
    """An idle table is only counted."""
    assert explain(NOTHING) == []


def test_everything_that_is_done_or_left_is_explained():
    """In the order in which it is done, with the numbers of the policy that decided it."""
    plan = MaintenancePlan(
        CoarserPlan("at_day", "at", "year", 1_205),
        RewritePlan(
            (Bin("p1", (SMALL,) * 5), Bin("p1", (SMALL,) * 5), Bin("p2", (SMALL,) * 6)), 1_000,
            lost_bins=2, delete_files=1,
        ),
        MergePlan((object(),) * 31, claims=6),
        ExpiryPlan((object(),) * 3, kept_for_ledger=4, kept_for_consumers={"marts.m": 5}),
        OrphanPlan((StoredFile("x", 1, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),)),
        POLICY,
    )  # fmt: skip
    assert explain(plan) == [
        "1205 partitions by at_day, of which a typical year has at most 33,554,432 bytes: partition by year(at)",
        "16 files under 75% of 1,000 bytes in 2 partitions: rewrite into 3",
        DELETE_FILES,
        "2 rewrites lost every race against other writers; next time",
        "31 small manifests: merge",
        "6 files claim to be sorted, which nobody has checked: take the claims out of the manifests",
        "3 snapshots beyond the newest 7 are older than 1:00:00: expire",
        "4 older snapshots stay until `books` has copied what they say of files",
        "5 older snapshots stay for marts.m, which has not read them",
        "1 files that nothing refers to are older than 3 days: delete",
    ]
