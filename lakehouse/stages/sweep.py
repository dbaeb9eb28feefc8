"""The sweep stage: raw files that no event announced, or whose message was lost, are announced again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lakehouse import signals, telemetry
from lakehouse.books import balance
from lakehouse.landing.files import RawFile, listing
from lakehouse.tables import catalog as catalogs

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_FILES, _BYTES = 500, 200_000  # a message; SQS takes 256 KiB


def sweep(settings: Settings) -> int:
    """Announce every raw file that no table and no ledger knows; return how many.

    A file whose message is still waiting is announced twice; ingest loads it once.
    """
    catalog = catalogs.open_catalog(settings)
    tables = {
        name: table for name in catalogs.table_names(catalog) if (table := catalogs.load(catalog, name))
    }
    known = balance.records(settings, tables)
    fresh = (file for file in listing(settings.landing_bucket) if file.file_id not in known)
    count = announce(settings, fresh)
    telemetry.info("swept", files=count)
    return count


def announce(settings: Settings, files: Iterable[RawFile]) -> int:
    """Put files on the ingest queue, many a message; return how many."""
    count = 0
    for part in _messages(file.message() for file in files):
        signals.send(settings.ingest_queue_url, [{"files": part}])
        count += len(part)
    return count


def _messages(files: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut the files into what fits a message; a key of 1,024 bytes may take six times that as JSON."""
    part: list[dict[str, Any]] = []
    size = 0
    for file in files:
        length = len(json.dumps(file)) + 2
        if part and (size + length > _BYTES or len(part) >= _FILES):
            yield part
            part, size = [], 0
        part.append(file)
        size += length
    if part:
        yield part
