"""SQL that takes a piece apart: one row a record, each column's value as text.

Rows are numbered from 1 within the piece: data rows of delimited text, where blank lines are none; lines of JSON,
where blank ones count and are left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakehouse import telemetry
from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import BadFile
from lakehouse.ingest.reading import csv_rejects
from lakehouse.ingest.reading.line_ends import NO_DELIMITER, even_rows
from lakehouse.ingest.reading.minimise_sql import matching, stored, without
from lakehouse.ingest.reading.typing_sql import trimmed
from lakehouse.sources import headers

if TYPE_CHECKING:
    import duckdb

    from lakehouse.ingest.reading.pieces import Piece
    from lakehouse.sources.definition import Source, SourceColumn

_NEWLINES = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r", "": "\\n"}  # as DuckDB wants them named
_JSON_TYPES = {"string": ('"', "a string"), "object": ("{", "an object"), "array": ("[", "an array")}
_SAMPLE = 1_000  # lines that unknown keys are counted in


@dataclass(frozen=True)
class Scan:
    """A query that yields `_n` and whatever the other members speak of.

    `texts` gives the SQL of each mapped column's text, `extra` that of the JSON of all other columns, `original` that
    of the row as it came or, where the source keeps less, of that; `faults` code, reason and condition of what makes a
    row no record. `left_out` says how many columns of the file are in none of them (of lines: in the first ones).
    """

    query: str
    texts: dict[str, str]
    extra: str
    original: str
    faults: tuple[tuple[str, str, str], ...] = ()
    left_out: int = 0


def scan(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece) -> Scan:
    """Return how to read a piece; raises BadFile when it lacks a column that every row must have."""
    if piece.path is None:
        raise ValueError("this piece has nothing to read")
    if piece.layout.kind == "delimited":
        return _delimited(source, piece, piece.path)
    if piece.layout.kind == "parquet":
        return _parquet(con, source, piece, piece.path)
    return _json_lines(con, source, piece.path)


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
        f"columns={columns}, {csv_rejects.LIMITS}, {csv_rejects.STORED})"
    )


def _delimited(source: Source, piece: Piece, path: Path) -> Scan:
    cells = {name: f"_c{number}" for number, name in enumerate(piece.layout.header)}
    texts, unknown = _mapped(source, cells)
    if piece.skip:  # the file's first piece; its folder has the file's id
        _tell_absent(source, texts, path.parent.name)
    texts = {name: f"nullif({trimmed(cell)}, '')" for name, cell in texts.items()}
    return _tabular(source, delimited_rows(piece, path), texts, unknown, cells)


def _tabular(
    source: Source, query: str, texts: dict[str, str], unknown: dict[str, str], cells: dict[str, str]
) -> Scan:
    if source.strict:
        return Scan(query, texts, "NULL", _json_object(_shown(source, cells)), left_out=len(unknown))
    return Scan(query, texts, _json_object(unknown), _json_object(_shown(source, cells)))


def _shown(source: Source, cells: dict[str, str]) -> dict[str, str]:
    """Return what quarantine may keep of each cell, by its name in the file."""
    if not source.guarded:
        return cells
    shown = {}
    columns = {headers.normal(name): column for column in source.columns for name in column.names}
    for name, cell in cells.items():
        column = columns.get(headers.normal(name))
        if column is None and not source.strict:
            shown[name] = cell
        elif column is not None and not column.dropped:
            shown[name] = stored(column, identifier(column.name)) if column.collect else cell
    return shown


def parquet_rows(
    con: duckdb.DuckDBPyConnection, piece: Piece, path: Path
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return the query of a Parquet piece's rows, and by name the SQL of each cell and of its text.

    Cells get names of their own: a column of the file may be called like one of the table.

    Raises BadFile (duplicate_column) for names that differ in case alone.
    """
    reader = f"read_parquet({literal(str(path))}, file_row_number=true)"
    first, behind = piece.first, piece.first + (piece.lines or 0)
    described = con.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {reader}").fetchall()
    names = [name.casefold() for name, *_ in described]
    if len(set(names)) != len(names):
        raise BadFile("duplicate_column", "two columns of the file share a name")
    cells = {name: f"_c{number}" for number, (name, *_) in enumerate(described)}
    named = ", ".join(f"{identifier(name)} AS {cell}" for name, cell in cells.items())
    query = (
        f"SELECT file_row_number - {first} + 1 AS _n, {named} FROM {reader} "
        f"WHERE file_row_number >= {first} AND file_row_number < {behind}"
    )
    nested = {name for name, kind, *_ in described if any(mark in kind for mark in "([")}
    texts = {
        name: f"CAST({f'to_json({cell})' if name in nested else cell} AS VARCHAR)"
        for name, cell in cells.items()
    }
    return query, cells, texts


def _parquet(con: duckdb.DuckDBPyConnection, source: Source, piece: Piece, path: Path) -> Scan:
    query, cells, text_of = parquet_rows(con, piece, path)
    origins, unknown = _mapped(source, {name: name for name in cells})
    if not piece.first:
        _tell_absent(source, origins, path.parent.name)
    texts = {name: f"nullif(trim({text_of[origin]}), '')" for name, origin in origins.items()}
    return _tabular(source, query, texts, {name: cells[name] for name in unknown}, cells)


def _mapped(source: Source, cells: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the cell of each column of the table, and the cells that no column maps; raises BadFile as `match` does.

    What goes by any name of a column with a rule on what is kept of it is none of the latter.
    """
    found = headers.match(source.columns, cells)
    texts = {column.name: cells[found[column.name]] for column in source.stored if column.name in found}
    used = set(found.values())
    ruled = {headers.normal(name) for column in source.columns if column.collect for name in column.names}
    return texts, {
        name: cell for name, cell in cells.items() if name not in used and headers.normal(name) not in ruled
    }


def _tell_absent(source: Source, found: Collection[str], file_id: str) -> None:
    """Log which columns a file lacks that it may lack: all its rows are null there."""
    if lacking := headers.absent(source.stored, found):
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
        f"columns={{'_line': 'VARCHAR'}}, {csv_rejects.LIMITS}, {csv_rejects.STORED})) "
        "WHERE CASE WHEN starts_with(_line, '{') THEN true "
        "ELSE trim(coalesce(_line, ''), ' \t\r') <> '' END)"
    )


def _json_lines(con: duckdb.DuckDBPyConnection, source: Source, path: Path) -> Scan:
    """Parse each line twice: once for all values, once for the number of its keys.

    Only where a line has more keys than values were found is it asked which ones nobody mapped.
    """
    outer = {nested[0] for column in source.columns if (nested := _nested(column.origin))}
    kinds = {column.origin: "JSON" if column.json_type else "VARCHAR" for column in source.columns}
    query = json_rows(
        path, f"from_json(_line, {literal(json.dumps(kinds | dict.fromkeys(sorted(outer), 'JSON')))})"
    )
    texts, faults = {}, []
    for column in source.stored:
        cell, text = _json_cell(column, outer)
        if column.json_type:
            mark, words = _JSON_TYPES[column.json_type]
            faults.append(
                (f"{column.name}_not_{column.json_type}", f"{column.origin} is not {words}",
                 f"NOT starts_with({text}, {literal(mark)})")
            )  # fmt: skip
        if column.json_type == "string":
            text = f"CASE WHEN contains({text}, '\\') THEN {cell}->>'$' ELSE {text}[2:-2] END"
        texts[column.name] = f"nullif({text}, '')"
    withheld = csv_rejects.WITHHELD if source.guarded else ""
    invalid = [
        ("invalid_json", f"the line is not JSON{withheld}", "_kind IS NULL"),
        ("not_an_object", f"the line is JSON but no object{withheld}", "_kind <> 'OBJECT'"),
    ]
    original = _shown_line(source) if source.guarded else "_line"
    left_out = _unknown_keys(con, source, path) if source.strict else 0
    return Scan(query, texts, _extra(source, outer), original, (*invalid, *faults), left_out)


def _shown_line(source: Source) -> str:
    """Return the SQL of what quarantine may keep of a line: what is in `extra`, and of mapped columns what is kept."""
    members = []
    for column in source.stored:
        value = f"json_extract(_line, {literal(_pointer(column.origin))})"
        if keys := _nested(column.origin):
            value = f"coalesce({value}, json_extract(_line, {literal(_pointer(*keys))}))"
        if column.collect:
            value = stored(column, identifier(column.name))
            value = f"CAST({value} AS JSON)" if column.json_type == "object" else value
        members.append(f"{literal(column.origin)}, {value}")
    return (
        f"CASE WHEN _kind = 'OBJECT' THEN json_merge_patch(coalesce(extra, '{{}}'), "
        f"json_object({', '.join(members)})) END"
    )


def _pointer(*keys: str) -> str:
    """Return the JSON pointer (RFC 6901) of a key of the topmost object, or of one within objects."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _unknown_keys(con: duckdb.DuckDBPyConnection, source: Source, path: Path) -> int:
    """Return how many different keys the first lines have that no column maps."""
    known = literals([(_nested(column.origin) or (column.origin,))[0] for column in source.columns])
    lines = f"SELECT _line FROM ({json_rows(path, 'NULL')}) WHERE _kind = 'OBJECT' LIMIT {_SAMPLE}"
    keys = f"SELECT unnest(json_keys(_line)) AS k FROM ({lines})"
    found = con.execute(
        f"SELECT count(DISTINCT k) FROM ({keys}) WHERE NOT list_contains({known}, k)"
    ).fetchone()
    csv_rejects.forget(con)
    return int(found[0]) if found else 0


def _nested(origin: str) -> tuple[str, ...]:
    """Return the keys on the way to a value within objects; none for a value of the record itself."""
    keys = tuple(origin.split("."))
    return keys if len(keys) > 1 and all(keys) else ()


def _json_cell(column: SourceColumn, outer: Collection[str]) -> tuple[str, str]:
    """Return the SQL of a column's JSON and of its text; only that of the text where nobody asks for its JSON type."""
    cell, keys = f"_s.{identifier(column.origin)}", _nested(column.origin)
    if keys:
        path = literal("$" + "".join("." + json.dumps(key, ensure_ascii=False) for key in keys[1:]))
        within = f"_s.{identifier(keys[0])}"
        if column.json_type is None:
            return cell, f"coalesce({cell}, {within}->>{path})"
        cell = f"coalesce({cell}, {within}->{path})"
        cell = f"CASE WHEN json_type({cell}) <> 'NULL' THEN {cell} END"
    elif column.json_type is None:
        return cell, f"{cell}->>'$'" if column.origin in outer else cell
    return cell, f"CAST({cell} AS VARCHAR)"


def _extra(source: Source, outer: set[str]) -> str:
    """Return the SQL of a line's JSON less what is mapped, and less what is spelled like a column with a rule."""
    if source.strict:
        return "NULL"
    if outer:
        return _extra_within(source, outer)
    known = [column.origin for column in source.columns]
    found = " + ".join(f"CAST(_s.{identifier(name)} IS NOT NULL AS TINYINT)" for name in known)
    remove = literal(json.dumps(dict.fromkeys(known)))
    ours = f"list_contains({literals(known)}, k)"
    rest = f"CAST(json_merge_patch(_line, {remove}) AS VARCHAR)"
    if ruled := [name for column in source.columns if column.collect for name in column.names]:
        ours = f"({ours} OR {matching(ruled)})"
        rest = without("_line", ours)
    unknown = f"list_filter(json_keys(_line), lambda k: NOT {ours})"
    return (
        f"CASE WHEN _kind IS NULL OR _kind <> 'OBJECT' OR len(json_keys(_line)) = {found} THEN NULL "
        f"WHEN len({unknown}) > 0 THEN {rest} END"
    )


def _without(ways: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """Return the merge patch (RFC 7396) that takes the values at the ends of these ways out of an object."""
    patch: dict[str, Any] = {}
    for way in sorted(ways, key=len, reverse=True):  # an outer value takes those within it along
        place = patch
        for key in way[:-1]:
            place = place.setdefault(key, {})
        place[way[-1]] = None
    return patch


def _extra_within(source: Source, outer: set[str]) -> str:
    """Return the SQL of what no column names, where columns name values within objects.

    Of such an object only what is named goes; one of which nothing is left goes too, and what is no object stays.
    """
    named = {column.origin for column in source.columns}
    gone = [literal(f"{json.dumps(name)}:null") for name in sorted(named)]
    for name in sorted(outer - named):
        inner = _without([keys[1:] for origin in named if (keys := _nested(origin)) and keys[0] == name])
        cell, patch = f"_s.{identifier(name)}", literal(json.dumps(inner))
        gone.append(
            f"CASE WHEN {cell} IS NULL OR CAST(json_merge_patch({cell}, {patch}) AS VARCHAR) = '{{}}' "
            f"AND json_type({cell}) = 'OBJECT' THEN {literal(json.dumps(name) + ':null')} "
            f"WHEN json_type({cell}) = 'OBJECT' THEN {literal(f'{json.dumps(name)}:{json.dumps(inner)}')} END"
        )
    rest = f"json_merge_patch(_line, '{{' || concat_ws(',', {', '.join(gone)}) || '}}')"
    if ruled := [name for column in source.columns if column.collect for name in column.names]:
        rest = without(rest, matching(ruled))
    return f"CASE WHEN _kind = 'OBJECT' THEN nullif(CAST({rest} AS VARCHAR), '{{}}') END"
