"""Knobs of the segments room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class AudiencePolicy(Policy):
    """How an audience is read."""

    fetch_rows: Annotated[int, "customers that are fetched from DuckDB at once"] = 2_000


@dataclass(frozen=True)
class SegmentPolicy(Policy):
    """How segments are evaluated."""

    longest_seconds: Annotated[
        float, "seconds that the condition of one segment may take; then it keeps its members, and is told"
    ] = 60.0
    sample_rows: Annotated[int, "customers of a segment that a preview shows, names masked"] = 5


@dataclass(frozen=True)
class ExportPolicy(Policy):
    """Files of segments."""

    days: Annotated[
        int,
        "days for which an exported file may be used; the bucket's rule `exported` deletes those of runs then",
    ] = 30


@dataclass(frozen=True)
class EffectPolicy(Policy):
    """What writing to a segment brings."""

    days: Annotated[
        int, "days from entering a segment in which orders count for its effect, unless others are asked"
    ] = 14
