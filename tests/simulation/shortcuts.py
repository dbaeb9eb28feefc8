"""What pyiceberg and the engine work out again and again from the same input, worked out once: half of a run's time.

Nothing here changes an answer or leaves out an I/O: the bytes are read each time, only not understood anew.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyiceberg.avro.file as avro
import pyiceberg.table as tables
from pyiceberg.table.metadata import TableMetadataUtil

from lakehouse.engine import duck

_schemas: dict[str, Any] = {}
_readers: dict[tuple[Any, ...], Any] = {}
_updated: dict[tuple[int, ...], Any] = {}


def take() -> None:
    """Take the shortcuts, for the life of this process."""
    TableMetadataUtil.parse_raw = staticmethod(lru_cache(256)(TableMetadataUtil.parse_raw))  # type: ignore[method-assign]
    duck.extension_path = lru_cache(duck.extension_path)
    _remember_readers()
    _remember_updates()


def forget() -> None:
    """Let go of the last run's tables."""
    _updated.clear()


def _remember_readers() -> None:
    """Make the reader of an Avro schema once: making it takes longer than reading our small manifests."""
    understand, resolve = avro.AvroFileHeader.get_schema, avro.resolve_reader

    def schema(header: Any) -> Any:
        text = header.meta["avro.schema"]
        if text not in _schemas:
            _schemas[text] = understand(header)
        return _schemas[text]

    def reader(file: Any, read: Any, types: Any, enums: Any) -> Any:
        key = (id(file), id(read), *sorted(types), *sorted(enums))
        if key not in _readers:
            _readers[key] = (resolve(file, read, types, enums), file, read)  # kept, so that ids stay theirs
        return _readers[key][0]

    avro.AvroFileHeader.get_schema = schema  # type: ignore[method-assign]
    avro.resolve_reader = reader  # type: ignore[attr-defined]


def _remember_updates() -> None:
    """Apply a transaction's updates once, and not at every look at its metadata."""
    apply = tables.update_table_metadata

    def updated(base: Any, updates: Any, *rest: Any, **named: Any) -> Any:
        if rest or named:
            return apply(base, updates, *rest, **named)
        key = (id(base), *map(id, updates))
        if key not in _updated:
            _updated[key] = (apply(base, updates), base, updates)
        return _updated[key][0]

    tables.update_table_metadata = updated  # type: ignore[attr-defined]
