"""SQL that reads one raw file into the batch: typed columns, or a code and a reason why a row is bad.

Every row keeps its place in the file, counted from 1: data rows in a CSV, where blank lines are none; lines in
NDJSON, where blank ones count and are left out. A line ends with a newline, a carriage return, or both.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import duckdb

from lakehouse.engine.duck import WRONG_SQL
from lakehouse.engine.escape import identifier, literal, literals
from lakehouse.errors import BadDefinition, BadFile
from lakehouse.ingest import rejects
from lakehouse.ingest.text import HEAD, Text, survey, with_even_lines, with_even_rows
from lakehouse.sources.definition import Source, SourceColumn

_JSON_TYPES = {"string": ("VARCHAR", "a string"), "object": ("OBJECT", "an object")}
_KINDS = {"timestamptz": "timestamp", "date": "date", "boolean": "boolean"}
# What a Python process, Iceberg's bounds and other engines can hold; DuckDB knows of infinity and of 290,000 AD.
_RANGES = {
    "timestamptz": "TIMESTAMPTZ '0001-01-01' AND TIMESTAMPTZ '9999-12-31 23:59:59.999999'",
    "date": "DATE '0001-01-01' AND DATE '9999-12-31'",
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
    """Add the rows of one decompressed file to `batch`; raises BadFile and adds none when it is no such file.

    Raises BadDefinition when the SQL of a check cannot run.
    """
    text = survey(path)
    stamp = [
        f"{literal(file_id)} AS _file_id",
        "_n AS _row",
        f"TIMESTAMPTZ {literal(loaded_at)} AS _loaded_at",
    ]
    if source.format == "csv":
        scan, texts, extra, original = _csv(source, text)
        structural: list[tuple[str, str, str]] = []
    else:
        scan, texts, extra, original = _ndjson(source, text)
        structural = _structural(source)
    query = _checked(source, scan, [*stamp, f"{extra} AS extra"], texts, structural, original)
    rejects.forget(con)
    try:
        con.execute(f"INSERT INTO batch BY NAME {query}")
    except WRONG_SQL as error:
        told = str(error).splitlines()[0]
        raise BadDefinition(f"source {source.source}/{source.entity}: a check is no SQL: {told}") from error
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise BadFile("unreadable_file", f"the reader gave up ({type(error).__name__})") from error
    rejects.place(con, file_id, header_lines=1 if source.format == "csv" else 0)


def _csv(source: Source, text: Text) -> tuple[str, dict[str, str], str, str]:
    delimiter, header = _header(text)
    lowered = [name.casefold() for name in header]
    if len(set(lowered)) != len(lowered):
        raise BadFile("duplicate_column", "two columns of the header share a name")
    place = {name: number for number, name in enumerate(lowered)}
    missing = [c.origin for c in source.columns if c.required and c.origin.casefold() not in place]
    if missing:
        raise BadFile("missing_column", f"the header lacks {', '.join(missing)}; see sources/*.yaml")
    uneven = text.line_ends_vary or text.blank_lines
    path = with_even_rows(text, delimiter) if uneven else text.path
    columns = "{" + ", ".join(f"'_c{number}': 'VARCHAR'" for number in range(len(header))) + "}"
    scan = (
        f"SELECT row_number() OVER () AS _n, * FROM read_csv({literal(str(path))}, auto_detect=false, "
        f"header=false, skip=1, delim={literal(delimiter)}, quote='\"', escape='\"', columns={columns}, "
        f"{rejects.LIMITS}, {rejects.STORED})"
    )
    texts = {
        column.name: f"nullif(trim(_c{place[column.origin.casefold()]}), '')"
        for column in source.columns
        if column.origin.casefold() in place
    }
    named = {column.origin.casefold() for column in source.columns}
    unknown = [(name, number) for number, name in enumerate(header) if name.casefold() not in named]
    extra = _json_object(unknown) if unknown else "NULL"
    return scan, texts, extra, _json_object([(name, number) for number, name in enumerate(header)])


def _header(text: Text) -> tuple[str, list[str]]:
    """Return the delimiter and the names of a CSV's first line that is not blank."""
    first = next((line for line in re.split(r"[\r\n]+", text.head) if line), "")
    if len(first.encode()) >= HEAD - len("\N{BOM}".encode()):
        raise BadFile("bad_header", f"the header is longer than {HEAD >> 10} KiB")
    delimiter = max(",;\t|", key=first.count)
    try:
        lines = io.StringIO(text.head, newline="")
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        header = [name.strip() or "_" for name in next((row for row in rows if row), [])]
    except csv.Error as error:
        raise BadFile("bad_header", "the header is no CSV") from error
    if not header:
        raise BadFile("empty_file", "the file has no header and no rows")
    if any("\0" in name for name in header):
        raise BadFile("bad_header", "a name in the header holds NUL")
    return delimiter, header


def _json_object(cells: list[tuple[str, int]]) -> str:
    return "json_object(" + ", ".join(f"{literal(name)}, _c{number}" for name, number in cells) + ")"


def _structural(source: Source) -> list[tuple[str, str, str]]:
    """Return code, reason and condition of what makes a line no record."""
    faults = [
        ("invalid_json", "the line is not JSON", "_kinds IS NULL"),
        ("not_an_object", "the line is JSON but no object", "_kinds[1] <> 'OBJECT'"),
    ]
    for number, column in enumerate(_kinded(source), start=2):
        wanted, words = _JSON_TYPES[column.json_type or "string"]
        condition = f"_kinds[{number}] NOT IN ('{wanted}', 'NULL')"
        faults.append((f"{column.name}_not_{column.json_type}", f"{column.origin} is not {words}", condition))
    return faults


def _kinded(source: Source) -> list[SourceColumn]:
    return [column for column in source.columns if column.json_type]


def _ndjson(source: Source, text: Text) -> tuple[str, dict[str, str], str, str]:
    paths = literals([f"$.{_json_key(column.origin)}" for column in source.columns])
    kinds = literals(["$", *(f"$.{_json_key(column.origin)}" for column in _kinded(source))])
    known = literals([column.origin for column in source.columns])
    remove = literal(json.dumps({column.origin: None for column in source.columns}))
    path = with_even_lines(text) if text.line_ends_vary else text.path
    # The reader wants a delimiter: one that the file lacks cuts no line.
    scan = (
        f"SELECT _n, _line, TRY(json_extract_string(_line, {paths})) AS _values, "
        f"TRY(json_type(_line, {kinds})) AS _kinds FROM (SELECT row_number() OVER () AS _n, _line FROM "
        f"read_csv({literal(str(path))}, auto_detect=false, header=false, delim={literal(text.spare)}, quote='', "
        f"escape='', strict_mode=false, columns={{'_line': 'VARCHAR'}}, {rejects.LIMITS}, {rejects.STORED})) "
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
        typed.append(f"{_typed(column, duck_type)} AS {identifier(column.name)}")
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


def _typed(column: SourceColumn, duck_type: str) -> str:
    """Return the SQL of a column's value; null where the text is none of its type."""
    text = identifier("_t_" + column.name)
    value = f"TRY_CAST({text} AS {duck_type})"
    if column.type in _RANGES:
        return f"CASE WHEN {value} BETWEEN {_RANGES[column.type]} THEN {value} END"
    if column.type in ("int", "long"):  # a cast would round
        return f"CASE WHEN TRY_CAST({text} AS DOUBLE) = floor(TRY_CAST({text} AS DOUBLE)) THEN {value} END"
    return value


def _index(source: Source, name: str) -> int:
    return next(number for number, column in enumerate(source.contract.columns) if column.name == name)
