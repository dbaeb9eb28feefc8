"""The tunable numbers of the local stack: waits and grace periods, batches, log sizes, the demo's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import KIB, MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class StackPolicy(Policy):
    """How a stack is watched and ended."""

    stop_grace_seconds: Annotated[float, "what function calls under way get to end when a stack stops"] = 10.0
    shut_down_seconds: Annotated[float, "what `lakehouse down` gives a stack before it kills its process"] = (
        20.0
    )
    watch_seconds: Annotated[float, "wait between two looks whether a service has ended"] = 0.5
    lock_seconds: Annotated[
        float, "what is waited for a data folder that another command, or a stack that starts, has"
    ] = 8.0
    readers_seconds: Annotated[
        float, "what commands that read beside the owner of a store get before it is stopped"
    ] = 5.0


@dataclass(frozen=True)
class ProcessPolicy(Policy):
    """Child processes: what they are waited for, and how often is looked."""

    poll_seconds: Annotated[float, "wait between two looks at a process or service that is waited for"] = 0.01
    connect_seconds: Annotated[float, "what a port on this machine gets to accept a connection"] = 1.0
    health_seconds: Annotated[float, "what the object store gets to answer that it is healthy"] = 2.0
    kill_seconds: Annotated[float, "what a killed process gets to be gone"] = 10.0
    same_process_seconds: Annotated[float, "how far a process's creation time may be from a recorded one"] = (
        1.0
    )
    log_tail_lines: Annotated[int, "last lines of a child's log that an error message shows"] = 5


@dataclass(frozen=True)
class ServicePolicy(Policy):
    """The services under a stack: what each gets to start and to end."""

    store_start_seconds: Annotated[float, "what the object store gets to answer"] = 30.0
    # It waits for itself for a second or two; killed, it loses nothing either.
    store_stop_seconds: Annotated[float, "what the object store gets to end by itself"] = 4.0
    table_bucket_seconds: Annotated[float, "what the object store gets to make its table bucket"] = 20.0
    cloud_start_seconds: Annotated[float, "what the AWS emulator gets to answer"] = 60.0
    events_stop_seconds: Annotated[float, "what object events that came get to be passed on at the end"] = 5.0


@dataclass(frozen=True)
class StoreWatchPolicy(Policy):
    """How a stack notices that its object store takes no writes."""

    try_seconds: Annotated[float, "wait between two tries of a write while there is reason to doubt"] = 5.0
    longest_wait_seconds: Annotated[
        float, "the longest of these waits: they double as long as starts of the store do not help"
    ] = 300.0
    tried_bytes: Annotated[int, "bytes of the file by which the disk itself is tried"] = 64 * KIB
    failures_before_restart: Annotated[
        int, "tries that fail in a row, with room on the disk, before the store is started again"
    ] = 2
    low_bytes: Annotated[int, "bytes free on the disk below which the store is not started again"] = 64 * MIB
    low_share: Annotated[
        float, "the same as a share of the disk; SeaweedFS takes no writes below a hundredth"
    ] = 0.01


# A port that was free when we looked may be taken when the child binds it.
START_RETRY = RetryPolicy(attempts=3)

# Events that the bus did not take; what is lost after the last try is the sweep's to find.
EVENT_RETRY = RetryPolicy(attempts=4, first_wait_seconds=0.2, longest_wait_seconds=0.8)


@dataclass(frozen=True)
class HttpPolicy(Policy):
    """The HTTP servers of a stack, all on the loopback interface."""

    connection_seconds: Annotated[float, "how long a connection may be silent before it is closed"] = 60.0
    request_queue: Annotated[int, "connections that may wait to be accepted"] = 128
    stop_poll_seconds: Annotated[float, "wait between two looks whether a server is to stop"] = 0.1
    discarded_bytes: Annotated[
        int, "bytes that are read of a request that is too long, so that it hears so"
    ] = 96 * MIB
    discard_chunk_bytes: Annotated[int, "bytes of such a request that are read at a time"] = 64 * KIB


@dataclass(frozen=True)
class ShopPolicy(Policy):
    """The shop of `lakehouse demo --shop`."""

    port: Annotated[int, "where it answers; any port where this one is taken"] = 8642
    body_bytes: Annotated[int, "bytes of a request that it takes"] = 16 * KIB
    quantity: Annotated[int, "how many of a product one order may have"] = 99
    events: Annotated[int, "events of a visitor that its page shows"] = 12
    look_seconds: Annotated[float, "pause of its page between an answer and the next question"] = 1.5


@dataclass(frozen=True)
class PollerPolicy(Policy):
    """How functions are fed from queues."""

    concurrency: Annotated[int, "calls of a function at a time where the template sets no maximum"] = 2
    # With ten more messages of 256 KiB still under Lambda's 6 MB an invocation.
    batch_bytes: Annotated[int, "bytes of message bodies after which a batch is full"] = 3 * MIB
    moment_seconds: Annotated[
        float, "what a batch of new events or files gathers for where none came within a window before it"
    ] = 0.2
    fifo_rest_seconds: Annotated[float, "rest of a FIFO queue after each call, in which messages gather"] = (
        5.0
    )
    first_pause_seconds: Annotated[float, "pause after a queue could not be read; it doubles each time"] = 0.5
    longest_pause_seconds: Annotated[float, "no pause is longer"] = 10.0


@dataclass(frozen=True)
class SchedulePolicy(Policy):
    """When schedules run."""

    at_start_below_seconds: Annotated[int, "a schedule with a shorter rate runs when the stack starts"] = 3600
    poll_seconds: Annotated[float, "wait between two looks at what is due"] = 0.5
    after_definitions_seconds: Annotated[
        float, "wait between a change of people's definitions and the look at what it means"
    ] = 2.0


@dataclass(frozen=True)
class LogPolicy(Policy):
    """The file that functions log to."""

    rotate_bytes: Annotated[int, "size after which the next start sets the file aside"] = 10 * MIB


@dataclass(frozen=True)
class DemoPolicy(Policy):
    """The demo's size and patience."""

    company_customers: Annotated[int, "customers of the generated company beside the real purchases"] = 500
    settle_seconds: Annotated[float, "what the loop gets to come to rest before the demo gives up"] = 600.0
    poll_seconds: Annotated[float, "wait between two looks at the queues"] = 0.5
    look_seconds: Annotated[float, "time between two looks at all tables, while queues have messages"] = 10.0
