"""The tunable numbers of source definitions: how headers are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class HeaderSearchPolicy(Policy):
    """How the header of a table is found, and what may be a name in it."""

    rows_searched: Annotated[int, "rows of a table that are looked at to find its header"] = 20
    longest_name: Annotated[int, "characters of a column's name; what is longer is no name"] = 1_000
