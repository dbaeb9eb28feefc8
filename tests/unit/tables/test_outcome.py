"""When a table can tell whether a commit took effect; tests/contract/test_expired_answers.py asks it of real tables."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pyiceberg.table.metadata import TableMetadataV1

from lakehouse.errors import Transient
from lakehouse.tables.outcome import Attempt, has_all_since, last_sequence_number, took_effect


def metadata(*sequence_numbers, last):
    """Return what a table says of its live snapshots; the id of each is ten times its number."""
    snapshots = [
        SimpleNamespace(sequence_number=number, snapshot_id=10 * number) for number in sequence_numbers
    ]
    return SimpleNamespace(
        snapshots=snapshots,
        last_sequence_number=last,
        snapshot_by_id=lambda wanted: next((each for each in snapshots if each.snapshot_id == wanted), None),
    )


@pytest.mark.parametrize(
    ("live", "last", "base", "complete"),
    [
        ((), 0, 0, True),  # a table that nobody has written
        ((1, 2, 3), 3, 3, True),  # nothing came since
        ((2, 3), 3, 1, True),  # what expired is older than the base
        ((1, 3), 3, 1, False),  # 2 has expired: it may have been ours
        ((3,), 3, 1, False),
        ((), 2, 1, False),  # somebody removed the head
        ((4, 3, 2), 4, 1, True),  # in any order
    ],
)
def test_every_later_snapshot_is_there_or_nobody_knows(live, last, base, complete):
    """By sequence numbers, of which each commit takes the next."""
    assert has_all_since(metadata(*live, last=last), base) is complete


class Table:
    """A table of which no manifest can be read."""

    def __init__(self, answer):
        self.answer = answer

    def name(self):
        return ("raw", "t")

    def refresh(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self

    @property
    def metadata(self):
        return self.answer


def attempt(snapshot_id, base):
    return Attempt(snapshot_id, base, {"m"}, {"d"})


def test_a_table_that_counts_no_commits_is_believed():
    """Format version 1 has no sequence numbers."""
    old = TableMetadataV1.model_construct(snapshots=[])
    assert last_sequence_number(old) == 0
    assert has_all_since(old, 0)


def test_what_metadata_says_needs_no_manifest():
    """Our snapshot is live, or all snapshots since are and ours is not among them."""
    assert took_effect(Table(metadata(1, 2, last=2)), attempt(20, 1))
    assert not took_effect(Table(metadata(1, 2, last=2)), attempt(7, 1))


def test_a_catalog_that_does_not_answer_is_no_answer():
    """Nor is a manifest that cannot be read."""
    with pytest.raises(Transient, match=r"^raw.t: .*catalog does not answer"):
        took_effect(Table(ConnectionError("reset")), attempt(20, 1))
    with pytest.raises(Transient, match=r"^raw.t: .*manifests cannot be read"):
        took_effect(Table(metadata(1, 3, last=3)), attempt(20, 1))
