"""A chunk is announced for when nobody may be sending it any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lakehouse.outbound.announce import delay_seconds
from lakehouse.outbound.log import Claim

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expires_in", "delay"), [(None, 0), (-5, 0), (0, 0), (0.2, 1), (149.5, 150), (900, 900), (5000, 900)]
)
def test_the_message_comes_when_the_claim_ends(expires_in, delay):
    """At once without a claim; never later than a queue can hold a message back."""
    claim = None
    if expires_in is not None:
        claim = Claim("t", 1, NOW.isoformat(), (NOW + timedelta(seconds=expires_in)).isoformat())
    assert delay_seconds(claim, NOW) == delay
