"""The tables that segments are made of, to look at and change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

import duckdb

from lakehouse.definitions import nearest
from lakehouse.engine import duck
from lakehouse.errors import Terminal
from lakehouse.segments import definition, refresh, sandbox
from lakehouse.segments.definition import Segment, Segments
from lakehouse.segments.known import set_zone, show_tables
from lakehouse.segments.order import evaluation_order
from lakehouse.segments.policy import SegmentPolicy
from lakehouse.segments.question import tables_of
from lakehouse.tables import catalog as catalogs
from lakehouse.tables import commit, views
from lakehouse.tables.contracts import SEGMENT_CHANGES, SEGMENT_MEMBERS
from lakehouse.tables.people import CONSENT_ANSWERS, CUSTOMERS

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.tables.catalog import Table

_OURS: Final = (SEGMENT_MEMBERS, SEGMENT_CHANGES, CONSENT_ANSWERS, CUSTOMERS)


@dataclass(frozen=True)
class Lake:
    """A connection with the tables in place, those that there are, and the definitions at the moment of looking."""

    con: duckdb.DuckDBPyConnection
    tables: dict[str, Table]
    segments: Segments
    settings: Settings | None = None

    def fulfil(
        self, segments: Segments, set_to: Mapping[str, Mapping[str, str]] | None = None
    ) -> dict[str, str]:
        """Make the table `fulfilling` as `refresh.fulfil` does; `Terminal` while the marts hold nothing."""
        empty = [name for name in refresh.INPUTS if not commit.head(self.tables.get(name))]
        if empty:
            raise Terminal(f"{' and '.join(empty)} hold nothing yet: land files, and wait for `aggregate`")
        self.show_tables_of(segments)
        return refresh.fulfil(self.con, segments, set_to=set_to)

    def show_tables_of(self, segments: Segments) -> None:
        """Put the tables in place that segments ask besides those that customers' rows are made of."""
        if self.settings is not None:
            show_tables(self.con, self.settings, tables_of(segments.defined), self.tables)

    def rows(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        """Return the rows of a query that may take as long as a condition; `Terminal` where it takes longer."""
        stopwatch = Timer(SegmentPolicy.longest_seconds, self.con.interrupt)
        stopwatch.start()
        try:
            return self.con.execute(query, values).fetchall()
        except duckdb.InterruptException:
            if stopwatch.is_alive():
                raise
            raise Terminal(f"it takes longer than {SegmentPolicy.longest_seconds:g} seconds") from None
        finally:
            stopwatch.cancel()


@contextmanager
def open_lake(settings: Settings) -> Iterator[Lake]:
    """Yield the tables and definitions; tables of ours that nobody has made yet are there, empty."""
    con = duck.connect(settings)
    try:
        catalog = catalogs.open_catalog(settings)
        names = (*refresh.INPUTS, *(contract.name for contract in _OURS))
        tables = views.attach(con, catalog, names, _OURS)
        for contract in _OURS:
            if contract.name not in tables:
                con.execute(f"CREATE VIEW {contract.name} AS {views.nothing_sql(contract)}")
        set_zone(con, settings)
        sandbox.confine(con, settings, tables.values())
        yield Lake(con, tables, definition.load(settings.definitions), settings)
    finally:
        con.close()


def segment_named(segments: Segments, name: str) -> Segment:
    """Return a segment that is defined; `Terminal` says why there is none of the name."""
    for segment in segments.defined:
        if segment.name == name:
            return segment
    if name in segments.wrong:
        raise Terminal(f"segment {name} keeps its members, since its file is wrong: {segments.wrong[name]}")
    known = sorted({*(segment.name for segment in segments.defined), *segments.wrong})
    raise Terminal(f"there is no segment {name}{nearest(name, known)}")


def with_those_named(segments: Segments, name: str) -> Segments:
    """Return a segment and all that it is made of, directly or by others."""
    by_name = {segment.name: segment for segment in segments.defined}
    needed: dict[str, Segment] = {}
    waiting = [name]
    while waiting:
        segment = by_name.get(waiting.pop())
        if segment is not None and segment.name not in needed:
            needed[segment.name] = segment
            waiting += segment.names
    return Segments(tuple(needed[each] for each in sorted(needed)), segments.wrong)


def wrong_now(segments: Segments) -> dict[str, str]:
    """Return, by name, what is wrong with definitions as they stand, without asking a table."""
    _, unordered = evaluation_order(segments.defined, segments.wrong)
    return {**segments.wrong, **unordered}
