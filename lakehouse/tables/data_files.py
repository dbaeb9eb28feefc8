"""Parquet files as Iceberg requires them: DuckDB writes them with field ids, its statistics become the metrics.

Rows are written in the table's sort order, by which readers skip parts of a file, and no file says so: DuckDB with
several threads keeps that order but roughly, and ClickHouse trusts `sort_order_id` so far that it does not sort rows of
several files, see docs/decisions/0032.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from pyiceberg.conversions import to_bytes
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table.sorting import NullOrder
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    IcebergType,
    IntegerType,
    LongType,
    PrimitiveType,
    StringType,
    TimestamptzType,
)

from lakehouse.engine.escape import identifier, literal, literals

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    import duckdb
    from pyiceberg.table import Table
    from pyiceberg.types import NestedField

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STRING_BOUND: Final = 16  # characters; the default of Iceberg's write.metadata.metrics: truncate(16)
_SURROGATES: Final = range(0xD800, 0xE000)  # code points that Unicode reserves: no characters
_NULLS = {NullOrder.NULLS_FIRST: "NULLS FIRST", NullOrder.NULLS_LAST: "NULLS LAST"}
_PART: Final = "_part"  # of a row: which file it goes to
# Of rows that are written time and again, mostly identifiers: a third of the time is saved, and the files are smaller.
_WRITTEN_OFTEN: Final = ("COMPRESSION_LEVEL 1", "DICTIONARY_SIZE_LIMIT 1000")
_HOURS_ONLY: Final = 2  # digits of an offset such as +00, which DuckDB writes without minutes


@dataclass(frozen=True)
class Written:
    """Data files that no snapshot refers to yet."""

    files: list[DataFile]

    @property
    def rows(self) -> int:
        """Return how many rows the files hold."""
        return sum(file.record_count for file in self.files)


def write(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    query: str,
    attempt: str,
    *,
    enums: Container[str] = (),
    split: int | str = 0,
) -> Written:
    """Write the rows of `query` as data files of `table`, partitioned and sorted as its metadata says.

    `query` yields the table's columns by name, in any order. `attempt` names the folder, so that what a failed
    attempt left can be told from what is in use. `enums` names text columns that `query` yields as an ENUM: of few
    long texts that saves a fifth of the time, and their bounds are not known. Of a table without partitions the files
    have `split` rows, each the next part of the order, or there is one for each value of the expression `split`; else
    it is one file.
    """
    folder = f"{table.location()}/data/{attempt}"
    target = _local_folder(folder) or folder
    partitions = _partition_columns(table)
    computed = [f"{_partition_sql(table, index)} AS {name}" for index, name in enumerate(partitions)]
    if split and isinstance(split, str) and not partitions:
        partitions, computed = [_PART], [f"{split} AS {_PART}"]
    options = _options(table)
    if partitions:
        options += [f"PARTITION_BY ({', '.join(partitions)})", "FILENAME_PATTERN 'part_{uuid}'"]
    elif split:
        options += [f"ROW_GROUP_SIZE {split}", "FILE_SIZE_BYTES 1", "FILENAME_PATTERN 'part_{uuid}'"]
        options += _WRITTEN_OFTEN
    else:
        target += "/part.parquet"
    columns = [*_selected(table, enums), *computed]
    copied = _copy(con, columns, query, [*partitions, *order(table)], target, options)
    files = []
    for file in copied:
        if file.rows == 0:  # COPY without partitions writes a file even of nothing
            table.io.delete(file.path)
            continue
        path = _table_path(file.path, folder, target)
        partition = Record(*_partition_values(table, file.partition_keys))
        files.append(_data_file(table, file._replace(path=path), partition))
    return Written(files)


def partitions(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> list[Record]:
    """Return the partitions that rows of `query` are in; of a table without partitions one, if there are rows."""
    names = _partition_columns(table)
    values = [
        f"CAST({_partition_sql(table, index)} AS VARCHAR) AS {name}" for index, name in enumerate(names)
    ]
    rows = con.execute(f"SELECT DISTINCT {', '.join(values) or 'NULL'} FROM ({query})").fetchall()
    return [Record(*_partition_values(table, dict(zip(names, row, strict=False)))) for row in rows]


def only_partition(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> Record | None:
    """Return the partition that all rows of `query` are in; None where there are several, or no rows."""
    names = _partition_columns(table)
    values = [
        f"CAST({_partition_sql(table, index)} AS VARCHAR) AS {name}" for index, name in enumerate(names)
    ]
    rows = con.execute(f"SELECT DISTINCT {', '.join(values) or 'NULL'} FROM ({query}) LIMIT 2").fetchall()
    if len(rows) != 1:
        return None
    keys = dict(zip(names, rows[0], strict=False))  # a table without partitions has none, and the row a NULL
    return Record(*_partition_values(table, keys))


def write_partition(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    query: str,
    path: str,
    partition: Record,
    *,
    enums: Container[str] = (),
) -> DataFile:
    """Write the rows of `query`, all of one partition, as one data file, sorted as the table's metadata says.

    `path` stands below the table's location; the folder is made where there are folders. `enums`: see `write`. This
    is faster than `write`, which copies each row to its partition first and writes each with one thread.
    """
    folder, _, name = path.rpartition("/")
    local = _local_folder(folder)
    target = path if local is None else f"{local}/{name}"
    [file] = _copy(con, _selected(table, enums), query, order(table), target, _options(table))
    return _data_file(table, file._replace(path=path), partition)


def read_sql(table: Table, paths: Iterable[str], *, file_column: str = "") -> str:
    """Return the SELECT that reads data files of the table by field id, as the table's schema is now.

    With a `file_column` there is one more, which names the file of each row, as DuckDB does. Files written before a
    column came or was widened are read as Iceberg says: null, and the wider type. DuckDB reads null, too, from a file
    without field ids: compare what was counted.
    """
    columns = ", ".join(
        f"{field.field_id}: {{name: {literal(field.name)}, type: {literal(duck_type(field.field_type))}, "
        "default_value: NULL}"
        for field in table.schema().fields
    )
    named = f", filename={literal(file_column)}" if file_column else ""
    options = f"schema=MAP {{{columns}}}, hive_partitioning=false{named}"
    return f"SELECT * FROM read_parquet({literals(list(paths))}, {options})"


def paths_since(table: Table, column: str, moment: dt.datetime) -> list[str]:
    """Return the data files that may hold rows whose `column` is not before `moment`, by the manifests alone."""
    scan = table.scan(f"{column} >= '{moment.isoformat()}'", selected_fields=(column,))
    return [task.file.file_path for task in scan.plan_files()]


def plain_path(path: str) -> str:
    """Return a path as DuckDB and the table's metadata both write it: DuckDB leaves the scheme of a local one out."""
    return path.removeprefix("file://")


def discard(table: Table, written: Written) -> None:
    """Delete files whose commit is known to have failed, so that no snapshot will ever refer to them."""
    for file in written.files:
        table.io.delete(file.file_path)


def duck_type(iceberg_type: IcebergType) -> str:
    """Return DuckDB's name of an Iceberg type."""
    text = str(iceberg_type)
    return {"string": "VARCHAR", "int": "INTEGER", "long": "BIGINT"}.get(text, text.upper().replace(" ", ""))


class _CopiedFile(NamedTuple):
    """A row of what COPY with RETURN_STATS returns, in DuckDB's order: one file that it wrote."""

    path: str
    rows: int
    bytes: int
    footer_bytes: int
    statistics: dict[str, dict[str, str]]  # by quoted column name
    partition_keys: dict[str, str | None] | None


def _copy(
    con: duckdb.DuckDBPyConnection,
    columns: list[str],
    query: str,
    order: list[str],
    target: str,
    options: list[str],
) -> list[_CopiedFile]:
    order_by = f" ORDER BY {', '.join(order)}" if order else ""
    select = f"SELECT {', '.join(columns)} FROM ({query}){order_by}"
    rows = con.execute(f"COPY ({select}) TO {literal(target)} ({', '.join(options)})").fetchall()
    return [_CopiedFile(*row) for row in rows]


def _local_folder(location: str) -> str | None:
    """Make and return the folder of a `file:` location; None for object storage, which has no folders."""
    url = urlsplit(location)
    if url.scheme not in ("file", ""):
        return None
    path = Path(url.path)  # not decoded: pyiceberg does not decode it either
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def _partition_columns(table: Table) -> list[str]:
    """Return the names under which queries compute the partition values."""
    return [f"_p{index}" for index in range(len(table.spec().fields))]


def _partition_sql(table: Table, index: int) -> str:
    field = table.spec().fields[index]
    column = identifier(table.schema().find_column_name(field.source_id) or "")
    transform = str(field.transform)
    if transform == "identity":
        return column
    if transform == "day":
        return f"date_diff('day', DATE '1970-01-01', CAST({column} AS DATE))"
    if transform == "month":
        return f"((year({column}) - 1970) * 12 + month({column}) - 1)"
    return f"(year({column}) - 1970)"


def _selected(table: Table, enums: Container[str] = ()) -> list[str]:
    """Return the table's columns, cast: a sum of decimals, say, is wider than its column, and the file must not be."""
    selected = []
    for field in table.schema().fields:
        name = identifier(field.name)
        cast = f"CAST({name} AS {duck_type(field.field_type)}) AS {name}"
        selected.append(name if field.name in enums else cast)
    return selected


def order(table: Table) -> list[str]:
    """Return the terms of the table's sort order, as ORDER BY has them."""
    schema = table.schema()
    terms = []
    for field in table.sort_order().fields:
        column = identifier(schema.find_column_name(field.source_id) or "")
        terms.append(f"{column} {field.direction.name} {_NULLS[field.null_order]}")
    return terms


def _options(table: Table) -> list[str]:
    ids = ", ".join(f"{identifier(field.name)}: {field.field_id}" for field in table.schema().fields)
    return ["FORMAT parquet", "COMPRESSION zstd", "RETURN_STATS", f"FIELD_IDS {{{ids}}}"]


def _table_path(path: str, folder: str, target: str) -> str:
    """Return a path as the table's metadata writes it: COPY names files of a local folder without their scheme."""
    if target == folder or not path.startswith("/"):
        return path
    local = Path(target)
    local_folder = local.parent if local.suffix == ".parquet" else local
    return f"{folder}/{Path(path).relative_to(local_folder)}"


def _data_file(table: Table, file: _CopiedFile, partition: Record) -> DataFile:
    statistics = {name.strip('"'): column for name, column in file.statistics.items()}
    fields = [field for field in table.schema().fields if field.name in statistics]
    lower, upper = {}, {}
    for field in fields:
        bounds = _kept_bounds(table, field, statistics[field.name])
        if bounds is not None:
            lower[field.field_id], upper[field.field_id] = bounds
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=file.rows,
        file_size_in_bytes=file.bytes,
        column_sizes={field.field_id: int(statistics[field.name]["column_size_bytes"]) for field in fields},
        value_counts={field.field_id: file.rows for field in fields},
        null_value_counts={field.field_id: int(statistics[field.name]["null_count"]) for field in fields},
        nan_value_counts={},
        lower_bounds=lower,
        upper_bounds=upper,
        key_metadata=None,
        split_offsets=None,
        equality_ids=None,
        spec_id=table.spec().spec_id,
    )


def _partition_values(table: Table, keys: dict[str, str | None] | None) -> list[Any]:
    schema = table.schema()
    values: list[Any] = []
    for name, field in zip(_partition_columns(table), table.spec().fields, strict=True):
        text = (keys or {}).get(name)
        parse: Any = int
        if isinstance(field.transform, IdentityTransform):
            result_type = field.transform.result_type(schema.find_type(field.source_id))
            parse = _PARSERS.get(type(result_type), str)
        values.append(None if text is None else parse(text))
    return values


def _kept_bounds(table: Table, field: NestedField, statistics: dict[str, str]) -> tuple[bytes, bytes] | None:
    """Return a column's bounds; None where there are none, or where the table says that they are not kept."""
    if table.properties.get(f"write.metadata.metrics.column.{field.name}") == "none":
        return None
    if "min" not in statistics or "max" not in statistics:
        return None
    return _bounds(field.field_type, statistics["min"], statistics["max"])


def _bounds(iceberg_type: IcebergType, low: str, high: str) -> tuple[bytes, bytes] | None:
    """Return the bounds in Iceberg's binary form, or None where none are kept.

    Doubles have none: engines disagree on where NaN and the two zeros stand in the order. Nor have values that
    Python cannot hold, such as infinite times.
    """
    if isinstance(iceberg_type, StringType):
        upper = _string_upper(high)
        if upper is None:
            return None
        return to_bytes(iceberg_type, low[:_STRING_BOUND]), to_bytes(iceberg_type, upper)
    parse = _PARSERS.get(type(iceberg_type))
    if parse is None or not isinstance(iceberg_type, PrimitiveType):
        return None
    try:
        return to_bytes(iceberg_type, parse(low)), to_bytes(iceberg_type, parse(high))
    except ValueError:
        return None


def _string_upper(text: str) -> str | None:
    """Return a text of at most 16 characters that is not below `text`; None where no such text exists."""
    if len(text) <= _STRING_BOUND:
        return text
    for position in range(_STRING_BOUND - 1, -1, -1):
        next_code = ord(text[position]) + 1
        if next_code <= sys.maxunicode and next_code not in _SURROGATES:
            return text[:position] + chr(next_code)
    return None


def _microseconds(text: str) -> int:
    offset = text.rsplit("+", 1)[-1]
    moment = dt.datetime.fromisoformat(text + ":00" if len(offset) <= _HOURS_ONLY else text)
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


_PARSERS: dict[type[IcebergType], Any] = {
    BooleanType: lambda text: text in ("true", "1"),
    IntegerType: int,
    LongType: int,
    DecimalType: Decimal,
    DateType: lambda text: dt.date.fromisoformat(text).toordinal() - _EPOCH.date().toordinal(),
    TimestamptzType: _microseconds,
}
