"""The numbers of ingest: each says what it means, and they fit each other."""

from __future__ import annotations

import pytest

from lakehouse.ingest import policy
from lakehouse.ingest.reading.policy import PiecePolicy

POLICIES = [
    policy.BatchPolicy, policy.LoadingPolicy, policy.QuarantinePolicy, policy.ReplayPolicy, policy.RefillPolicy,
]  # fmt: skip


@pytest.mark.parametrize("room", POLICIES)
def test_every_number_says_what_it_means(room):
    """So that it can be listed."""
    assert all(knob.meaning and knob.value > 0 for knob in room.knobs())


def test_a_unit_holds_several_pieces():
    """Else no two threads could read into it at once."""
    assert policy.LoadingPolicy.unit_bytes >= 2 * PiecePolicy.max_bytes


def test_a_replay_fits_one_batch():
    """A batch of it is one commit."""
    assert policy.ReplayPolicy.max_files <= policy.BatchPolicy.max_files
