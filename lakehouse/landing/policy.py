"""The tunable numbers of landing: how files go up, how raw files are read and unpacked, how old a webhook may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import GIB, KIB, MIB, Policy
from lakehouse.retrying import RetryPolicy


@dataclass(frozen=True)
class PutPolicy(Policy):
    """How files go from disk to the landing bucket."""

    single_request_bytes: Annotated[int, "largest file that goes up in one request, bytes"] = 8 * MIB
    part_bytes: Annotated[
        int, "bytes of a part of a larger file; more where it would have too many parts"
    ] = 16 * MIB
    in_flight_bytes: Annotated[int, "bytes of parts that are under way at once"] = 64 * MIB
    files_at_once: Annotated[int, "files that go up side by side; of large ones, one at a time"] = 4
    files_ahead: Annotated[int, "files whose outcome may wait for that of a file before them"] = 16
    name_bytes: Annotated[
        int, "bytes of a file's name that its key keeps, from the end; SeaweedFS takes 240"
    ] = 200


@dataclass(frozen=True)
class ArrivalPolicy(Policy):
    """How it is known which of the files that wait together came first."""

    pause_seconds: Annotated[
        int, "files with no longer pause between them came in one go, and are in the order of their names"
    ] = 1


# A file that several put at once: all but one are told to come again, and then find it there.
PUT_RETRY = RetryPolicy(attempts=3)


@dataclass(frozen=True)
class ReadPolicy(Policy):
    """How raw files and other objects are read."""

    chunk_bytes: Annotated[int, "bytes that are read, unpacked and handed on at once"] = MIB
    zip_slice_bytes: Annotated[int, "bytes of a zip's member that are read from scratch disk at once"] = (
        128 * KIB
    )
    zstd_slice_bytes: Annotated[
        int, "bytes of a zstd that are unpacked at once; what follows a frame in them is copied once a frame"
    ] = 64 * KIB


@dataclass(frozen=True)
class UnpackLimits(Policy):
    """How much one raw file may become; beyond it, it counts as a bomb."""

    total_bytes: Annotated[int, "bytes that come out of one raw file, at most"] = 64 * GIB
    ratio: Annotated[
        int, "bytes out for each byte in, at most: genuine logs reach 100, a bomb of gzip 1,000"
    ] = 300
    ratio_from_bytes: Annotated[int, "bytes out from which on the ratio counts"] = 64 * MIB
    members: Annotated[int, "files in a zip; frames of a zstd, where they hold next to nothing"] = 10_000
    least_frame_bytes: Annotated[int, "bytes out of a zstd's frame below which it holds next to nothing"] = (
        256
    )
    zip_directory_bytes: Annotated[int, "bytes of a zip's directory, which is held in memory"] = 4 * MIB


@dataclass(frozen=True)
class WebhookPolicy(Policy):
    """What a webhook must be to be accepted."""

    tolerance_seconds: Annotated[int, "how far a signature's time may be from ours, both ways, seconds"] = 300


@dataclass(frozen=True)
class ProbePolicy(Policy):
    """What is written to find out whether a store takes writes."""

    writes: Annotated[int, "objects that are written to each bucket"] = 3
    written_bytes: Annotated[
        int, "bytes of each; a full disk may have room for a few in the last page of a file"
    ] = 32 * KIB


@dataclass(frozen=True)
class CollectLimits(Policy):
    """How much one request of tracked events may be: Segment's limits, which its SDKs keep."""

    body_bytes: Annotated[int, "bytes of a request's body, as sent and unpacked"] = 500 * KIB
    event_bytes: Annotated[int, "bytes of one event; a larger one of a batch is set aside, alone"] = 32 * KIB
    batch_events: Annotated[int, "events of one batch"] = 2_500
    event_depth: Annotated[
        int, "objects and arrays within each other in one event; a deeper one is set aside, alone"
    ] = 100


@dataclass(frozen=True)
class WriteKeyPolicy(Policy):
    """How long write keys are believed."""

    max_age_seconds: Annotated[int, "seconds after which a revoked write key is refused at the latest"] = 30
    preflight_seconds: Annotated[int, "seconds for which a browser remembers that it may send here"] = 7_200


@dataclass(frozen=True)
class GatherPolicy(Policy):
    """How collected requests become raw files."""

    full_bytes: Annotated[int, "bytes of requests from which a call counts as full: Lambda hands on 6 MB"] = (
        4 * MIB
    )
    left_after_seconds: Annotated[
        int, "seconds after which a request that is in no raw file is looked for: its message was lost"
    ] = 60
    full_call_seconds: Annotated[
        float, "seconds that a full call takes at least; two at a time write one file a second"
    ] = 2.0
