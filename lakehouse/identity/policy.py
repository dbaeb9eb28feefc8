"""Knobs of identity resolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class IdentityPolicy(Policy):
    """What ties records to one customer."""

    max_records: Annotated[
        int, "an e-mail or phone in more records of one source is shared (an info@ address) and ties nobody"
    ] = 10


@dataclass(frozen=True)
class NormalisePolicy(Policy):
    """How values are brought into their normal form."""

    fetch_rows: Annotated[int, "unusual values that are fetched from DuckDB at once"] = 10_000
