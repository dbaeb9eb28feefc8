"""The books stage: copies what commits and objects say into `ops.*`, or writes all of that anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TypeVar

from lakehouse.books import copy_to_ops, rebuild
from lakehouse.books.book_sources import ALL, Objects
from lakehouse.engine import duck
from lakehouse.errors import CommitConflict
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import LEDGER

_ATTEMPTS = 5
T = TypeVar("T")


def keep_books(settings: Settings) -> dict[str, int]:
    """Copy what is new and return how many rows each table gained.

    There is one writer, as the queue sees to it. Should there be two, the slower looks again here: a message that
    failed would hold up its FIFO group for the whole visibility time-out.
    """
    copied = copy_to_ops.Copied()
    _until_first(lambda: copy_to_ops.run(settings, ALL, copied))
    return dict(copied.rows)


def rebuild_books(
    settings: Settings, progress: Callable[[int, int], None] | None = None
) -> dict[str, dict[str, int]]:
    """Write every table of the books anew; return how many rows each had before and has after.

    Nothing that stands only in the books is lost. Ingest and the books may go on meanwhile. `progress` hears how
    many tables are done, and how many there are.
    """
    kinds: dict[str, list[Objects]] = {}
    for kind in ALL:
        kinds.setdefault(kind.contract.name, []).append(kind)
    catalog = catalogs.open_catalog(settings)
    con = duck.connect(settings)
    try:  # the ledger first: it says which objects count
        steps = {LEDGER.name: partial(rebuild.rebuild_ledger, con, settings, catalog)}
        for name, of_table in kinds.items():
            steps[name] = partial(rebuild.rebuild_objects, con, settings, catalog, of_table)
        found = {}
        for done, (name, step) in enumerate(steps.items()):
            if progress is not None:
                progress(done, len(steps))
            found[name] = asdict(_until_first(step))
    finally:
        con.close()
    return found


def _until_first(work: Callable[[], T]) -> T:
    """Do something again as long as another writer is faster; CommitConflict when that never ends."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return work()
        except CommitConflict:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")
