"""Knobs of the way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy


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
    projection_patience: Annotated[
        timedelta,
        "how long a chunk stays open because consent cannot be asked; then its rows are withheld for that",
    ] = timedelta(hours=1)


@dataclass(frozen=True)
class LogPolicy(Policy):
    """How the outbound log is read and written."""

    threads: Annotated[int, "objects that are read or written at once"] = 8


@dataclass(frozen=True)
class HubSpotPolicy(Policy):
    """How HubSpot is asked."""

    attempts: Annotated[int, "tries of one request, the first included"] = 5
    first_wait_seconds: Annotated[float, "seconds before the second try; they double each time"] = 0.2
    longest_wait_seconds: Annotated[float, "seconds; no wait of our own choice is longer"] = 2.0
    jitter_seconds: Annotated[float, "seconds; the random part of a wait"] = 0.2
    patience_seconds: Annotated[
        float, "seconds that one request may wait in all because HubSpot asks for it"
    ] = 10.0
    chunk_seconds: Annotated[
        float, "seconds that a chunk may take; the rest of it is for the next attempt"
    ] = 90.0
    connect_seconds: Annotated[float, "seconds to wait for a connection"] = 5.0
    timeout_seconds: Annotated[float, "seconds to wait for the next bytes of an answer"] = 10.0
