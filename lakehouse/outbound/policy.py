"""Knobs of the way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class DeliveryPolicy(Policy):
    """How chunks are delivered."""

    lease: Annotated[
        timedelta,
        "how long a claim keeps others from a chunk; longer than `publish` may run (120 s) and a destination may take, "
        "shorter than the queue hides a message",
    ] = timedelta(seconds=150)
    clock_difference: Annotated[
        timedelta, "how far the clocks of two workers may differ; a claim from farther ahead is dead"
    ] = timedelta(seconds=5)
    announce_again: Annotated[
        timedelta,
        "how long a run's open chunks are left alone before their messages are sent again; one may be lost",
    ] = timedelta(minutes=15)
    run_patience: Annotated[
        timedelta,
        "how long a run may have open chunks though nothing changed; then it is closed, and what it did not send is "
        "planned anew",
    ] = timedelta(hours=6)
    closing_seconds: Annotated[
        float,
        "seconds that a planner waits for workers that are sending, before it leaves closing to the next look",
    ] = 10.0
    projection_patience: Annotated[
        timedelta,
        "how long a chunk stays open because consent cannot be asked; then its rows are withheld for that",
    ] = timedelta(hours=1)


@dataclass(frozen=True)
class LogPolicy(Policy):
    """How the outbound log is read and written."""

    threads: Annotated[int, "objects that are read or written at once"] = 8
    chunks_read: Annotated[int, "chunks that are held in memory at once while a run is folded"] = 64
    rows_read: Annotated[
        int, "rows that these have in all, where chunks are large; one chunk is read anyway"
    ] = 20_000
    shard_rows: Annotated[
        int,
        "addresses that one shard of a sync's state holds before the state is cut into more; one is in memory",
    ] = 16_000
    most_shards: Annotated[int, "shards that a state is cut into at most; a power of two"] = 256


@dataclass(frozen=True)
class BrakePolicy(Policy):
    """When a plan is stopped before the CRM is touched, unless the sync's file says otherwise."""

    first_run_rows: Annotated[int, "rows that a first run writes without anybody's word"] = 10_000
    first_run_records: Annotated[
        int, "tasks, tickets or notes that a first run makes without anybody's word; people work them off"
    ] = 1_000
    leaving_share: Annotated[float, "share of those whom the CRM holds that may leave at once"] = 0.5
    leaving_rows: Annotated[int, "people who may leave at once whatever their share"] = 10
    acceptance: Annotated[timedelta, "how long somebody's word to go on counts"] = timedelta(days=1)


@dataclass(frozen=True)
class RequestPolicy(Policy):
    """How destinations are asked over HTTP."""

    attempts: Annotated[int, "tries of one request, the first included"] = 5
    first_wait_seconds: Annotated[float, "seconds before the second try; they double each time"] = 0.2
    longest_wait_seconds: Annotated[float, "seconds; no wait of our own choice is longer"] = 2.0
    jitter_seconds: Annotated[float, "seconds; the random part of a wait"] = 0.2
    patience_seconds: Annotated[
        float, "seconds that one request may wait in all because the destination asks for it"
    ] = 10.0
    chunk_seconds: Annotated[
        float, "seconds that a chunk may take; the rest of it is for the next attempt"
    ] = 90.0
    connect_seconds: Annotated[float, "seconds to wait for a connection"] = 5.0
    timeout_seconds: Annotated[float, "seconds to wait for the next bytes of an answer"] = 10.0
    workers: Annotated[int, "calls of `publish` at once; each takes its part of a destination's rate"] = 2
    most_at_once: Annotated[
        int, "chunks that one call of `publish` delivers at once to one destination, where its rate is high"
    ] = 5
    rate_of_one: Annotated[
        float,
        "requests a second that a destination must allow for each of these: so many does one chunk after another fill",
    ] = 4.0
    chunk_rows: Annotated[
        int, "rows of a chunk at most, where the destination's kind names no other number"
    ] = 100
    robot_rows: Annotated[int, "people whom one message of a robot counts at most"] = 10_000
    message_rows: Annotated[int, "contacts of one message of 企业微信, which takes no more"] = 10_000
    locked_waits: Annotated[
        tuple[float, ...],
        "seconds before each further try of records that Salesforce says somebody is writing",
    ] = (1.0, 4.0)
    paced_seconds: Annotated[
        float, "seconds that a chunk may take because of the destination's rate; it has no more rows than fit"
    ] = 45.0


@dataclass(frozen=True)
class BulkPolicy(Policy):
    """When and how Salesforce gets rows as a job of its Bulk API 2.0."""

    above_rows: Annotated[int, "rows of a chunk up to which they go 200 a request; more are a job"] = 2_000
    chunk_rows: Annotated[
        int, "rows of a chunk that are written; a job's batch is as many, of which a day has some 10,000"
    ] = 10_000
    upload_bytes: Annotated[
        int, "bytes of one upload; Salesforce takes 150 MB in base64, which is a third longer than the bytes"
    ] = 100_000_000
    first_poll_seconds: Annotated[float, "seconds before a job is asked again; they double each time"] = 1.0
    longest_poll_seconds: Annotated[float, "seconds; no such wait is longer"] = 10.0
    closings: Annotated[int, "times that a job is closed which says that it is open"] = 3


@dataclass(frozen=True)
class LimitPolicy(Policy):
    """How workers share what a destination allows."""

    rate_share: Annotated[
        float,
        "part of a destination's rate that all workers use together; what is left is for what the network bunches",
    ] = 0.98
    slot_patience_seconds: Annotated[
        float, "seconds that a request waits for its place; one that would wait longer comes back later"
    ] = 10.0
    failures_in_a_row: Annotated[int, "requests given up in a row before a destination is left alone"] = 3
    first_pause: Annotated[
        timedelta, "how long it is left alone first; twice as long after each failure that follows"
    ] = timedelta(minutes=1)
    longest_failure_pause: Annotated[timedelta, "no such pause is longer"] = timedelta(minutes=15)
    quota_pause: Annotated[
        timedelta,
        "how long a destination is left alone that has no requests left, and does not say until when",
    ] = timedelta(hours=1)
    longest_pause: Annotated[
        timedelta,
        "nothing keeps a destination closed for longer; a day of 25 hours, and the clocks' difference",
    ] = timedelta(hours=26)
    forget_after: Annotated[timedelta, "how long the table remembers a destination that nobody asks"] = (
        timedelta(days=2)
    )


@dataclass(frozen=True)
class ContactPolicy(Policy):
    """When people may be written to, unless the sync's file says otherwise."""

    cap_most: Annotated[
        int, "messages that one person gets by one channel within `cap_days`, of all syncs"
    ] = 2
    cap_days: Annotated[int, "days of that window, which ends now"] = 7
    longest_cap_days: Annotated[int, "days for which the ledger of contacts remembers one"] = 28
    quiet_from: Annotated[int, "minute of the person's day from which nobody is written to"] = 21 * 60
    quiet_until: Annotated[int, "minute of the person's day until which nobody is written to"] = 8 * 60
    window_days: Annotated[int, "days for which a plan says when a person may be written to"] = 4
    best_hour_sure: Annotated[
        float, "share of a best hour's evidence that must be the person's own before it is waited for"
    ] = 0.5
    preview_rows: Annotated[int, "rows of a dry run of which the ledger of contacts is asked"] = 2_000
    refusal_share: Annotated[float, "share of the people written to that may refuse before a sync stops"] = (
        0.02
    )
    refusal_days: Annotated[int, "days within which people were written to who are counted for that"] = 7
    least_contacted: Annotated[int, "people written to before that share is looked at"] = 100


# Of a shard of the ledger of contacts, when other workers write the same.
CHANGE_LEDGER = RetryPolicy(attempts=20, first_wait_seconds=0.02, longest_wait_seconds=0.5)
# Of a destination's item in the table of limits.
TAKE_SLOT = RetryPolicy(attempts=10, first_wait_seconds=0.01, longest_wait_seconds=0.2)
