"""The members of a segment as a whole, with what is known of them, for a file that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakehouse.definitions import nearest
from lakehouse.engine.escape import identifier, literal
from lakehouse.errors import Terminal
from lakehouse.segments import refresh
from lakehouse.segments.known import CUSTOMERS_SQL, known_of
from lakehouse.segments.read_only import open_lake
from lakehouse.stages.segment_history import check_name
from lakehouse.tables import commit
from lakehouse.tables.contracts import SEGMENT_MEMBERS
from lakehouse.tables.people import CUSTOMERS

if TYPE_CHECKING:
    import duckdb

    from lakehouse.segments.read_only import Lake
    from lakehouse.settings import Settings

_OWN = ("customer_id", "entered_on", "as_of")


@dataclass(frozen=True)
class Members:
    """The rows of a file, still to be fetched, its columns, and the snapshot of the members that they are from."""

    answer: duckdb.DuckDBPyConnection
    columns: tuple[str, ...]
    snapshot: str


@contextmanager
def members_of(settings: Settings, name: str, columns: Sequence[str]) -> Iterator[Members]:
    """Yield who is in a segment since the last run, by customer id, with further columns of the marts or of customers.

    The control group is left out: whoever writes to the file's people would write to them, too.

    Raises `Terminal` for a segment that never was, for a column that there is not, and before the first run.
    """
    with open_lake(settings) as lake:
        check_name(lake, name)
        snapshot = commit.head(lake.tables.get(SEGMENT_MEMBERS.name))
        if not snapshot:
            raise Terminal("members were never computed: `export_segments` does it once the marts are there")
        wanted = tuple(dict.fromkeys(column for column in columns if column not in _OWN))
        answer = lake.con.execute(_sql(lake, name, wanted))
        yield Members(answer, (*_OWN, *wanted), snapshot)


def _sql(lake: Lake, name: str, columns: tuple[str, ...]) -> str:
    of_marts = set(known_of(lake.con).columns) if _has_marts(lake) else set()
    of_customers = {column.name for column in CUSTOMERS.columns}
    known = sorted(of_marts | of_customers)
    for column in columns:
        if column not in known:
            raise Terminal(f"there is no column {column}{nearest(column, known)}")
    source = {column: "c" if column in of_marts else "p" for column in columns}
    further = "".join(f", {source[column]}.{identifier(column)}" for column in columns)
    marts = f"LEFT JOIN ({CUSTOMERS_SQL}) AS c USING (customer_id)" if of_marts else ""
    return f"""
        SELECT m.customer_id, m.entered_on, m.as_of{further}
        FROM (
            SELECT customer_id, entered_on, as_of FROM {SEGMENT_MEMBERS.name}
            WHERE segment = {literal(name)} AND NOT coalesce(control, false)
        ) AS m
        {marts} LEFT JOIN {CUSTOMERS.name} AS p USING (customer_id)
        ORDER BY m.customer_id"""


def _has_marts(lake: Lake) -> bool:
    return all(name in lake.tables for name in refresh.INPUTS)
