"""The books stage: copies what commits and objects say into `ops.*`, or writes all of that anew."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import asdict
from functools import partial

from lakehouse.books import copy_to_ops, rebuild
from lakehouse.books.book_sources import ALL, BookSource
from lakehouse.books.policy import BOOKS_RETRIES
from lakehouse.engine import duck
from lakehouse.progress import Progress, no_progress
from lakehouse.retrying import retry_on_conflict
from lakehouse.settings import Settings
from lakehouse.tables import catalog as catalogs
from lakehouse.tables.contracts import LEDGER


def keep_books(settings: Settings, tables: Collection[str] | None = None) -> dict[str, int]:
    """Copy what is new and return how many rows each table gained.

    `tables` are those whose commits are looked at (None: all there are), since looking costs a request each; what
    stands in objects is always looked for.

    The queue sees to it that there is one writer. Should there be two, the slower one copies again what is missing
    then; raises CommitConflict when it was the slower one every time.
    """
    copied = copy_to_ops.Copied()
    retry_on_conflict(lambda: copy_to_ops.run(settings, ALL, copied, tables), BOOKS_RETRIES)
    return dict(copied.rows)


def rebuild_books(settings: Settings, progress: Progress = no_progress) -> dict[str, dict[str, int]]:
    """Write every table of the books anew; return how many rows each had before and has after.

    Nothing that is recorded in the books alone is lost. Ingest and the books may go on meanwhile. `progress` hears
    of each table before it is written.
    """
    catalog = catalogs.open_catalog(settings)
    rebuilt = {}
    with closing(duck.connect(settings)) as con:
        steps: dict[str, Callable[[], rebuild.Rebuilt]] = {}
        # The ledger first: it says which objects count.
        steps[LEDGER.name] = partial(rebuild.rebuild_ledger, con, settings, catalog)
        for name, sources in _sources_by_table().items():
            steps[name] = partial(rebuild.rebuild_objects, con, settings, catalog, sources)
        for done, (name, step) in enumerate(steps.items()):
            progress(name, done, len(steps))
            rebuilt[name] = asdict(retry_on_conflict(step, BOOKS_RETRIES))
    return rebuilt


def _sources_by_table() -> dict[str, list[BookSource]]:
    sources: dict[str, list[BookSource]] = {}
    for source in ALL:
        sources.setdefault(source.contract.name, []).append(source)
    return sources
