"""Parquet files as Iceberg wants them: DuckDB writes them with field ids, its statistics become the metrics."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyiceberg.conversions import to_bytes
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
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

from lakehouse.engine.escape import identifier, literal

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    import duckdb
    from pyiceberg.table import Table

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_STRING_BOUND = 16  # Iceberg's own default: truncate(16)


@dataclass(frozen=True)
class Written:
    """Data files that no snapshot refers to yet."""

    files: list[DataFile]

    @property
    def rows(self) -> int:
        """Return how many rows the files hold."""
        return sum(file.record_count for file in self.files)


def write(
    con: duckdb.DuckDBPyConnection, table: Table, query: str, attempt: str, *, enums: Container[str] = ()
) -> Written:
    """Write the rows of `query` as data files of `table`, partitioned and sorted as its metadata says.

    `query` yields the table's columns by name, in any order. `attempt` names the folder, so that what a failed
    attempt left can be told from what is in use. `enums` names text columns that `query` yields as an ENUM: of few
    long texts that saves a fifth of the time, and their bounds are not known.
    """
    folder = f"{table.location()}/data/{attempt}"
    target = _local_folder(folder) or folder
    partitions = [f"_p{number}" for number in range(len(table.spec().fields))]
    selected = _selected(table, enums)
    computed = [f"{_partition_sql(table, number)} AS {name}" for number, name in enumerate(partitions)]
    order = _order(table)
    options = _options(table)
    if partitions:
        options += [f"PARTITION_BY ({', '.join(partitions)})", "FILENAME_PATTERN 'part_{uuid}'"]
    else:
        target += "/part.parquet"
    copy = (
        f"COPY (SELECT {', '.join(selected + computed)} FROM ({query})"
        + (f" ORDER BY {', '.join(partitions + order)}" if partitions or order else "")
        + f") TO {literal(target)} ({', '.join(options)})"
    )
    rows = con.execute(copy).fetchall()
    for path, count, *_ in rows:
        if count == 0:  # COPY without partitions writes a file even of nothing
            table.io.delete(path)
    return Written([_partitioned_file(table, folder, target, row) for row in rows if row[1] > 0])


def only_partition(con: duckdb.DuckDBPyConnection, table: Table, query: str) -> Record | None:
    """Return the partition that all rows of `query` are in; None where there are several, or no rows."""
    numbers = range(len(table.spec().fields))
    values = ", ".join(
        f"CAST({_partition_sql(table, number)} AS VARCHAR) AS _p{number}" for number in numbers
    )
    rows = con.execute(f"SELECT DISTINCT {values or 'NULL'} FROM ({query}) LIMIT 2").fetchall()
    if len(rows) != 1:
        return None
    return Record(*_partition_values(table, {f"_p{number}": rows[0][number] for number in numbers}))


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
    order = _order(table)
    copy = (
        f"COPY (SELECT {', '.join(_selected(table, enums))} FROM ({query})"
        + (f" ORDER BY {', '.join(order)}" if order else "")
        + f") TO {literal(target)} ({', '.join(_options(table))})"
    )
    [(_, *row)] = con.execute(copy).fetchall()
    return _data_file(table, (path, *row), partition)


def read_sql(table: Table, paths: Iterable[str]) -> str:
    """Return the SELECT that reads data files of the table by field id, as the table's schema is now.

    Files written before a column came or was widened are read as Iceberg says: null, and the wider type. DuckDB reads
    null, too, from a file without field ids: compare what was counted.
    """
    columns = ", ".join(
        f"{field.field_id}: {{name: {literal(field.name)}, type: {literal(duck_type(field.field_type))}, "
        "default_value: NULL}"
        for field in table.schema().fields
    )
    listed = ", ".join(literal(path) for path in paths)
    return f"SELECT * FROM read_parquet([{listed}], schema=MAP {{{columns}}}, hive_partitioning=false)"


def paths_since(table: Table, column: str, moment: dt.datetime) -> list[str]:
    """Return the data files that may hold rows whose `column` is not before `moment`, by the manifests alone."""
    scan = table.scan(f"{column} >= '{moment.isoformat()}'", selected_fields=(column,))
    return [task.file.file_path for task in scan.plan_files()]


def discard(table: Table, written: Written) -> None:
    """Delete files whose commit is known to have failed, so that no snapshot will ever refer to them."""
    for file in written.files:
        table.io.delete(file.file_path)


def duck_type(kind: IcebergType) -> str:
    """Return DuckDB's name of an Iceberg type."""
    text = str(kind)
    return {"string": "VARCHAR", "int": "INTEGER", "long": "BIGINT"}.get(text, text.upper().replace(" ", ""))


def _local_folder(location: str) -> str | None:
    """Make and return the folder of a `file:` location; None for object storage, which has no folders."""
    url = urlsplit(location)
    if url.scheme not in ("file", ""):
        return None
    path = Path(url.path)  # as it stands: pyiceberg does not decode it either
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def _partition_sql(table: Table, number: int) -> str:
    field = table.spec().fields[number]
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
    return [
        identifier(field.name)
        if field.name in enums
        else f"CAST({identifier(field.name)} AS {duck_type(field.field_type)}) AS {identifier(field.name)}"
        for field in table.schema().fields
    ]


def _order(table: Table) -> list[str]:
    schema = table.schema()
    return [identifier(schema.find_column_name(field.source_id) or "") for field in table.sort_order().fields]


def _options(table: Table) -> list[str]:
    ids = ", ".join(f"{identifier(field.name)}: {field.field_id}" for field in table.schema().fields)
    return ["FORMAT parquet", "COMPRESSION zstd", "RETURN_STATS", f"FIELD_IDS {{{ids}}}"]


def _partitioned_file(table: Table, folder: str, target: str, row: tuple[Any, ...]) -> DataFile:
    path, *rest, keys = row
    if target != folder and path.startswith("/"):
        path = f"{folder}/{Path(path).relative_to(_root(target))}"
    return _data_file(table, (path, *rest, keys), Record(*_partition_values(table, keys)))


def _data_file(table: Table, row: tuple[Any, ...], partition: Record) -> DataFile:
    path, count, size, _footer, statistics, _keys = row
    by_name = {name.strip('"'): stats for name, stats in statistics.items()}
    sizes, values, nulls, lower, upper = {}, {}, {}, {}, {}
    for field in table.schema().fields:
        stats = by_name.get(field.name)
        if stats is None:
            continue
        sizes[field.field_id] = int(stats["column_size_bytes"])
        values[field.field_id] = count
        nulls[field.field_id] = int(stats["null_count"])
        hidden = table.properties.get(f"write.metadata.metrics.column.{field.name}") == "none"
        if not hidden and "min" in stats and "max" in stats:
            bounds = _bounds(field.field_type, stats["min"], stats["max"])
            if bounds is not None:
                lower[field.field_id], upper[field.field_id] = bounds
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=count,
        file_size_in_bytes=size,
        column_sizes=sizes,
        value_counts=values,
        null_value_counts=nulls,
        nan_value_counts={},
        lower_bounds=lower,
        upper_bounds=upper,
        key_metadata=None,
        split_offsets=None,
        equality_ids=None,
        sort_order_id=table.sort_order().order_id,
        spec_id=table.spec().spec_id,
    )


def _root(target: str) -> Path:
    path = Path(target)
    return path.parent if path.suffix == ".parquet" else path


def _partition_values(table: Table, keys: dict[str, str | None] | None) -> list[Any]:
    schema = table.schema()
    values: list[Any] = []
    for number, field in enumerate(table.spec().fields):
        text = (keys or {}).get(f"_p{number}")
        kind = field.transform.result_type(schema.find_type(field.source_id))
        if isinstance(field.transform, IdentityTransform):
            values.append(None if text is None else _PARSERS.get(type(kind), str)(text))
        else:
            values.append(None if text is None else int(text))
    return values


def _bounds(kind: IcebergType, low: str, high: str) -> tuple[bytes, bytes] | None:
    """Return the bounds in Iceberg's binary form, or None where none are kept.

    Doubles have none: engines disagree on where NaN and the two zeros stand in the order. Nor have values that
    Python cannot hold, such as infinite times.
    """
    if isinstance(kind, StringType):
        upper = _string_upper(high)
        return None if upper is None else (to_bytes(kind, low[:_STRING_BOUND]), to_bytes(kind, upper))
    parse = _PARSERS.get(type(kind))
    if parse is None or not isinstance(kind, PrimitiveType):
        return None
    try:
        return to_bytes(kind, parse(low)), to_bytes(kind, parse(high))
    except ValueError:
        return None


def _string_upper(text: str) -> str | None:
    """Return a text of at most 16 characters that is not below `text`; None where no such text exists."""
    if len(text) <= _STRING_BOUND:
        return text
    for number in range(_STRING_BOUND - 1, -1, -1):
        code = ord(text[number]) + 1
        if code < 0xD800 or 0xDFFF < code <= 0x10FFFF:  # noqa: PLR2004 - surrogates are no characters
            return text[:number] + chr(code)
    return None


def _micros(text: str) -> int:
    moment = dt.datetime.fromisoformat(text if len(text.rsplit("+", 1)[-1]) > 2 else text + ":00")  # noqa: PLR2004
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


_PARSERS: dict[type[IcebergType], Any] = {
    BooleanType: lambda text: text in ("true", "1"),
    IntegerType: int,
    LongType: int,
    DecimalType: Decimal,
    DateType: lambda text: dt.date.fromisoformat(text).toordinal() - _EPOCH.date().toordinal(),
    TimestamptzType: _micros,
}
