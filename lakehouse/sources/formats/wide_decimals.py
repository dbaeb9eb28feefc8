"""Decimals of more digits than a reader's own types hold become text: what the file says, for a column to type.

DuckDB reads a Parquet decimal of more than 38 digits as a double, and wrongly (duckdb#25058).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lakehouse.errors import BadFile
from lakehouse.sources.formats.policy import ParquetPolicy

if TYPE_CHECKING:
    import pyarrow as pa

MOST_DIGITS: Final = 38  # of a decimal in 128 bits


def as_text(path: Path, new_path: Path) -> Path:
    """Write a Parquet file anew with its wide decimals as text, also those within structures, and delete the old one.

    Raises BadFile (bad_parquet) for one that cannot be read. Holds some thousand rows in memory.
    """
    import pyarrow as pa  # noqa: PLC0415 - 0.1 s, only when used
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        with pq.ParquetFile(path) as file:
            schema = pa.schema([field.with_type(_readable(field.type)) for field in file.schema_arrow])
            with pq.ParquetWriter(new_path, schema) as writer:
                for batch in file.iter_batches(ParquetPolicy.rewritten_rows):
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema))
    except (pa.ArrowException, OSError) as error:
        raise BadFile("bad_parquet", f"its decimals cannot be read ({type(error).__name__})") from error
    path.unlink()
    return new_path


def _readable(kind: pa.DataType) -> pa.DataType:
    """Return a type with strings for the wide decimals in it."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_decimal256(kind):
        return pa.string()
    if pa.types.is_map(kind):
        return pa.map_(_readable(kind.key_type), _readable(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(_readable(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_readable(field.type)) for field in kind])
    return kind
