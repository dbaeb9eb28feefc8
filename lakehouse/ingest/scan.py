"""SQL that takes a piece apart: one row a record, each column's value as text.

Rows are numbered from 1 within the piece: data rows of delimited text, where blank lines are none; lines of JSON,
where blank ones count and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse import telemetry
from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import BadFile
from lakehouse.ingest import rejects
from lakehouse.ingest.text import NO_DELIMITER, even_rows
from lakehouse.ingest.typing_sql import trimmed
from lakehouse.sources import headers

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.pieces import Piece
    from lakehouse.sources.definition import Source

_NEWLINES = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r", "": "\\n"}  # as DuckDB wants them named
_JSON_TYPES = {"string": ('"', "a string"), "object": ("{", "an object")}


@dataclass(frozen=True)
class Scan:
    """A query that yields `_n` and whatever the other members speak of.

    `texts` gives the SQL of each mapped column's text, `extra` that of the JSON of all other columns, `original` that
    of the row as it came, `faults` code, reason and condition of what makes a row no record.
    """

    query: str
    texts: dict[str, str]
    extra: str
    original: str
    faults: tuple[tuple[str, str, str], ...] = ()


def scan(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece) -> Scan:
    """Return how to read a piece; raises BadFile when it lacks a column that every row must have."""
    if piece.path is None:
        raise ValueError("this piece has nothing to read")
    if piece.layout.kind == "delimited":
        return _delimited(source, piece, piece.path)
    if piece.layout.kind == "parquet":
        return _parquet(con, source, piece, piece.path)
    return _json_lines(source, piece.path)


def delimited_rows(piece: Piece, path: Path) -> str:
    """Return the query of a delimited piece's rows: `_n`, and each cell as it stands, from `_c0` on."""
    delimiter = piece.layout.delimiter
    if not piece.ends:
        path = even_rows(path, delimiter)
    columns = "{" + ", ".join(f"'_c{number}': 'VARCHAR'" for number in range(len(piece.layout.header))) + "}"
    return (
        f"SELECT row_number() OVER () AS _n, * FROM read_csv({literal(str(path))}, auto_detect=false, "
        f"header=false, skip={piece.skip}, delim={literal(delimiter)}, quote='\"', escape='\"', "
        f"new_line={literal(_NEWLINES[piece.ends])}, "
        f"columns={columns}, {rejects.LIMITS}, {rejects.STORED})"
    )


def _delimited(source: Source, piece: Piece, path: Path) -> Scan:
    cells = {name: f"_c{number}" for number, name in enumerate(piece.layout.header)}
    texts, unknown = _mapped(source, cells)
    if piece.skip:  # the file's first piece; its folder has the file's id
        _tell_absent(source, texts, path.parent.name)
    return Scan(
        delimited_rows(piece, path),
        {name: f"nullif({trimmed(cell)}, '')" for name, cell in texts.items()},
        _json_object(unknown),
        _json_object(cells),
    )


def parquet_rows(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return the query of a Parquet piece's rows, and by name the SQL of each cell and of its text.

    Raises BadFile (duplicate_column) for names that differ in case alone.
    """
    reader = f"read_parquet({literal(str(path))}, file_row_number=true)"
    first, behind = piece.first, piece.first + (piece.lines or 0)
    query = (
        f"SELECT file_row_number - {first} + 1 AS _n, * FROM {reader} "
        f"WHERE file_row_number >= {first} AND file_row_number < {behind}"
    )
    described = con.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {reader}").fetchall()
    names = [name.casefold() for name, *_ in described]
    if len(set(names)) != len(names):
        raise BadFile("duplicate_column", "two columns of the file share a name")
    cells = {name: identifier(name) for name, *_ in described}
    nested = {name for name, kind, *_ in described if any(mark in kind for mark in "([")}
    texts = {
        name: f"CAST({f'to_json({cell})' if name in nested else cell} AS VARCHAR)"
        for name, cell in cells.items()
    }
    return query, cells, texts


def _parquet(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path) -> Scan:
    query, cells, text_of = parquet_rows(con, piece, path)
    texts, unknown = _mapped(source, {name: name for name in cells})
    if not piece.first:
        _tell_absent(source, texts, path.parent.name)
    return Scan(
        query,
        {name: f"nullif(trim({text_of[origin]}), '')" for name, origin in texts.items()},
        _json_object({name: cells[name] for name in unknown}),
        _json_object(cells),
    )


def _mapped(source: Source, cells: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the cell of each mapped column, and the cells that no column maps; raises BadFile as `match` does."""
    found = headers.match(source.columns, cells)
    texts = {column: cells[name] for column, name in found.items()}
    used = set(found.values())
    return texts, {name: cell for name, cell in cells.items() if name not in used}


def _tell_absent(source: Source, found: Collection[str], file_id: str) -> None:
    """Log which columns a file lacks that it may lack: all its rows are null there."""
    if lacking := headers.absent(source.columns, found):
        telemetry.warn(
            "columns missing",
            file_id=file_id,
            table=source.table,
            reason=f"the header lacks {', '.join(lacking)}",
        )


def _json_object(cells: dict[str, str]) -> str:
    """Return the SQL of a JSON object, or NULL where there is nothing to put into it."""
    if not cells:
        return "NULL"
    return "json_object(" + ", ".join(f"{literal(name)}, {cell}" for name, cell in cells.items()) + ")"


def json_rows(path: Path, taken_apart: str) -> str:
    """Return the query of the lines of a JSON piece that are not blank: `_n`, `_line`, `_s`, `_kind`.

    `taken_apart` is the SQL of `_s` from `_line`, null where it fails; `_kind` is the line's JSON type, null for none.
    What begins with a brace and was taken apart is an object; the rest, few lines, may take their time.
    """
    return (
        "SELECT *, CASE WHEN starts_with(_line, '{') AND _s IS NOT NULL THEN 'OBJECT' "
        f"ELSE TRY(json_type(_line)) END AS _kind FROM (SELECT _n, _line, TRY({taken_apart}) AS _s FROM ("
        f"SELECT row_number() OVER () AS _n, _line FROM read_csv({literal(str(path))}, auto_detect=false, "
        f"header=false, delim={literal(NO_DELIMITER)}, quote='', escape='', strict_mode=false, "
        f"columns={{'_line': 'VARCHAR'}}, {rejects.LIMITS}, {rejects.STORED})) "
        "WHERE CASE WHEN starts_with(_line, '{') THEN true "
        "ELSE trim(coalesce(_line, ''), ' \t\r') <> '' END)"
    )


def _json_lines(source: Source, path: Path) -> Scan:
    """Parse each line twice: once for all values, once for the number of its keys.

    Only where a line has more keys than values were found is it asked which ones nobody mapped.
    """
    kinds = {column.origin: "JSON" if column.json_type else "VARCHAR" for column in source.columns}
    query = json_rows(path, f"from_json(_line, {literal(json.dumps(kinds))})")
    texts, faults = {}, []
    for column in source.columns:
        cell = f"_s.{identifier(column.origin)}"
        text = f"CAST({cell} AS VARCHAR)" if column.json_type else cell
        if column.json_type:
            mark, words = _JSON_TYPES[column.json_type]
            faults.append(
                (f"{column.name}_not_{column.json_type}", f"{column.origin} is not {words}",
                 f"NOT starts_with({text}, {literal(mark)})")
            )  # fmt: skip
        if column.json_type == "string":
            text = f"CASE WHEN contains({text}, '\\') THEN {cell}->>'$' ELSE {text}[2:-2] END"
        texts[column.name] = f"nullif({text}, '')"
    invalid = [
        ("invalid_json", "the line is not JSON", "_kind IS NULL"),
        ("not_an_object", "the line is JSON but no object", "_kind <> 'OBJECT'"),
    ]
    return Scan(query, texts, _extra(source), "_line", (*invalid, *faults))


def _extra(source: Source) -> str:
    known = [column.origin for column in source.columns]
    found = " + ".join(f"CAST(_s.{identifier(name)} IS NOT NULL AS TINYINT)" for name in known)
    remove = literal(json.dumps(dict.fromkeys(known)))
    unknown = f"list_filter(json_keys(_line), lambda k: NOT list_contains({literals(known)}, k))"
    return (
        f"CASE WHEN _kind IS NULL OR _kind <> 'OBJECT' OR len(json_keys(_line)) = {found} THEN NULL "
        f"WHEN len({unknown}) > 0 THEN CAST(json_merge_patch(_line, {remove}) AS VARCHAR) END"
    )
