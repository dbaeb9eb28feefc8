"""What one message of the sweep announces: bounded by number, by its own bytes, and by those of its files."""

from __future__ import annotations

import json

import pytest

from lakehouse.landing.raw_files import RawFile
from lakehouse.stages.policy import AnnouncementPolicy
from lakehouse.stages.sweep import Swept, message_batches

MIB = 2**20


def files(*sizes: int, name: str = "x") -> list[RawFile]:
    return [RawFile("b", f"web/events/{name}{number}", "v", size) for number, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([], []),
        ([1] * 500, [500]),
        ([1] * 501, [500, 1]),
        ([30 * MIB] * 5, [2, 2, 1]),
        ([32 * MIB] * 2, [2]),
        ([2**40, 1], [1, 1]),  # a file of any size is announced
    ],
)
def test_a_message_holds_what_a_function_can_load_in_time(sizes, lengths):
    """Of large files few."""
    assert [len(batch) for batch in message_batches(files(*sizes))] == lengths


def test_a_message_stays_below_what_the_queue_takes():
    """A long Chinese key is six bytes a character in JSON; the order of the files stays."""
    named = files(*[1] * 300, name="客" * 340)
    batches = list(message_batches(named))
    assert [file for batch in batches for file in batch] == named
    for batch in batches:
        body = json.dumps({"files": [file.message() for file in batch]})
        assert len(body.encode()) <= AnnouncementPolicy.max_message_bytes + len('{"files": []}')


def test_a_sweep_says_how_far_it_is():
    """In the words that a person reads meanwhile."""
    assert str(Swept(2, 1_400, 3)) == "1,400 files looked at on 2 pages, 3 announced"
