"""Tunable numbers of profiling an unknown file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import KIB, MIB, Policy


@dataclass(frozen=True)
class ProfilePolicy(Policy):
    """How a file is read for its profile."""

    sample_rows: Annotated[
        int, "rows that types, formats and kinds of personal data are judged by, at most"
    ] = 20_000
    sample_bytes: Annotated[int, "bytes of these rows' values, at most"] = 64 * MIB
    value_characters: Annotated[
        int, "characters of a value that the sample keeps; JSON that is longer becomes {} or []"
    ] = 2_000
    max_columns: Annotated[int, "columns that are profiled; the others are counted"] = 5_000
    piece_bytes: Annotated[
        int, "bytes of one piece, less than ingest's: the hashes of all its values are in memory at once"
    ] = 8 * MIB
    read_bytes: Annotated[int, "bytes that are read from the file at once"] = 1024 * KIB
    columns_per_query: Annotated[
        int, "columns that one query counts: DuckDB plans it in time that grows with their square"
    ] = 32


@dataclass(frozen=True)
class SketchPolicy(Policy):
    """How distinct values are counted."""

    kept_hashes: Annotated[
        int,
        "smallest hashes of a column that are kept: exact up to so many values, then within 1/√n (one deviation)",
    ] = 4096
