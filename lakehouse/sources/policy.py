"""The tunable numbers of source definitions: how headers are looked for, what is remembered of mappings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import Policy


@dataclass(frozen=True)
class CenturyPolicy(Policy):
    """Which century years of two digits are of."""

    last_short_year: Annotated[int, "years up to it are of 2000, later ones of 1900"] = 40


@dataclass(frozen=True)
class HeaderSearchPolicy(Policy):
    """How the header of a table is found, and what may be a name in it."""

    rows_searched: Annotated[int, "rows of a table that are looked at to find its header"] = 20
    names_told: Annotated[int, "names of a header that came that an error tells, at most"] = 40
    longest_name: Annotated[int, "characters of a column's name; what is longer is no name"] = 1_000


@dataclass(frozen=True)
class SourceMemoPolicy(Policy):
    """What a process remembers of definitions that have not changed."""

    versions: Annotated[int, "versions of mappings, of an entity each, that are remembered"] = 256
