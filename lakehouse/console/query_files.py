"""The rows of a query as files: CSV, JSON, Parquet, a workbook. Rows stream; a file is there whole or not at all."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

from lakehouse.console.query_json import as_json, distinct, json_value
from lakehouse.console.spreadsheet_cells import guarded
from lakehouse.errors import Terminal

if TYPE_CHECKING:
    import duckdb

Format = Literal["table", "csv", "json", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json", "parquet", "xlsx")
BINARY: tuple[Format, ...] = ("parquet", "xlsx")

# Excel's own limits
_XLSX_ROWS: Final = 1_048_576
_XLSX_COLUMNS: Final = 16_384
_XLSX_CELL: Final = 32_767  # characters
_XLSX_DIGITS: Final = 15  # that a number keeps
_XLSX_FIRST_YEAR: Final = 1900
_XLSX_NAME: Final = 31  # characters of a sheet's name
_ROWS_AT_ONCE: Final = 10_000


def format_of(path: Path | None, named: str | None) -> Format:
    """Return the format that is meant: the one that was named, else what the file's name ends with, else a table.

    Raises Terminal for a name or an ending that is no format, and for a binary format without a file.
    """
    wanted = named or (path.suffix.removeprefix(".").lower() if path else "table")
    known = next((one for one in FORMATS if one == wanted), None)
    if known is None:
        hint = "" if named else "; name one with --format"
        raise Terminal(f"{wanted or path!s} is no format: there are {', '.join(FORMATS)}{hint}")
    if path is None and known in BINARY:
        raise Terminal(f"{known} is no text: name a file with -o FILE.{known}")
    return known


def write_query(
    answer: duckdb.DuckDBPyConnection,
    path: Path,
    file_format: Format,
    *,
    guard: bool = False,
    sheet: str = "query",
) -> int:
    """Write the rows of a query to a file, replacing what was there; return how many.

    With `guard`, text that a spreadsheet would run as a formula is made harmless in CSV; in a workbook text is none.
    `sheet`: what a workbook's sheet is called; its first 31 characters are taken.
    Raises Terminal where the file cannot be written, or cannot hold the rows.
    """
    unfinished = path.with_name(f".{path.name}.part")
    writers: dict[str, Callable[[duckdb.DuckDBPyConnection, Path], int]] = {
        "csv": _write_guarded_csv if guard else _write_csv,
        "json": _write_json,
        "parquet": _write_parquet,
        "xlsx": partial(_write_xlsx, sheet_name=_sheet_name(sheet)),
    }
    try:
        count = writers[file_format](answer, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise Terminal(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return count


def columns_of(answer: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of a query's columns, as the query says them."""
    return [column[0] for column in answer.description or []]


def rows_of(answer: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query."""
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def csv_rows(
    answer: duckdb.DuckDBPyConnection, out: IO[str], cell: Callable[[Any], str] | None = None
) -> int:
    """Write a header and rows as CSV (RFC 4180, lines end with a line feed); null is empty, what is nested is JSON."""
    cell = cell or csv_cell
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(distinct(columns_of(answer)))
    count = 0
    for row in rows_of(answer):
        writer.writerow([cell(value) for value in row])
        count += 1
    return count


def csv_cell(value: Any) -> str:
    """Return a value as a cell of CSV: every digit kept, times in ISO 8601, true and false in small letters."""
    text = "" if value is None else str(value)
    match value:
        case Decimal():
            text = f"{value:f}"
        case datetime() | date():
            text = value.isoformat()
        case bool() | list() | tuple() | dict():
            text = json_value(value)
        case bytes():
            text = value.hex()
    return text


def _write_csv(answer: duckdb.DuckDBPyConnection, path: Path) -> int:
    # With a byte order mark: Excel takes Chinese text for something else without it; other readers skip it.
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        return csv_rows(answer, out)


def _write_guarded_csv(answer: duckdb.DuckDBPyConnection, path: Path) -> int:
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        return csv_rows(answer, out, _guarded_cell)


def _guarded_cell(value: Any) -> str:
    """Return a value as a cell of CSV that no spreadsheet runs; a number is one, also a negative one."""
    is_number = isinstance(value, int | float | Decimal)
    return csv_cell(value) if is_number else guarded(csv_cell(value))


def _write_json(answer: duckdb.DuckDBPyConnection, path: Path) -> int:
    count = 0

    def counted() -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for row in rows_of(answer):
            count += 1
            yield row

    with path.open("w", encoding="utf-8") as out:
        out.writelines(as_json(columns_of(answer), counted()))
    return count


def _write_parquet(answer: duckdb.DuckDBPyConnection, path: Path) -> int:
    import pyarrow as pa  # noqa: PLC0415 - heavy, only when used
    import pyarrow.parquet as pq  # noqa: PLC0415

    reader = answer.to_arrow_reader(_ROWS_AT_ONCE * 10)
    names = distinct(reader.schema.names)
    schema = pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            count += batch.num_rows
    return count


def _write_xlsx(answer: duckdb.DuckDBPyConnection, path: Path, sheet_name: str) -> int:
    try:
        import xlsxwriter  # noqa: PLC0415 - not there on AWS
    except ImportError:
        raise Terminal("workbooks need the package xlsxwriter: pip install xlsxwriter") from None
    names = distinct(columns_of(answer))
    if len(names) > _XLSX_COLUMNS:
        raise Terminal(
            f"a sheet holds {_XLSX_COLUMNS:,} columns, and the query has {len(names):,}; write Parquet"
        )
    path.open("wb").close()  # xlsxwriter tells at its end, by an error of its own, that it cannot write there
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet(sheet_name)
        formats = {
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "header": book.add_format({"bold": True}),
        }
        sheet.freeze_panes(1, 0)
        for position, name in enumerate(names):
            sheet.set_column(position, position, min(max(len(name) + 2, 12), 40))
            sheet.write_string(0, position, name, formats["header"])
        count = 0
        for row in rows_of(answer):
            count += 1
            if count >= _XLSX_ROWS:
                raise Terminal(
                    f"a sheet holds {_XLSX_ROWS - 1:,} rows, and the query has more; write Parquet or CSV"
                )
            for position, value in enumerate(row):
                _write_cell(sheet, count, position, xlsx_value(value), formats)
    return count


def _sheet_name(name: str) -> str:
    """Return a name as Excel takes it: no longer than that, and not `History`, which is its own."""
    return f"{name}_" if name.lower() == "history" else name[:_XLSX_NAME]


def xlsx_value(value: Any) -> str | float | bool | date | None:
    """Return what a cell holds: a number where Excel keeps all its digits, a date it knows, else text.

    Moments are in UTC. Raises Terminal for a text that no cell can hold.
    """
    if isinstance(value, datetime) and value.year >= _XLSX_FIRST_YEAR:
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if value is None or isinstance(value, bool) or _is_xlsx_number(value) or _is_xlsx_day(value):
        return float(value) if isinstance(value, Decimal) else value
    text = csv_cell(value)
    if len(text) > _XLSX_CELL:
        raise Terminal(
            f"a cell holds {_XLSX_CELL:,} characters, and one has {len(text):,}; write Parquet or CSV"
        )
    return text


def _is_xlsx_number(value: Any) -> bool:
    """Return whether a value is a number that a cell keeps to its last digit."""
    match value:
        case int():
            return len(str(abs(value))) <= _XLSX_DIGITS
        case Decimal():
            return value.is_finite() and len(value.normalize().as_tuple().digits) <= _XLSX_DIGITS
        case float():
            return math.isfinite(value)
    return False


def _is_xlsx_day(value: Any) -> bool:
    return isinstance(value, date) and value.year >= _XLSX_FIRST_YEAR


def _write_cell(sheet: Any, row: int, position: int, value: Any, formats: dict[str, Any]) -> None:
    """Write one cell. A text is written as a text, whatever it begins with: no spreadsheet runs it."""
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, position, value)
        case datetime():
            sheet.write_datetime(row, position, value, formats["moment"])
        case date():
            sheet.write_datetime(row, position, datetime(value.year, value.month, value.day), formats["day"])  # noqa: DTZ001
        case str():
            sheet.write_string(row, position, value)
        case _:
            sheet.write_number(row, position, value)
