"""Knobs of the privacy room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class ProjectionPolicy(Policy):
    """How the consent projection is kept. How long it is valid is the setting `consent_max_age_hours`."""

    refresh_after_share: Annotated[
        float, "share of its validity after which the projection is written anew though no consent changed"
    ] = 0.5
    writer_lease: Annotated[
        timedelta, "how long one writer keeps others out; longer than any function may run"
    ] = timedelta(minutes=16)
    grace: Annotated[
        timedelta, "how much longer items live than their header, so that none expires while it counts"
    ] = timedelta(days=1)
    writer_threads: Annotated[int, "batches of items that are written at once"] = 4


# Items and keys of a batch that DynamoDB left unprocessed.
RESEND_ITEMS = RetryPolicy(attempts=6, first_wait_seconds=0.05, longest_wait_seconds=1.6)
