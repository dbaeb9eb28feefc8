"""Knobs of pulls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class PullPolicy(Policy):
    """How changes are pulled."""

    file_rows: Annotated[int, "records of one raw file; after each the cursor is written"] = 5_000
    overlap: Annotated[
        timedelta,
        "how far before the last change known it is asked again: some changes are shown minutes late",
    ] = timedelta(minutes=5)
    seen_records: Annotated[
        int, "records of that time that are remembered at most; of others a second version lands"
    ] = 20_000
    hubspot_requests_a_second: Annotated[float, "requests to HubSpot's search a second; it takes five"] = 4.0
    request_seconds: Annotated[float, "seconds that one request may take with all its tries"] = 120.0
