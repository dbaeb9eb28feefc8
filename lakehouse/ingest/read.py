"""SQL that reads one raw file into the batch: typed columns, or a code and a reason why a row is bad.

Every row keeps its place in the file. DuckDB's CSV reader leaves out rows it cannot split and tells their line;
the places of the rows behind them are moved accordingly, so that `_row` is the same on every reading.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb

from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import BadFile
from lakehouse.sources.definition import Source, SourceColumn

_SNIFF = 1 << 16
_MAX_LINE = 4 << 20
# Without a buffer size of its own the reader takes sixteen times the longest line, for each thread.
_LIMITS = f"max_line_size={_MAX_LINE}, buffer_size={4 * _MAX_LINE}"
_KINDS = {"timestamptz": "timestamp", "date": "date", "boolean": "boolean"}
_REJECT_CODES = {
    "MISSING COLUMNS": ("too_few_fields", "the row has fewer fields than the header"),
    "TOO MANY COLUMNS": ("too_many_fields", "the row has more fields than the header"),
    "UNQUOTED VALUE": ("bad_quoting", "a quoted field goes on after its closing quote"),
    "LINE SIZE OVER MAXIMUM": ("line_too_long", f"the row is longer than {_MAX_LINE >> 20} MiB"),
    "INVALID ENCODING": ("not_utf8", "the row is not UTF-8"),
}


def create_batch(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """Create the empty temp table `batch`: the table's columns, then what is wrong with a row, and its text."""
    columns = ", ".join(f"{identifier(column.name)} {column.duck_type}" for column in source.contract.columns)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE batch ({columns}, _code VARCHAR, _reason VARCHAR, _original VARCHAR)"
    )


def read_file(
    con: duckdb.DuckDBPyConnection, source: Source, path: Path, file_id: str, loaded_at: str
) -> None:
    """Add the rows of one decompressed file to `batch`; raises BadFile and adds none when it is no such file."""
    head = _head(path)
    stamp = [
        f"{literal(file_id)} AS _file_id",
        "_n AS _row",
        f"TIMESTAMPTZ {literal(loaded_at)} AS _loaded_at",
    ]
    if source.format == "csv":
        scan, texts, extra, original = _csv(source, path, head)
        structural: list[tuple[str, str, str]] = []
    else:
        scan, texts, extra, original = _ndjson(source, path)
        structural = [
            ("invalid_json", "the line is not JSON", "_kinds IS NULL"),
            ("not_an_object", "the line is JSON but no object", "_kinds[1] <> 'OBJECT'"),
        ]
        structural += [
            (
                f"{column.name}_not_{column.json_type}",
                f"{column.origin} is not {_a(column.json_type or '')}",
                condition,
            )
            for number, column in enumerate(_kinded(source), start=2)
            if (condition := _kind_condition(column, number))
        ]
    query = _checked(source, scan, [*stamp, f"{extra} AS extra"], texts, structural, original)
    con.execute(f"INSERT INTO batch BY NAME {query}")
    _place_rejects(con, file_id, header_lines=1 if source.format == "csv" else 0)


def _head(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_SNIFF)
    if b"\0" in start:
        raise BadFile("not_text", "the file holds NUL bytes: a binary file, or text in another encoding")
    try:
        return start.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(start) - 4:  # cut within a character at the end of what was read
            return start[: error.start].decode("utf-8-sig")
        if error.start < 1024 and _mostly_binary(start):  # noqa: PLR2004
            raise BadFile("not_text", "the file is binary") from error
        return start.decode("utf-8-sig", "replace")


def _mostly_binary(start: bytes) -> bool:
    control = sum(byte < 9 or 13 < byte < 32 for byte in start)  # noqa: PLR2004
    return control * 20 > len(start)


def _csv(source: Source, path: Path, head: str) -> tuple[str, dict[str, str], str, str]:
    first = head.split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    header = [name.strip() for name in next(csv.reader(io.StringIO(head), delimiter=delimiter), [])]
    lowered = [name.casefold() for name in header]
    if len(set(lowered)) != len(lowered):
        raise BadFile("duplicate_column", "two columns of the header share a name")
    place = {name: number for number, name in enumerate(lowered)}
    missing = [c.origin for c in source.columns if c.required and c.origin.casefold() not in place]
    if missing:
        raise BadFile("missing_column", f"the header lacks {', '.join(missing)}; see sources/*.yaml")
    columns = "{" + ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(header))) + "}"
    scan = (
        f"SELECT row_number() OVER () AS _n, * FROM read_csv({literal(str(path))}, auto_detect=false, "
        f"header=false, skip=1, delim={literal(delimiter)}, quote='\"', escape='\"', columns={columns}, "
        f"{_LIMITS}, {_rejects()})"
    )
    texts = {
        column.name: f"nullif(trim(c{place[column.origin.casefold()]}), '')"
        for column in source.columns
        if column.origin.casefold() in place
    }
    named = {column.origin.casefold() for column in source.columns}
    unknown = [(name, number) for number, name in enumerate(header) if name.casefold() not in named]
    extra = _json_object(unknown) if unknown else "NULL"
    return scan, texts, extra, _json_object([(name, number) for number, name in enumerate(header)])


def _json_object(cells: list[tuple[str, int]]) -> str:
    return (
        "to_json(struct_pack(" + ", ".join(f"{identifier(name or '_')} := c{n}" for name, n in cells) + "))"
    )


def _kinded(source: Source) -> list[SourceColumn]:
    return [column for column in source.columns if column.json_type]


def _kind_condition(column: SourceColumn, number: int) -> str:
    wanted = "VARCHAR" if column.json_type == "string" else "OBJECT"
    return f"_kinds[{number}] NOT IN ('{wanted}', 'NULL')"


def _a(word: str) -> str:
    return f"an {word}" if word[:1] in "aeio" else f"a {word}"


def _ndjson(source: Source, path: Path) -> tuple[str, dict[str, str], str, str]:
    paths = literals([f"$.{_json_key(column.origin)}" for column in source.columns])
    kinds = literals(["$", *(f"$.{_json_key(column.origin)}" for column in _kinded(source))])
    known = literals([column.origin for column in source.columns])
    remove = literal(json.dumps({column.origin: None for column in source.columns}))
    scan = (
        f"SELECT _n, _line, TRY(json_extract_string(_line, {paths})) AS _values, "
        f"TRY(json_type(_line, {kinds})) AS _kinds FROM (SELECT row_number() OVER () AS _n, _line FROM "
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, delim='\\x01', quote='', escape='', "
        f"strict_mode=false, columns={{'_line': 'VARCHAR'}}, {_LIMITS}, {_rejects()})) "
        "WHERE trim(coalesce(_line, ''), ' \t\r') <> ''"
    )
    texts = {
        column.name: f"nullif(_values[{number}], '')" for number, column in enumerate(source.columns, start=1)
    }
    extra = (
        f"CASE WHEN _kinds[1] = 'OBJECT' AND len(list_filter(TRY(json_keys(_line)), "
        f"lambda k: NOT list_contains({known}, k))) > 0 THEN CAST(json_merge_patch(_line, {remove}) AS VARCHAR) END"
    )
    return scan, texts, extra, "_line"


def _json_key(name: str) -> str:
    return '"' + name.replace('"', '\\"') + '"'


def _rejects() -> str:
    return "store_rejects=true, rejects_limit=0, rejects_table='rejected', rejects_scan='rejected_scans'"


def _checked(
    source: Source,
    scan: str,
    stamp: list[str],
    texts: dict[str, str],
    structural: list[tuple[str, str, str]],
    original: str,
) -> str:
    """Return the SELECT that types each column and names the first thing wrong with a row."""
    cells, typed, faults = [], [], list(structural)
    for column in source.columns:
        duck_type = source.contract.columns[_index(source, column.name)].duck_type
        cells.append(f"{texts.get(column.name, 'NULL')} AS {identifier('_t_' + column.name)}")
        typed.append(
            f"TRY_CAST({identifier('_t_' + column.name)} AS {duck_type}) AS {identifier(column.name)}"
        )
        name, text = identifier(column.name), identifier("_t_" + column.name)
        if column.required:
            faults.append(("missing_value", f"{column.origin} is empty", f"{text} IS NULL"))
        if column.type != "string":
            code = f"bad_{_KINDS.get(column.type, 'number')}"
            faults.append(
                (code, f"{column.origin} is no {column.type}", f"{text} IS NOT NULL AND {name} IS NULL")
            )
        if column.allowed:
            words = ", ".join(literal(word) for word in column.allowed)
            faults.append(("not_allowed", f"{column.origin} is none of {words}", f"{name} NOT IN ({words})"))
    faults += [(check.code, check.reason, check.when) for check in source.checks]
    code = "CASE " + " ".join(f"WHEN {when} THEN {literal(code)}" for code, _, when in faults) + " END"
    reason = "CASE " + " ".join(f"WHEN {when} THEN {literal(reason)}" for _, reason, when in faults) + " END"
    names = [*(column.name for column in source.contract.columns)]
    outer = ", ".join(identifier(name) for name in names)
    if not faults:
        code = reason = "NULL"
    return (
        f"WITH scanned AS ({scan}), cells AS (SELECT *, {', '.join(cells)} FROM scanned), "
        f"typed AS (SELECT {', '.join(stamp)}, {', '.join(typed)}, cells.* FROM cells) "
        f"SELECT {outer}, {code} AS _code, CASE WHEN _code IS NOT NULL THEN {reason} END AS _reason, "
        f"CASE WHEN _code IS NOT NULL THEN CAST({original} AS VARCHAR) END AS _original FROM typed"
    )


def _index(source: Source, name: str) -> int:
    return next(number for number, column in enumerate(source.contract.columns) if column.name == name)


def _place_rejects(con: duckdb.DuckDBPyConnection, file_id: str, header_lines: int) -> None:
    """Move the rows behind those the reader left out, and add the latter to the batch as bad rows."""
    found = con.execute(
        "SELECT line - ?, min(CAST(error_type AS VARCHAR)), min(csv_line) FROM rejected GROUP BY line ORDER BY line",
        [header_lines],
    ).fetchall()
    con.execute("DROP TABLE rejected; DROP TABLE rejected_scans")
    if not found:
        return
    con.execute("CREATE OR REPLACE TEMP TABLE places (place BIGINT, before BIGINT)")
    con.executemany(
        "INSERT INTO places VALUES (?, ?)", [(row[0], number) for number, row in enumerate(found)]
    )
    con.execute(
        "UPDATE batch SET _row = _row + (SELECT count(*) FROM places WHERE place - before <= batch._row) "
        "WHERE _file_id = ?",
        [file_id],
    )
    for place, kind, text in found:
        code, reason = _REJECT_CODES.get(kind, ("unreadable_row", f"the row cannot be read: {kind.lower()}"))
        con.execute(
            "INSERT INTO batch BY NAME SELECT ? AS _file_id, ? AS _row, ? AS _code, ? AS _reason, ? AS _original",
            [file_id, place, code, reason, (text or "").lstrip("\n")],
        )
