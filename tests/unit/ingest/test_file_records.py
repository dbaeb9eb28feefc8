"""What a commit says of a raw file, from counts alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lakehouse.ingest.file_records import REFUSED, file_record, improves_nothing, needs_quarantine_object
from lakehouse.ingest.loading.file_results import RowCounts
from tests.support.units import a_raw_file

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILE = a_raw_file()


def test_a_record_balances():
    """Every row is loaded, a duplicate, or in quarantine."""
    record = file_record(FILE, RowCounts(received=9, duplicates=2, quarantined=3), NOW)
    assert (record.received, record.loaded, record.duplicates, record.quarantined) == (9, 4, 2, 3)
    assert record.balanced
    assert (record.id, record.key, record.version, record.bytes) == (FILE.file_id, FILE.key, "v1", 10)
    assert (record.started_at, record.set_aside) == ("2026-01-01T00:00:00+00:00", "")


def test_a_refused_file_is_one_row_in_quarantine():
    """None of it is loaded."""
    record = file_record(FILE, REFUSED, NOW)
    assert (record.received, record.loaded, record.quarantined) == (1, 0, 1)


@pytest.mark.parametrize(
    ("counts", "replay", "nothing"),
    [
        (RowCounts(3, 0, 3), 0, False),  # the first load counts whatever came of it
        (RowCounts(3, 0, 3), 1, True),
        (RowCounts(3, 1, 2), 1, False),  # a duplicate left quarantine
        (RowCounts(3, 0, 2), 1, False),
        (RowCounts(0, 0, 0), 1, False),
    ],
)
def test_a_replay_that_improves_nothing(counts, replay, nothing):
    """It would be a generation that differs from the one before in its number only."""
    assert improves_nothing(file_record(FILE, counts, NOW, replay)) is nothing


@pytest.mark.parametrize(("quarantined", "replay", "needed"), [(0, 0, False), (1, 0, True), (0, 1, True)])
def test_who_has_an_object_in_quarantine(quarantined, replay, needed):
    """A replay has one also where nothing is bad any more: its digest says so."""
    record = file_record(FILE, RowCounts(received=5, quarantined=quarantined), NOW, replay)
    assert needs_quarantine_object(record) is needed
