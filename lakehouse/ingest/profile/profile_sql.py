"""Takes one piece apart for a profile: a single pass that counts all its rows, hashes their values and samples some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.batching import batches
from lakehouse.engine.escape import literals
from lakehouse.errors import BadFile
from lakehouse.ingest.profile.policy import ProfilePolicy
from lakehouse.ingest.profile.sketch import HIGHEST_HASH, Hashes
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.json_scan_sql import json_pointer, json_rows
from lakehouse.ingest.reading.longer_rows import are_longer_rows, can_be_read_at_once
from lakehouse.ingest.reading.scan_sql import delimited_cells, delimited_rows, parquet_rows
from lakehouse.ingest.reading.sound_parquet import sound_parquet
from lakehouse.ingest.reading.sound_rows import RowShape, sound_piece
from lakehouse.ingest.reading.typing_sql import trimmed_sql

if TYPE_CHECKING:
    from lakehouse.ingest.reading.piece import Piece


@dataclass(frozen=True)
class ColumnCounts:
    """A column of a piece: filled rows, fewest and most characters, hashes and sampled values.

    `hashes`: of its values, all or those up to the highest that is wanted.
    """

    name: str
    filled: int
    lengths: tuple[int, int] | None
    hashes: Hashes
    sampled: pa.Array


@dataclass(frozen=True)
class PieceCounts:
    """One piece: rows, rows that cannot be read by code, columns in their order, numbers of the sampled rows.

    `left_out`: how many columns the piece has beyond those that are profiled.
    """

    rows: int
    unreadable: dict[str, int]
    columns: list[ColumnCounts]
    sampled_rows: Hashes
    left_out: int = 0


@dataclass(frozen=True)
class _PieceRows:
    """The query of a piece's rows, the SQL of each column's text by name, and what of the piece is in neither."""

    query: str
    texts: Mapping[str, str]
    unreadable: dict[str, int] = field(default_factory=dict)
    left_out: int = 0


def count_piece(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, highest_wanted: Mapping[str, int], step: int
) -> PieceCounts:
    """Read a piece once; raises BadFile where its reader gives up.

    `highest_wanted`: by column, the hash above which none is wanted, all for one that is not named. `step`: of so many
    rows one is sampled, the first of the piece among them.
    """
    sound = None if can_be_read_at_once(piece) else sound_piece(piece, path, RowShape())
    if sound is None:
        try:
            counts = _count_rows(con, piece, path, highest_wanted, step)
        except BadFile:
            if piece.layout.kind != "parquet":
                raise
            sound = sound_parquet(piece, path)
        else:
            if piece.layout.kind == "parquet" or not (
                csv_rejects.are_any(con) or are_longer_rows(con, piece, path, counts.rows)
            ):
                return counts
            sound = sound_piece(piece, path, RowShape())
    counts = _count_rows(con, sound.piece, sound.piece.path or path, highest_wanted, step)
    return replace(counts, unreadable=counts.unreadable | csv_rejects.count_by_code(sound.unread))


def _count_rows(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, highest_wanted: Mapping[str, int], step: int
) -> PieceCounts:
    """Count the rows of a piece that DuckDB's reader finds."""
    csv_rejects.clear(con)
    try:
        rows = _piece_rows(con, piece, path)
        query = _kept_query(con, rows)
        columns: list[ColumnCounts] = []
        row_count, sampled_rows = 0, np.empty(0, np.uint64)
        for names in list(batches(rows.texts, count=ProfilePolicy.columns_per_query)) or [[]]:
            table = con.execute(_row_facts_sql(query, names, rows.texts, step)).to_arrow_table()
            row_count, sampled_rows = table.num_rows, _numbers(table["s"].drop_null())
            for column_index, name in enumerate(names):
                highest = highest_wanted.get(name, HIGHEST_HASH)
                columns.append(_column_counts(name, table, column_index, highest))
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    return PieceCounts(row_count, rows.unreadable, columns, sampled_rows, rows.left_out)


def _kept_query(con: duckdb.DuckDBPyConnection, rows: _PieceRows) -> str:
    """Return the query of a piece's rows, of a table in memory where else several queries would read the piece."""
    if len(rows.texts) <= ProfilePolicy.columns_per_query:
        return rows.query
    con.execute(f"CREATE OR REPLACE TEMP TABLE profiled_piece AS {rows.query}")
    return "FROM profiled_piece"


def _piece_rows(con: duckdb.DuckDBPyConnection, piece: Piece, path: Path) -> _PieceRows:
    if piece.layout.kind == "delimited":
        return _PieceRows(delimited_rows(piece, path), delimited_cells(piece))
    if piece.layout.kind == "parquet":
        parquet = parquet_rows(con, piece, path)
        return _PieceRows(parquet.query, parquet.texts)
    return _json_piece_rows(con, path)


def _json_piece_rows(con: duckdb.DuckDBPyConnection, path: Path) -> _PieceRows:
    """Return the rows of JSON lines: a column for each key that any of them has, in the order of their coming."""
    keys, unreadable = _keys_and_unreadable(con, path)
    names = [key for key in keys if "\0" not in key][: ProfilePolicy.max_columns]
    pointers = [json_pointer(name) for name in names]
    values = f"json_extract_string(_line, {literals(pointers)})" if pointers else "[]::VARCHAR[]"
    return _PieceRows(
        query=f"SELECT _n, _s FROM ({json_rows(path, values)}) WHERE _kind = 'OBJECT'",
        texts={name: f"_s[{index}]" for index, name in enumerate(names, 1)},
        unreadable=unreadable,
        left_out=len(keys) - len(names),
    )


def _keys_and_unreadable(con: duckdb.DuckDBPyConnection, path: Path) -> tuple[list[str], dict[str, int]]:
    """Return the keys of all lines, each once, and by code how many lines are no objects."""
    lines = json_rows(path, "json_keys(_line)")
    shapes = con.execute(
        "SELECT _kind, _s, count(*) FROM ("
        f"SELECT _n, _kind, CASE WHEN _kind = 'OBJECT' THEN _s END AS _s FROM ({lines})) GROUP BY ALL ORDER BY min(_n)"
    ).fetchall()
    keys: dict[str, None] = {}
    unreadable: dict[str, int] = {}
    for kind, line_keys, line_count in shapes:
        if kind == "OBJECT":
            keys |= dict.fromkeys(line_keys)
        else:
            code = "not_an_object" if kind else "invalid_json"
            unreadable[code] = unreadable.get(code, 0) + line_count
    return list(keys), unreadable


def _row_facts_sql(query: str, names: Sequence[str], texts: Mapping[str, str], step: int) -> str:
    """Return the SQL of a row a row: `s`, its number where it is sampled; of the n-th column hn, ln and vn.

    These are the hash of its value, its characters, and, where the row is sampled, the value's beginning. Arrow counts
    them: sixteen lists made by DuckDB took half of a profile's time. The steps are queries on top of each other: texts
    as they stand (`_r`), trimmed (`_t`), null where that is empty (`_v`).
    """
    is_sampled = f"(_n - 1) % {step} = 0"
    as_read, trimmed, filled = ["_n"], ["_n"], ["_n"]
    facts = [f"CASE WHEN {is_sampled} THEN _n END AS s"]
    for column_index, name in enumerate(names):
        as_read.append(f"{texts[name]} AS _r{column_index}")
        trimmed.append(f"{trimmed_sql(f'_r{column_index}')} AS _t{column_index}")
        filled.append(f"nullif(_t{column_index}, '') AS _v{column_index}")
        facts += _value_facts(column_index, is_sampled)
    return (
        f"SELECT {', '.join(facts)} FROM (SELECT {', '.join(filled)} FROM ("
        f"SELECT {', '.join(trimmed)} FROM (SELECT {', '.join(as_read)} FROM ({query}))))"
    )


def _value_facts(column_index: int, is_sampled: str) -> list[str]:
    """Return the SQL of what is noted of a column's value in each row."""
    value = f"_v{column_index}"
    limit = ProfilePolicy.value_characters
    beginning = (
        f"WHEN strlen({value}) <= {limit} THEN {value} WHEN TRY(json_type({value})) = 'OBJECT' THEN '{{}}' "
        f"WHEN TRY(json_type({value})) = 'ARRAY' THEN '[]' ELSE left({value}, {limit}) END"
    )
    return [
        f"CASE WHEN {value} IS NOT NULL THEN hash({value}) END AS h{column_index}",
        f"length({value}) AS l{column_index}",
        f"CASE WHEN NOT ({is_sampled}) THEN NULL {beginning} AS v{column_index}",
    ]


def _column_counts(name: str, table: pa.Table, column_index: int, highest_wanted: int) -> ColumnCounts:
    lengths = pc.min_max(table[f"l{column_index}"]).as_py()
    hashes = _numbers(table[f"h{column_index}"].drop_null())
    return ColumnCounts(
        name=name,
        filled=len(hashes),
        lengths=None if lengths["min"] is None else (lengths["min"], lengths["max"]),
        hashes=_up_to(highest_wanted, hashes),
        sampled=table[f"v{column_index}"].filter(table["s"].is_valid()).combine_chunks(),
    )


def _up_to(highest: int, hashes: Hashes) -> Hashes:
    return hashes if highest == HIGHEST_HASH else hashes[hashes <= np.uint64(highest)]


def _numbers(column: pa.ChunkedArray) -> Hashes:
    """Return a copy of the numbers of a column without nulls."""
    return np.array(column.to_numpy(), np.uint64)
