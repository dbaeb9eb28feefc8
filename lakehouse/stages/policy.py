"""The tunable numbers of the stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class DebouncePolicy(Policy):
    """How long a stage waits for those before it. How long it waits each time is the setting `settle_seconds`."""

    patience: Annotated[timedelta, "after this long a stage runs, whatever else is still under way"] = (
        timedelta(minutes=5)
    )
    resolve_patience: Annotated[
        timedelta,
        "after this long `resolve` waits for no more raw files: until then nobody who is new has a trigger",
    ] = timedelta(seconds=40)


@dataclass(frozen=True)
class ConsentLanePolicy(Policy):
    """How soon what people said reaches the gate, while raw files keep coming."""

    refresh_every: Annotated[
        timedelta,
        "the lane is not run again within this time of its last run, before identities are resolved",
    ] = timedelta(seconds=20)


# Files keep coming while the lane runs: it looks again at once, since a refusal may be among them.
LANE_RETRIES = RetryPolicy(attempts=3)


@dataclass(frozen=True)
class AnnouncementPolicy(Policy):
    """How many raw files one message of the ingest queue announces."""

    max_files: Annotated[int, "files of one message"] = 500
    max_message_bytes: Annotated[int, "bytes of one message's JSON; SQS takes 256 KiB"] = 200_000
    max_raw_bytes: Annotated[
        int, "bytes of one message's files: a function gets a hundred messages at once, and has five minutes"
    ] = 64 * MIB


@dataclass(frozen=True)
class SweepPolicy(Policy):
    """How the sweep compares the landing bucket with what is known."""

    ids_per_query: Annotated[int, "ids that are compared by one query"] = 10_000
    probe_racers: Annotated[int, "conditional writes at once that test an object store other than S3"] = 8


@dataclass(frozen=True)
class RawExpiryPolicy(Policy):
    """How raw files are deleted whose days are over."""

    files_per_query: Annotated[int, "files that are looked for in the ledger by one query"] = 10_000
    threads: Annotated[int, "files that are deleted at the same time"] = 8


@dataclass(frozen=True)
class ReferencesPolicy(Policy):
    """When references between the records of sources are called broken."""

    least_share: Annotated[
        float, "share of a source's filled ids that name a record; below it, a warning"
    ] = 0.9


class CustomersFoundPolicy(Policy):
    """When the links from a source's rows to customers are called broken."""

    least_share: Annotated[
        float, "share of an entity's rows with an identifier that find a customer; below it, a warning"
    ] = 0.5


@dataclass(frozen=True)
class CollisionPolicy(Policy):
    """When ids that two systems give to different people are called one by mistake."""

    most_strangers: Annotated[
        float, "share of the ids said twice whose people have nothing in common; above it, a warning"
    ] = 0.2


@dataclass(frozen=True)
class ExplainPolicy(Policy):
    """How much `lakehouse explain` shows."""

    most_rows: Annotated[int, "rows of one table that a row was computed from, at most"] = 20
