"""The check of what tables claim of their files finds each false claim; test_sample_company.py asks all tables."""

from __future__ import annotations

import pytest
from pyiceberg.manifest import DataFile
from pyiceberg.typedef import Record

from lakehouse.tables.catalog import ensure, open_catalog
from lakehouse.tables.commit import append
from lakehouse.tables.contract import columns, partitions
from tests.support.file_claims import false_claims
from tests.support.lakes import a_contract, write

COLUMNS = columns(
    ("day", "date", "Day"),
    ("n", "long", "Number"),
    ("word", "string", "Word"),
    ("who", "string", "Who", "pii"),
)
ROWS = "SELECT DATE '2026-01-05' AS day, nullif(r * 7 % 10, 4) AS n, 'w' || r AS word, 'x' AS who FROM range(9) AS t(r)"
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


@pytest.mark.parametrize("order", ["n DESC", "n NULLS LAST", "n NULLS FIRST, word DESC"])
def test_a_sort_order_that_is_none_is_found(lake, table, order, monkeypatch):
    """Direction, the place of nulls, and the second column count."""
    monkeypatch.setattr("lakehouse.tables.data_files._order", lambda _: [order])
    rows = ROWS.replace("r * 7 % 10", "r % 5")
    [file] = write(lake, table, rows).files
    append(table, [with_claim(file, ORDER, lambda _: 1)])
    [wrong] = false_claims(table.refresh())
    assert "not sorted" in wrong
