"""Tunable numbers of reading raw files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from lakehouse.policy import KIB, MIB, Policy


@dataclass(frozen=True)
class PiecePolicy(Policy):
    """How a raw file is cut into pieces."""

    max_bytes: Annotated[int, "bytes of text, or of a Parquet file, in one piece that ingest reads"] = (
        32 * MIB
    )
    unbalanced_quotes_bytes: Annotated[
        int, "bytes of a piece after which any line end ends a row: one of its quotes must be astray"
    ] = 128 * MIB


@dataclass(frozen=True)
class RowPolicy(Policy):
    """How long one row may be, and what a reader needs for it."""

    max_bytes: Annotated[int, "bytes of the longest row that is read; a longer one is a bad row"] = 4 * MIB
    buffered_rows: Annotated[
        int,
        "rows of the longest kind that DuckDB's CSV reader buffers; left alone it takes 16 for each thread",
    ] = 4


@dataclass(frozen=True)
class RowEndPolicy(Policy):
    """When a file says that its rows end in delimiters, so that a row may have more cells than the header."""

    usual_share: Annotated[float, "share of a file's first rows that end so where its header does not"] = 0.9
    least_rows: Annotated[int, "rows that say so, where the header does not"] = 2
    least_rows_against_header: Annotated[
        int, "rows from which on they say that they do not end so, though the header does"
    ] = 10


@dataclass(frozen=True)
class FurtherTablePolicy(Policy):
    """How much of a text is looked at to tell another table below its first one."""

    bytes_above: Annotated[int, "bytes of the first table, from its header on"] = 16 * KIB
    bytes_below: Annotated[int, "bytes below a blank line, up to the next one"] = 8 * KIB


@dataclass(frozen=True)
class HeaderPolicy(Policy):
    """What of a file says how it is read."""

    head_bytes: Annotated[
        int, "bytes at a file's start that its kind, delimiter and header are read from"
    ] = 64 * KIB
    max_columns: Annotated[int, "columns of the widest header that is read"] = 5_000


@dataclass(frozen=True)
class UnknownKeyPolicy(Policy):
    """How a strict source counts the keys of JSON lines that it leaves out."""

    sampled_lines: Annotated[int, "lines at a piece's start in which such keys are counted"] = 1_000


@dataclass(frozen=True)
class HashKeyPolicy(Policy):
    """What a key must be like that values are hashed with."""

    min_characters: Annotated[int, "characters of the shortest key that is accepted"] = 32
