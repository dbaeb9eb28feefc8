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
    clock_difference: Annotated[
        timedelta,
        "how far the clocks of two processes may differ; what is dated farther ahead is not believed",
    ] = timedelta(seconds=60)
    grace: Annotated[
        timedelta, "how much longer items live than their epoch, so that none expires while it counts"
    ] = timedelta(days=1)
    writer_threads: Annotated[int, "batches of items that are written at once"] = 8
    fetch_rows: Annotated[int, "grants that are fetched from DuckDB at once"] = 5_000
    epoch_age: Annotated[
        timedelta, "how long items live; before that all of them are written anew, beside the old ones"
    ] = timedelta(days=30)


@dataclass(frozen=True)
class AddressHashPolicy(Policy):
    """What the key must be like that addresses are hashed with."""

    min_characters: Annotated[int, "characters that a key has at least"] = 32


# Items and keys of a batch that DynamoDB left unprocessed.
RESEND_ITEMS = RetryPolicy(attempts=6, first_wait_seconds=0.05, longest_wait_seconds=1.6)
