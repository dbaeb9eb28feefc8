"""The check of what tables claim of their files finds each false claim; test_sample_company.py asks all tables."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from pyiceberg.manifest import DataFile, ManifestFile, PartitionFieldSummary
from pyiceberg.typedef import Record

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append, live_files
from lakehouse.tables.contract import columns, partitions
from lakehouse.tables.maintenance.expire import expire
from lakehouse.tables.maintenance.policy import MaintenancePolicy
from lakehouse.tables.replace_files import replace_files, replace_manifests
from lakehouse.tables.replace_table import note_inputs, replace_all
from tests.support.file_claims import _is_stored_as, false_claims
from tests.support.lakes import a_contract, write

COLUMNS = columns(
    ("day", "date", "Day"),
    ("n", "long", "Number"),
    ("word", "string", "Word"),
    ("who", "string", "Who", "pii"),
)
ROWS = "SELECT DATE '2026-01-05' AS day, nullif(r * 7 % 10, 4) AS n, 'w' || r AS word, 'x' AS who FROM range(9) AS t(r)"
KEEP_ONE = MaintenancePolicy(min_snapshots_to_keep=1, max_snapshot_age=dt.timedelta(0))
PARTITION, RECORDS, BYTES, VALUES, NULLS, LOW, HIGH, ORDER = (
    3,
    4,
    5,
    7,
    8,
    10,
    11,
    15,
)  # in Iceberg's data_file


@pytest.fixture
def table(lake):
    contract = a_contract(columns=COLUMNS, partition=partitions("month(day)"), sort=("n", "word"))
    return ensure(open_catalog(lake), contract)


def with_claim(file, position, claim):
    """Return a data file of which something else is said."""
    said = [file[each] for each in range(len(file))]
    said[position] = claim(said[position])
    other = DataFile(*said)
    other.spec_id = 0
    return other


def test_what_we_write_is_as_we_say(lake, table):
    """Nothing is claimed that is not so; and a true claim of the sort order would be believed."""
    [file] = write(lake, table, ROWS).files
    append(table, [file])
    assert false_claims(table.refresh()) == []
    append(table, [with_claim(write(lake, table, ROWS).files[0], ORDER, lambda _: 1)])
    assert false_claims(table.refresh()) == []


@pytest.mark.parametrize(
    ("position", "claim", "told"),
    [
        (RECORDS, lambda number: number + 1, "9 rows"),
        (BYTES, lambda number: number - 1, "9 rows"),
        (PARTITION, lambda _: Record(1), "day_month"),
        (VALUES, lambda counts: counts | {2: 8}, "n: another number"),
        (NULLS, lambda counts: counts | {2: 0}, "n: 1 nulls"),
        (LOW, lambda bounds: bounds | {2: (1).to_bytes(8, "little")}, "n: bounds"),
        (HIGH, lambda bounds: bounds | {3: b"w7"}, "word: bounds"),
        (LOW, lambda bounds: bounds | {4: b"x"}, "who: bounds of personal data"),
    ],
)
def test_a_false_claim_is_found(lake, table, position, claim, told):
    """Of each kind that engines believe."""
    [file] = write(lake, table, ROWS).files
    append(table, [with_claim(file, position, claim)])
    [wrong, *_] = false_claims(table.refresh())
    assert told in wrong


@pytest.mark.parametrize("partition", [(), partitions("month(day)")])
def test_every_kind_of_commit_leaves_true_totals_and_manifests(lake, partition):
    """Engines count by a snapshot's summary, and leave out manifests by what the list says of them."""
    contract = a_contract(columns=COLUMNS, partition=partition, sort=("n", "word"))
    catalog = open_catalog(lake)
    table = ensure(catalog, contract)
    march, no_day = ROWS.replace("2026-01", "2026-03"), ROWS.replace("DATE '2026-01-05'", "NULL::DATE")
    changes = (
        lambda: append(table, write(lake, table, ROWS).files),
        lambda: append(table, []),
        lambda: append(table, write(lake, table, no_day).files),
        lambda: replace_all(table, write(lake, table, ROWS).files, computed_from={"a": "1"}, base=head()),
        lambda: note_inputs(table, computed_from={"a": "2"}, base=head()),
        lambda: append(table, write(lake, table, march).files),
        lambda: replace_manifests(table),
        lambda: replace_files(
            table, live_files(table), write(lake, table, f"{ROWS} UNION ALL {march}").files, same_rows=True
        ),
        lambda: expire(catalog, table, KEEP_ONE, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=1)),
        lambda: replace_all(table, [], computed_from={"a": "3"}, base=head()),
        lambda: replace_all(table, write(lake, table, march).files, computed_from={"a": "4"}, base=head()),
    )

    def head():
        return table.current_snapshot().snapshot_id

    for number, change in enumerate(changes):
        change()
        assert (number, false_claims(table.refresh())) == (number, [])


@pytest.mark.parametrize(
    ("stored", "claimed", "same"),
    [
        (pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC"), True),
        (pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC"), False),
        (pa.timestamp("us"), pa.timestamp("us", "UTC"), False),
        (pa.int32(), pa.int64(), False),
        (pa.decimal128(18, 2), pa.decimal128(38, 2), False),
        (pa.string(), pa.large_string(), True),
        (pa.list_(pa.field("element", pa.string())), pa.large_list(pa.large_string()), True),
        (pa.string(), pa.large_list(pa.large_string()), False),
    ],
)
def test_a_column_in_other_units_is_found(stored, claimed, same):
    """Spark leaves out row groups by raw numbers, and takes milliseconds for microseconds (iceberg#18173)."""
    assert _is_stored_as(stored, claimed) is same


def test_false_totals_are_found(lake, table, monkeypatch):
    """Of rows and of manifests."""
    append(table, write(lake, table, ROWS).files)
    summary = table.refresh().current_snapshot().summary
    monkeypatch.setitem(summary._additional_properties, "total-records", "8")
    assert [wrong.partition(": ")[2] for wrong in false_claims(table)] == ["total-records 8 instead of 9"]
    monkeypatch.undo()
    monkeypatch.setattr(ManifestFile, "added_rows_count", property(lambda _: 8))
    assert [wrong.partition(": ")[2] for wrong in false_claims(table)] == [
        "a manifest: 1 files of 9 rows added"
    ]
    monkeypatch.undo()
    low_and_high = (1_000).to_bytes(4, "little")
    summary_of_part = PartitionFieldSummary(False, False, low_and_high, low_and_high)
    monkeypatch.setattr(ManifestFile, "partitions", property(lambda _: [summary_of_part]))
    [wrong] = false_claims(table)
    assert "bounds of day_month that leave out values" in wrong


@pytest.mark.parametrize("order", ["n DESC", "n NULLS LAST", "n NULLS FIRST, word DESC"])
def test_a_sort_order_that_is_none_is_found(lake, table, order, monkeypatch):
    """Direction, the place of nulls, and the second column count."""
    monkeypatch.setattr("lakehouse.tables.data_files.order", lambda _: [order])
    rows = ROWS.replace("r * 7 % 10", "r % 5")
    [file] = write(lake, table, rows).files
    append(table, [with_claim(file, ORDER, lambda _: 1)])
    [wrong] = false_claims(table.refresh())
    assert "not sorted" in wrong
