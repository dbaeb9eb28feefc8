"""Takes one piece apart for a profile: a single pass that counts all its rows, hashes their values and samples some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.engine.escape import literals
from lakehouse.errors import BadFile
from lakehouse.ingest.profile.sketch import ALL, Hashes
from lakehouse.ingest.reading import csv_rejects, scan_sql
from lakehouse.ingest.reading.typing_sql import trimmed

if TYPE_CHECKING:
    from lakehouse.ingest.reading.pieces import Piece

COLUMNS = 5_000
VALUE = 2_000  # characters of a value that a sample keeps; JSON that is longer becomes {} or []
_AT_ONCE = 32  # columns of one query: DuckDB plans it in time that grows with their square


@dataclass(frozen=True)
class Cells:
    """A column of a piece. `hashes`: of its values, all or the smallest; `lengths`: least and most characters."""

    name: str
    filled: int
    lengths: tuple[int, int] | None
    hashes: Hashes
    sampled: pa.Array


@dataclass(frozen=True)
class Counted:
    """One piece: rows, rows that cannot be read by code, columns in their order, and which rows were sampled."""

    rows: int
    unreadable: dict[str, int]
    columns: list[Cells]
    sampled: Hashes
    left_out: int = 0


def count(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path, highest: Mapping[str, int], every: int
) -> Counted:
    """Read a piece once; raises BadFile where its reader gives up.

    `highest`: by column, the hash above which none is wanted, all for one that is not named. `every`: of so many rows
    one is sampled, the first of the piece among them.
    """
    csv_rejects.forget(con)
    try:
        query, cells, unreadable, left_out = _rows(con, piece, path)
        names = list(cells)
        if len(names) > _AT_ONCE:  # else each part of them would read the piece again
            con.execute(f"CREATE OR REPLACE TEMP TABLE profiled_piece AS {query}")
            query = "FROM profiled_piece"
        columns: list[Cells] = []
        rows, places = 0, np.empty(0, np.uint64)
        for start in range(0, max(1, len(names)), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            table = con.execute(_select(query, part, cells, every)).to_arrow_table()
            rows, places = table.num_rows, _numbers(table["s"].drop_null())
            columns += [
                _cells(name, table, number, highest.get(name, ALL)) for number, name in enumerate(part)
            ]
        unreadable |= {} if piece.layout.kind == "parquet" else csv_rejects.counted(con)
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    return Counted(rows, unreadable, columns, places, left_out)


def _rows(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path
) -> tuple[str, dict[str, str], dict[str, int], int]:
    """Return the query of a piece's rows, the SQL of each column's text by name, and what no row is."""
    if piece.layout.kind == "delimited":
        cells = {name: f"_c{number}" for number, name in enumerate(piece.layout.header)}
        return scan_sql.delimited_rows(piece, path), cells, {}, 0
    if piece.layout.kind == "parquet":
        query, _, texts = scan_sql.parquet_rows(con, piece, path)
        return query, texts, {}, 0
    lines = scan_sql.json_rows(path, "json_keys(_line)")
    shapes = con.execute(
        "SELECT _kind, _s, count(*) FROM ("
        f"SELECT _n, _kind, CASE WHEN _kind = 'OBJECT' THEN _s END AS _s FROM ({lines})) GROUP BY ALL ORDER BY min(_n)"
    ).fetchall()
    unreadable: dict[str, int] = {}
    keys: dict[str, None] = {}
    for kind, found, number in shapes:
        if kind == "OBJECT":
            keys |= dict.fromkeys(found)
        else:
            code = "not_an_object" if kind else "invalid_json"
            unreadable[code] = unreadable.get(code, 0) + number
    named = [key for key in keys if "\0" not in key][:COLUMNS]
    paths = ["/" + key.replace("~", "~0").replace("/", "~1") for key in named]
    taken = f"json_extract_string(_line, {literals(paths)})" if paths else "[]::VARCHAR[]"
    query = f"SELECT _n, _s FROM ({scan_sql.json_rows(path, taken)}) WHERE _kind = 'OBJECT'"
    return (
        query,
        {key: f"_s[{number}]" for number, key in enumerate(named, 1)},
        unreadable,
        len(keys) - len(named),
    )


def _select(query: str, names: list[str], cells: Mapping[str, str], every: int) -> str:
    """Return the SQL of a row a row: `_n` where it is sampled; of each column h, l, v as `_cells` reads them.

    Arrow counts them: sixteen lists made by DuckDB took half of a profile's time.
    """
    texts, values, found = ["_n"], ["_n"], []
    sampled = f"(_n - 1) % {every} = 0"
    for number, name in enumerate(names):
        raw, text, value = (f"_{letter}{number}" for letter in "rtv")
        texts.append(f"{cells[name]} AS {raw}")
        values.append(f"{trimmed(raw)} AS {text}")
        short = (
            f"WHEN strlen({value}) <= {VALUE} THEN {value} WHEN TRY(json_type({value})) = 'OBJECT' THEN '{{}}' "
            f"WHEN TRY(json_type({value})) = 'ARRAY' THEN '[]' ELSE left({value}, {VALUE}) END"
        )
        found.append(
            f"CASE WHEN {value} IS NOT NULL THEN hash({value}) END AS h{number}, length({value}) AS l{number}, "
            f"CASE WHEN NOT ({sampled}) THEN NULL {short} AS v{number}"
        )
    filled = ["_n"] + [f"nullif(_t{number}, '') AS _v{number}" for number in range(len(names))]
    return (
        f"SELECT CASE WHEN {sampled} THEN _n END AS s{''.join(', ' + one for one in found)} FROM ("
        f"SELECT {', '.join(filled)} FROM (SELECT {', '.join(values)} FROM (SELECT {', '.join(texts)} FROM ({query}))))"
    )


def _cells(name: str, table: pa.Table, number: int, highest: int) -> Cells:
    lengths = pc.min_max(table[f"l{number}"]).as_py()
    hashes = table[f"h{number}"].drop_null()
    found = _numbers(hashes)
    return Cells(
        name,
        len(hashes),
        None if lengths["min"] is None else (lengths["min"], lengths["max"]),
        found if highest == ALL else found[found <= np.uint64(highest)],
        table[f"v{number}"].filter(table["s"].is_valid()).combine_chunks(),
    )


def _numbers(column: pa.ChunkedArray) -> Hashes:
    """Return a copy of the numbers of a column without nulls."""
    return np.array(column.to_numpy(), np.uint64)
