"""By when rows count as loaded, the later of two versions wins: files stay in the order in which they came."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.ingest.loading.load_times import load_times
from lakehouse.ingest.quarantine.replay_plan import Replay
from lakehouse.tables.ledger import Load


def at(minute):
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)


@pytest.mark.parametrize(
    ("file_id", "replay", "minute"),
    [
        ("old", None, 9),  # it comes now
        ("old", Replay(1, None), 3),  # it was loaded before
        ("old", Replay(1, frozenset({7})), 3),  # some of its rows were
        ("new", Replay(0, None, since=at(5).isoformat()), 5),  # it waited for a definition
        ("new", Replay(0, None), 9),
    ],
)
def test_a_replayed_file_does_not_count_as_newer_than_those_that_came_after_it(file_id, replay, minute):
    """However late somebody says how it is to be read."""
    replays = {} if replay is None else {file_id: replay}
    assert load_times([file_id], replays, {"old": Load(at(3), 1, 1)}, at(9)).of_files == {file_id: at(minute)}


@given(st.lists(st.integers(0, 50), unique=True))
def test_files_of_one_batch_keep_their_order(names):
    """No two of them count as loaded at the same moment, and each within the batch's first millisecond."""
    times = load_times(map(str, names), {}, {}, at(0)).of_files
    assert list(times) == sorted(times, key=times.__getitem__) == [str(name) for name in names]
    assert len(set(times.values())) == len(times)
    assert all(at(0) <= time < at(0) + timedelta(milliseconds=1) for time in times.values())
