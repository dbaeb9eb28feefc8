"""Knobs of the stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class DebouncePolicy(Policy):
    """How long a stage waits for those before it. How long it waits each time is the setting `settle_seconds`."""

    patience: Annotated[timedelta, "after this long a stage runs, whatever else is still under way"] = (
        timedelta(minutes=5)
    )


@dataclass(frozen=True)
class GrantsPolicy(Policy):
    """How the grants of `core.consents` are read."""

    fetch_rows: Annotated[int, "grants that are fetched from DuckDB at once"] = 5_000
