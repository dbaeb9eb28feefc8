"""The sweep stage: raw files that no event announced, or whose message was lost, are announced again."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lakehouse import signals, telemetry
from lakehouse.books import balance
from lakehouse.landing.files import RawFile, listing
from lakehouse.tables import catalog as catalogs

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_A_MESSAGE = 500


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
    stream = iter(files)
    while part := list(itertools.islice(stream, _A_MESSAGE)):
        signals.send(settings.ingest_queue_url, [{"files": [file.message() for file in part]}])
        count += len(part)
    return count
